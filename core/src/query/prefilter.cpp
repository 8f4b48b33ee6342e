// Literals that WHERE requires of the bytes of a line. The tree of the expression is walked with
// one question: when this is true, what must the text of some field hold? Then: how does the format
// write such a text? Where a format might write it otherwise, the other ways are let through as
// well, or nothing is said.
#include "query/prefilter.hpp"

#include <algorithm>
#include <bitset>

#include "expr/ascii.hpp"
#include "expr/functions.hpp"
#include "expr/node.hpp"
#include "expr/pattern.hpp"
#include "query/byte_rank.hpp"

namespace nines::query {
namespace {

using expr::Node;
using expr::NodeKind;
using log::FormatKind;

using Sets = std::vector<LiteralSet>;

// Fields that the scan gives, whatever stands in the line.
constexpr std::string_view kGiven[] = {"ts",   "ingest_ts", "node",      "source",
                                       "file", "line",      "_error",    "namespace",
                                       "pod",  "container", "ctx_group", "ctx_offset"};

std::string lowered(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = expr::to_lower(c);
  return out;
}

// How rare: bytes count for more the rarer they are.
int rarity(const std::string& literal, bool ignore_case) {
  int sum = 0;
  for (const char c : literal) sum += 280 - rank_of(c, ignore_case);
  return sum;
}
int rarity(const LiteralSet& set) {
  int least = INT32_MAX;
  for (const std::string& s : set.any_of) least = std::min(least, rarity(s, set.ignore_case));
  return least - static_cast<int>(set.any_of.size());
}

// A literal that holds another one says nothing more.
void drop_covered(LiteralSet& set) {
  auto& all = set.any_of;
  if (set.ignore_case) {
    for (std::string& s : all) s = lowered(s);
  }
  std::sort(all.begin(), all.end());
  all.erase(std::unique(all.begin(), all.end()), all.end());
  const size_t different = all.size();
  std::sort(all.begin(), all.end(), [](const std::string& a, const std::string& b) {
    return a.size() != b.size() ? a.size() < b.size() : a < b;
  });
  std::vector<std::string> kept;
  for (std::string& s : all) {
    const bool covered = std::any_of(kept.begin(), kept.end(), [&](const std::string& other) {
      return s.find(other) != std::string::npos;
    });
    if (!covered) kept.push_back(std::move(s));
  }
  all = std::move(kept);
  // What was dropped holds one of the others, but that does not stand by itself there.
  set.whole = set.whole && all.size() == different;
}

// How a format writes the text of a field.
enum class Writing : uint8_t {
  verbatim,
  json,    // escapes; numbers and words stand without quotes
  csv,     // quotes are doubled
  unknown  // cannot be told
};

// A text of which nothing is known but that it is, or is part of, the value of `field`.
struct Subject {
  std::string field;
  bool ignore_case = false;  // of lower(field) or upper(field)
  bool part = false;         // of the field
};

class Derivation {
 public:
  explicit Derivation(const RecordShape& shape) : shape_(shape) {}

  // What is required when `n` is true.
  Sets sets(const Node& n) {
    if (auto status = status_sets(n); !status.empty()) return status;
    if (n.negated) return {};
    switch (n.kind) {
      case NodeKind::logical_and: {
        Sets all;
        for (const auto& kid : n.kids) append(all, sets(*kid));
        sort(all);
        return all;
      }
      case NodeKind::logical_or: return any_kid(n);
      case NodeKind::is_truth: return n.detail == 1 ? sets(*n.kids[0]) : Sets{};
      case NodeKind::like: return pattern_sets(n, like_pieces(n), true);
      case NodeKind::glob: return pattern_sets(n, glob_pieces(n), false);
      case NodeKind::regexp: return regexp_sets(n);
      case NodeKind::compare: return compare_sets(n);
      case NodeKind::between: return between_sets(n);
      case NodeKind::in: return in_sets(n);
      case NodeKind::call: return call_sets(n);
      default: return {};
    }
  }

  // What records may have for which `n` is true. A level that is none may be compared as a text.
  uint8_t levels(const Node& n) const {
    if (n.negated || extracts_level()) return kAllLevels;
    switch (n.kind) {
      case NodeKind::logical_and: {
        uint8_t all = kAllLevels;
        for (const auto& kid : n.kids) all &= levels(*kid);
        return all;
      }
      case NodeKind::logical_or: {
        uint8_t any = 0;
        for (const auto& kid : n.kids) any |= levels(*kid);
        return any;
      }
      case NodeKind::is_truth: return n.detail == 1 ? levels(*n.kids[0]) : kAllLevels;
      case NodeKind::compare: return of_known(compared_levels(n));
      case NodeKind::between: return of_known(levels_between(n));
      case NodeKind::in: return of_known(levels_among(n));
      default: return kAllLevels;
    }
  }

 private:
  static constexpr uint8_t kAllLevels = 0xff, kNoLevel = 0x80;
  static uint8_t of_known(unsigned levels) noexcept {
    return levels == 0 ? kAllLevels : static_cast<uint8_t>(levels | kNoLevel);
  }

  static void append(Sets& all, Sets more) {
    all.insert(all.end(), std::make_move_iterator(more.begin()),
               std::make_move_iterator(more.end()));
  }
  static void sort(Sets& sets) {
    std::stable_sort(sets.begin(), sets.end(), [](const LiteralSet& a, const LiteralSet& b) {
      return rarity(a) > rarity(b);
    });
  }

  // One of the best sets of all kids.
  Sets any_kid(const Node& n) {
    LiteralSet all;
    all.whole = true;
    for (const auto& kid : n.kids) {
      Sets of_kid = sets(*kid);
      if (of_kid.empty()) return {};
      LiteralSet& best = of_kid.front();
      all.whole = all.whole && best.whole;
      all.ignore_case = all.ignore_case || best.ignore_case;
      all.any_of.insert(all.any_of.end(), best.any_of.begin(), best.any_of.end());
    }
    return finished(std::move(all));
  }

  static Sets finished(LiteralSet set) {
    drop_covered(set);
    if (set.any_of.empty() || set.any_of.size() > kMostLiterals) return {};
    return {std::move(set)};
  }

  static bool is_text(const Node& n) {
    return n.kind == NodeKind::literal && n.value.kind == ValueKind::text;
  }

  static bool subject_of(const Node& n, Subject& out) {
    if (n.kind == NodeKind::field) {
      out.field = n.text;
      return true;
    }
    if (n.kind != NodeKind::call || n.function == nullptr || n.kids.empty()) return false;
    const std::string_view name = n.function->name;
    const bool folds = name == "lower" || name == "upper";
    const bool part = name == "trim" || name == "ltrim" || name == "rtrim" || name == "substr" ||
                      name == "split_part" || name == "regexp_extract";
    if (!folds && !part) return false;
    out.ignore_case = out.ignore_case || folds;
    out.part = out.part || part;
    return subject_of(*n.kids[0], out);
  }

  // ---- texts ----

  Writing writing_of(const std::string& field) const {
    if (field == "raw") return Writing::verbatim;
    for (const std::string_view given : kGiven) {
      if (field == given) return Writing::unknown;
    }
    if (field == "level") return Writing::unknown;
    for (const Extract& extract : shape_.extracts) {
      const auto& names = extract.names;
      if (std::find(names.begin(), names.end(), field) == names.end()) continue;
      if (extract.field == field) return Writing::unknown;
      return std::max(writing_of(extract.field), writing_by_format(field));
    }
    return writing_by_format(field);
  }
  Writing writing_by_format(const std::string& field) const {
    switch (shape_.format.kind) {
      case FormatKind::json:
      case FormatKind::logfmt: return Writing::json;
      case FormatKind::csv: return Writing::csv;
      case FormatKind::combined:
      case FormatKind::plain:
      case FormatKind::regex: return Writing::verbatim;
      case FormatKind::layout:
      case FormatKind::syslog:
      case FormatKind::journal: break;  // the last: see requirements_of()
    }
    const bool made = field == "severity" || field == "facility" || field.starts_with("sd.");
    return made ? Writing::unknown : Writing::verbatim;
  }

  // Between the text of such a field and what surrounds it stands a quote, a blank, a bracket,
  // '='...
  bool stands_alone(const Subject& subject) const {
    if (subject.part || subject.field == "raw") return false;
    for (const Extract& extract : shape_.extracts) {
      const auto& names = extract.names;
      if (std::find(names.begin(), names.end(), subject.field) != names.end()) return false;
    }
    const FormatKind kind = shape_.format.kind;
    return kind == FormatKind::json || kind == FormatKind::logfmt || kind == FormatKind::combined;
  }

  // A number, a boolean or a time as text is not what stands in the line.
  static bool may_be_made(std::string_view literal) {
    const std::string lower = lowered(literal);
    if (std::count(lower.begin(), lower.end(), '.') > 1) return false;  // an address
    if (std::string_view("true").find(lower) != std::string_view::npos ||
        std::string_view("false").find(lower) != std::string_view::npos) {
      return true;
    }
    return lower.find_first_not_of("0123456789.+-ex") == std::string::npos;
  }

  bool given(const LiteralSet& set, const std::string& field) const {
    if (field != "service") return false;
    if (!shape_.service) return true;
    const std::string have = set.ignore_case ? lowered(*shape_.service) : *shape_.service;
    return std::any_of(set.any_of.begin(), set.any_of.end(),
                       [&](const std::string& s) { return have.find(s) != std::string::npos; });
  }

  // The part of a literal that stands in the line as it is.
  static std::string safe_part(const std::string& literal, Writing writing) {
    std::string best, run;
    const auto end_run = [&] {
      if (rarity(run, false) > rarity(best, false)) best = run;
      run.clear();
    };
    for (const char c : literal) {
      const bool control = static_cast<unsigned char>(c) < 0x20;
      const bool cut = c == '\n' || c == '\r' || c == '\0' ||
                       (writing == Writing::json && (control || c == '"' || c == '\\')) ||
                       (writing == Writing::csv && c == '"');
      if (cut) {
        end_run();
      } else {
        run += c;
      }
    }
    end_run();
    return best;
  }

  // From texts within a field to bytes within a line. `whole`: they are all of the field.
  Sets written(LiteralSet set, const Subject& subject) const {
    const Writing writing = writing_of(subject.field);
    set.ignore_case = set.ignore_case || subject.ignore_case;
    if (writing == Writing::unknown || set.any_of.empty()) return {};
    if (set.ignore_case) {
      for (std::string& s : set.any_of) s = lowered(s);
    }
    if (given(set, subject.field)) return {};
    bool slash = false;
    set.whole = set.whole && stands_alone(subject);
    for (std::string& literal : set.any_of) {
      if (subject.field != "raw" && may_be_made(literal)) return {};
      std::string safe = safe_part(literal, writing);
      set.whole = set.whole && safe == literal;
      literal = std::move(safe);
      if (literal.size() < 2) return {};
      slash = slash || literal.find('/') != std::string::npos;
    }
    if (writing == Writing::json) {
      set.any_of.emplace_back("\\u");
      if (slash) set.any_of.emplace_back("\\/");
    }
    return finished(std::move(set));
  }

  Sets pattern_sets(const Node& n, const std::vector<std::string>& pieces, bool fold) const {
    Subject subject;
    if (!is_text(*n.kids[1]) || !subject_of(*n.kids[0], subject)) return {};
    Sets all;
    for (const std::string& piece : pieces) {
      if (!piece.empty()) append(all, written({{piece}, fold, false}, subject));
    }
    sort(all);
    return all;
  }

  static std::vector<std::string> like_pieces(const Node& n) {
    std::vector<std::string> pieces{""};
    const std::string_view pattern = n.kids[1]->text;
    for (size_t i = 0; i < pattern.size(); ++i) {
      if (n.escape >= 0 && pattern[i] == static_cast<char>(n.escape)) {
        if (++i == pattern.size()) break;
        pieces.back() += pattern[i];
      } else if (pattern[i] == '%' || pattern[i] == '_') {
        pieces.emplace_back();
      } else {
        pieces.back() += pattern[i];
      }
    }
    return pieces;
  }

  static std::vector<std::string> glob_pieces(const Node& n) {
    std::vector<std::string> pieces{""};
    for (const char c : std::string_view(n.kids[1]->text)) {
      if (c == '[') break;  // what follows is told by the rest of the pattern only
      if (c == '*' || c == '?') {
        pieces.emplace_back();
      } else {
        pieces.back() += c;
      }
    }
    return pieces;
  }

  Sets regexp_sets(const Node& n) const {
    Subject subject;
    if (!is_text(*n.kids[1]) || !subject_of(*n.kids[0], subject)) return {};
    const expr::PatternLiterals literals = expr::pattern_literals(n.kids[1]->text);
    Sets all;
    for (const auto& set : literals.all_of) {
      append(all, written({set, literals.ignore_case, false}, subject));
    }
    sort(all);
    return all;
  }

  Sets call_sets(const Node& n) const {
    if (n.function == nullptr || n.kids.size() != 2) return {};
    const std::string_view name = n.function->name;
    if (name != "contains" && name != "starts_with" && name != "ends_with") return {};
    Subject subject;
    if (!is_text(*n.kids[1]) || !subject_of(*n.kids[0], subject)) return {};
    return n.kids[1]->text.empty() ? Sets{} : written({{n.kids[1]->text}, false, false}, subject);
  }

  // `side <mask> literal`, whichever stood first.
  struct Comparison {
    explicit Comparison(const Node& n)
        : swapped(n.kids[0]->kind == NodeKind::literal),
          side(*n.kids[swapped ? 1 : 0]),
          literal(*n.kids[swapped ? 0 : 1]),
          mask(n.detail) {
      if (!swapped) return;
      mask =
          static_cast<uint8_t>((mask & expr::kEqual) | (mask & expr::kLess ? expr::kGreater : 0) |
                               (mask & expr::kGreater ? expr::kLess : 0));
    }
    bool swapped;
    const Node& side;
    const Node& literal;
    uint8_t mask;
  };

  Sets compare_sets(const Node& n) const {
    const Comparison c(n);
    const Node& literal = c.literal;
    if (!is_text(literal)) return {};
    if (is_level(c.side)) return level_sets(levels_where(literal.text, c.mask));
    Subject subject;
    if (c.mask != expr::kEqual || literal.text.empty() || !subject_of(c.side, subject)) return {};
    return written({{literal.text}, false, true}, subject);
  }

  Sets in_sets(const Node& n) const {
    LiteralSet all;
    all.whole = true;
    unsigned levels = 0;
    Subject subject;
    if (!subject_of(*n.kids[0], subject)) return {};
    for (size_t i = 1; i < n.kids.size(); ++i) {
      if (n.kids[i]->kind == NodeKind::literal && n.kids[i]->value.is_null()) continue;
      if (!is_text(*n.kids[i]) || n.kids[i]->text.empty()) return {};
      const unsigned level = levels_where(n.kids[i]->text, expr::kEqual);
      if (subject.field == "level" && level == 0) return {};
      levels |= level;
      all.any_of.push_back(n.kids[i]->text);
    }
    if (n.kids[0]->kind == NodeKind::field && subject.field == "level") return level_sets(levels);
    return written(std::move(all), subject);
  }

  // ---- levels ----

  // The levels that compare so with `text`; none when it is no level.
  static unsigned levels_where(std::string_view text, uint8_t mask) {
    Level wanted{};
    // A number is also compared as one, with numbers that are no levels.
    if (!parse_level(text, wanted) || expr::is_digit(text.front())) return 0;
    unsigned levels = 0;
    for (unsigned i = 0; i <= static_cast<unsigned>(Level::fatal); ++i) {
      const auto limit = static_cast<unsigned>(wanted);
      const uint8_t order = i < limit ? expr::kLess : i == limit ? expr::kEqual : expr::kGreater;
      if ((order & mask) != 0) levels |= 1u << i;
    }
    return mask == (expr::kLess | expr::kGreater) ? 0 : levels;
  }

  // One level has some thirty spellings in JSON. Two have so many that nearly every line has the
  // beginning of one: to search for them costs forty times what reading each line's level does.
  static constexpr size_t kMostLevelLiterals = 40;
  Sets level_sets(unsigned levels) const {
    constexpr unsigned kUsual = 1u << static_cast<unsigned>(Level::info);
    LiteralSet set;
    if (levels == 0 || (levels & kUsual) != 0) return {};  // most lines
    if (extracts_level()) return {};
    if (!level_literals(levels, shape_.format.kind, set)) return {};
    if (set.any_of.size() > kMostLevelLiterals) return {};
    return finished(std::move(set));
  }
  bool extracts_level() const {
    return std::any_of(shape_.extracts.begin(), shape_.extracts.end(), [](const Extract& extract) {
      return std::find(extract.names.begin(), extract.names.end(), "level") != extract.names.end();
    });
  }
  static bool is_level(const Node& n) { return n.kind == NodeKind::field && n.text == "level"; }

  // 0: nothing can be said.
  static unsigned levels_between(const Node& n) {
    if (!is_level(*n.kids[0]) || !is_text(*n.kids[1]) || !is_text(*n.kids[2])) return 0;
    return levels_where(n.kids[1]->text, expr::kGreater | expr::kEqual) &
           levels_where(n.kids[2]->text, expr::kLess | expr::kEqual);
  }
  static unsigned compared_levels(const Node& n) {
    const Comparison c(n);
    return is_level(c.side) && is_text(c.literal) ? levels_where(c.literal.text, c.mask) : 0;
  }
  static unsigned levels_among(const Node& n) {
    unsigned levels = 0;
    if (!is_level(*n.kids[0])) return 0;
    for (size_t i = 1; i < n.kids.size(); ++i) {
      if (n.kids[i]->kind == NodeKind::literal && n.kids[i]->value.is_null()) continue;
      const unsigned one = is_text(*n.kids[i]) ? levels_where(n.kids[i]->text, expr::kEqual) : 0;
      if (one == 0) return 0;
      levels |= one;
    }
    return levels;
  }

  Sets between_sets(const Node& n) const {
    if (!is_level(*n.kids[0])) return {};
    return level_sets(levels_between(n));
  }

  // ---- the status of an access log: `" 500` behind the request, three digits always ----

  Sets status_sets(const Node& n) const {
    if (shape_.format.kind != FormatKind::combined) return {};
    const bool test =
        n.kind == NodeKind::compare || n.kind == NodeKind::in || n.kind == NodeKind::between;
    if (!test) return {};
    const std::vector<std::string> fields = expr::fields_of(n);
    if (fields.size() != 1 || fields.front() != "status") return {};
    for (const Extract& extract : shape_.extracts) {
      const auto& names = extract.names;
      if (std::find(names.begin(), names.end(), "status") != names.end()) return {};
    }
    const auto condition = expr::Expression::parse(expr::print_tree(n));
    if (!condition.ok()) return {};
    constexpr size_t kSlots[] = {0};
    expr::Evaluator evaluator(*condition, kSlots);
    const auto holds = [&](const Value& value) {
      return evaluator.test({&value, 1}) == expr::Truth::yes;
    };
    if (holds(Value::null())) return {};
    std::bitset<1000> wanted;
    for (size_t code = 0; code < 1000; ++code) {
      wanted[code] = holds(Value::of_int(static_cast<int64_t>(code)));
    }
    return finished({status_literals(wanted), false, false});
  }

  // Leading digits where all codes that begin so are wanted.
  static std::vector<std::string> status_literals(const std::bitset<1000>& wanted) {
    std::vector<std::string> literals;
    const auto add = [&](size_t first, size_t count, size_t digits) {
      for (size_t i = first; i < first + count; ++i) {
        if (!wanted[i]) return false;
      }
      const std::string code = std::to_string(first + 1000).substr(1, digits);
      literals.push_back("\" " + code);
      return true;
    };
    for (size_t hundred = 0; hundred < 1000; hundred += 100) {
      if (add(hundred, 100, 1)) continue;
      for (size_t ten = hundred; ten < hundred + 100; ten += 10) {
        if (add(ten, 10, 2)) continue;
        for (size_t code = ten; code < ten + 10; ++code) add(code, 1, 3);
      }
    }
    return literals;
  }

  const RecordShape& shape_;
};

bool is_raw(const Node& n) { return n.kind == NodeKind::field && n.text == "raw"; }

bool plain_literal(std::string_view text) {
  return text.find_first_of(std::string_view("\n\r\0", 3)) == std::string_view::npos;
}

// Whether any literal of the set of `n` is enough.
bool is_sufficient(const Node& n) {
  if (n.negated || n.kids.empty()) return false;
  if (n.kind == NodeKind::logical_or) {
    // One mixture of cases would make literals of the others too general.
    const bool folds = n.kids.front()->kind == NodeKind::like;
    return std::all_of(n.kids.begin(), n.kids.end(), [&](const auto& kid) {
      return (kid->kind == NodeKind::like) == folds && is_sufficient(*kid);
    });
  }
  if (n.kids.size() != 2 || !is_raw(*n.kids[0]) || n.kids[1]->kind != NodeKind::literal) {
    return false;
  }
  const std::string& text = n.kids[1]->text;
  if (!plain_literal(text)) return false;
  if (n.kind == NodeKind::regexp) {
    const expr::PatternLiterals literals = expr::pattern_literals(text);
    const auto plain = [](const std::string& s) { return s.size() > 1 && plain_literal(s); };
    return literals.exact && !literals.ignore_case &&
           std::all_of(literals.all_of[0].begin(), literals.all_of[0].end(), plain);
  }
  if (n.kind == NodeKind::like) {
    return n.escape < 0 && text.size() > 3 && text.front() == '%' && text.back() == '%' &&
           text.substr(1, text.size() - 2).find_first_of("%_") == std::string::npos;
  }
  return n.kind == NodeKind::call && n.function != nullptr && n.function->name == "contains" &&
         text.size() > 1;
}

}  // namespace

Requirements requirements_of(const expr::Expression& where, const RecordShape& shape) {
  Requirements all;
  if (!shape.bytes || shape.wrapping == RecordShape::Wrapping::docker ||
      shape.format.kind == FormatKind::journal) {
    return all;
  }
  const auto tree = expr::parse_tree(where.to_string());
  if (!tree.ok()) return all;
  const Node& root = **tree;
  all.sets = Derivation(shape).sets(root);
  all.sufficient = all.sets.size() == 1 && is_sufficient(root);
  if (root.kind == NodeKind::regexp && !root.negated && is_raw(*root.kids[0])) {
    all.raw_regexp = root.kids[1]->text;
  }
  if (shape.wrapping == RecordShape::Wrapping::cri) {
    // Pieces of a long line: a literal may be cut in two.
    for (LiteralSet& set : all.sets) {
      set.any_of.insert(set.any_of.end(), {" stdout P", " stderr P"});
      drop_covered(set);
    }
  }
  return all;
}

std::vector<LiteralSet> required_literals(const expr::Expression& where, const RecordShape& shape) {
  return requirements_of(where, shape).sets;
}

uint8_t possible_levels(const expr::Expression& where, const RecordShape& shape) {
  const auto tree = expr::parse_tree(where.to_string());
  return tree.ok() ? Derivation(shape).levels(**tree) : uint8_t{0xff};
}

}  // namespace nines::query
