// MATCH_RECOGNIZE (SQL:2016, the subset of README.md).
#include <algorithm>

#include "../expr/ascii.hpp"
#include "block_parser.hpp"
#include "pattern_host.hpp"

namespace nines::query {
namespace {

using expr::Reader;
using expr::Sym;
using expr::Token;
using Kind = PatternNode::Kind;

constexpr int kMaxPatternDepth = 100;
constexpr uint64_t kMaxPatternSize = 10'000;  // variables once all repetitions are written out
constexpr size_t kMaxPermuted = 6;

bool is_permute(const Reader& reader) {
  return reader.is_word("permute") && reader.peek(1).sym == Sym::left_paren;
}

PatternNode node_of(Kind kind) {
  PatternNode node;
  node.kind = kind;
  return node;
}

uint64_t expanded(const PatternNode& node) {
  uint64_t sum = node.kids.empty() ? 1 : 0;
  for (const PatternNode& kid : node.kids) sum = std::min(sum + expanded(kid), kMaxPatternSize + 1);
  uint64_t times = 1;
  if (node.kind == Kind::repeat) times = node.max == UINT32_MAX ? node.min + 1 : node.max;
  for (uint64_t n = node.kids.size(); node.kind == Kind::permute && n > 1; --n) times *= n;
  return std::min(sum * std::max<uint64_t>(times, 1), kMaxPatternSize + 1);
}

class PatternParser {
 public:
  explicit PatternParser(Reader& reader) : in_(reader) {}

  // Behind PATTERN.
  Result<PatternNode> run() {
    const Token& open = in_.peek();
    NINES_CHECK(in_.expect(Sym::left_paren, "'(' after PATTERN"));
    NINES_TRY(PatternNode root, alternation());
    NINES_CHECK(in_.expect(Sym::right_paren, "')' or a variable in PATTERN"));
    if (expanded(root) > kMaxPatternSize) {
      return in_.fail(open,
                      "the pattern has more than 10000 variables once its repetitions are "
                      "written out",
                      Errc::exhausted);
    }
    return root;
  }

  std::vector<std::string> variables;

 private:
  Result<PatternNode> alternation() {
    if (++depth_ > kMaxPatternDepth) {
      return in_.fail(in_.peek(), "the pattern is nested more than 100 levels deep",
                      Errc::exhausted);
    }
    NINES_TRY(PatternNode first, sequence());
    PatternNode out = node_of(Kind::alternation);
    out.kids.push_back(std::move(first));
    while (in_.accept_other('|')) {
      NINES_TRY(PatternNode next, sequence());
      out.kids.push_back(std::move(next));
    }
    --depth_;
    if (out.kids.size() > 1) return out;
    PatternNode only = std::move(out.kids[0]);
    return only;
  }

  Result<PatternNode> sequence() {
    PatternNode out = node_of(Kind::sequence);
    while (starts_primary()) {
      NINES_CHECK(quantified(out.kids));
    }
    if (out.kids.empty()) return node_of(Kind::empty);
    if (out.kids.size() > 1) return out;
    PatternNode only = std::move(out.kids[0]);
    return only;
  }

  bool starts_primary() const {
    const Sym sym = in_.peek().sym;
    return sym == Sym::identifier || sym == Sym::left_paren || in_.is_other('^') ||
           in_.is_other('$') || (in_.is_other('{') && in_.peek(1).sym == Sym::minus);
  }

  // A name that ends in '$' is a variable and the anchor.
  Status quantified(std::vector<PatternNode>& out) {
    bool anchored = false;
    NINES_TRY(PatternNode node, primary(anchored));
    NINES_CHECK(quantifier(node));
    out.push_back(std::move(node));
    if (anchored) out.push_back(node_of(Kind::last));
    return Ok{};
  }

  Result<PatternNode> primary(bool& anchored) {
    if (in_.accept_other('^')) return node_of(Kind::first);
    if (in_.accept_other('$')) return node_of(Kind::last);
    if (in_.accept_other('{')) return exclusion();
    if (is_permute(in_)) return permute();
    if (in_.accept(Sym::left_paren)) {
      NINES_TRY(PatternNode inner, alternation());
      NINES_CHECK(in_.expect(Sym::right_paren, "')' or a variable in PATTERN"));
      return inner;
    }
    const Token& t = in_.take();
    PatternNode node = node_of(Kind::variable);
    node.name = t.text;
    if (!t.quoted && node.name.size() > 1 && node.name.back() == '$') {
      node.name.pop_back();
      anchored = true;
    }
    for (const std::string& known : variables) {
      if (!expr::equals_ignoring_case(known, node.name)) continue;
      node.name = known;
      return node;
    }
    variables.push_back(node.name);
    return node;
  }

  Result<PatternNode> exclusion() {
    in_.take();  // -
    NINES_TRY(PatternNode inner, alternation());
    NINES_CHECK(in_.expect(Sym::minus, "'-}' after the excluded part"));
    if (!in_.accept_other('}')) return in_.unexpected("'-}' after the excluded part");
    PatternNode out = node_of(Kind::sequence);
    out.kids.push_back(std::move(inner));
    exclude(out);
    return out;
  }
  static void exclude(PatternNode& node) {
    node.excluded = true;
    for (PatternNode& kid : node.kids) exclude(kid);
  }

  Result<PatternNode> permute() {
    const Token& name = in_.take();
    in_.take();  // (
    PatternNode out = node_of(Kind::permute);
    do {
      NINES_TRY(PatternNode kid, alternation());
      out.kids.push_back(std::move(kid));
    } while (in_.accept(Sym::comma));
    NINES_CHECK(in_.expect(Sym::right_paren, "',' or ')' in PERMUTE"));
    if (out.kids.size() > kMaxPermuted) {
      return in_.fail(name, "PERMUTE takes at most 6 parts, got " + std::to_string(out.kids.size()),
                      Errc::exhausted);
    }
    return out;
  }

  Status quantifier(PatternNode& node) {
    uint32_t min = 0;
    uint32_t max = UINT32_MAX;
    if (in_.accept(Sym::plus)) {
      min = 1;
    } else if (in_.accept_other('?')) {
      max = 1;
    } else if (in_.is_other('{') && in_.peek(1).sym != Sym::minus) {
      NINES_CHECK(bounds(min, max));
    } else if (!in_.accept(Sym::star)) {
      return Ok{};
    }
    PatternNode repeat = node_of(Kind::repeat);
    repeat.min = min;
    repeat.max = max;
    repeat.reluctant = in_.accept_other('?');
    repeat.excluded = node.excluded;
    if (node.kind == Kind::first || node.kind == Kind::last) {
      return in_.fail(in_.before(), "an anchor can't be repeated");
    }
    repeat.kids.push_back(std::move(node));
    node = std::move(repeat);
    return Ok{};
  }

  // {n} {n,} {,m} {n,m}
  Status bounds(uint32_t& min, uint32_t& max) {
    const Token& open = in_.take();
    const bool lower = in_.peek().sym == Sym::number;
    if (lower) NINES_CHECK(bound(min));
    if (in_.accept(Sym::comma)) {
      if (in_.peek().sym == Sym::number) NINES_CHECK(bound(max));
    } else if (lower) {
      max = min;
    } else {
      return in_.unexpected("a number of repetitions: {2}, {2,}, {,3} or {2,3}");
    }
    if (!in_.accept_other('}')) return in_.unexpected("'}' after the number of repetitions");
    if (max < min || max == 0) {
      return in_.fail(open, "the repetition {" + std::to_string(min) + "," + std::to_string(max) +
                                "} can never be");
    }
    return Ok{};
  }
  Status bound(uint32_t& out) {
    const Token& t = in_.peek();
    NINES_TRY(const uint64_t n, read_count(in_, "'{'"));
    if (n > kMaxPatternSize) {
      return in_.fail(t, "a repetition of more than 10000 is too large", Errc::exhausted);
    }
    out = static_cast<uint32_t>(n);
    return Ok{};
  }

  Reader& in_;
  int depth_ = 0;
};

class MatchParser {
 public:
  MatchParser(Reader& reader, expr::Host& host, WallTime now)
      : in_(reader), host_(host), now_(now) {}

  Result<MatchSyntax> run() {
    NINES_CHECK(in_.expect(Sym::left_paren, "'(' after MATCH_RECOGNIZE"));
    NINES_CHECK(pattern_first());
    PatternHost navigation(variables_, now_);
    navigation_ = &navigation;
    NINES_CHECK(partition_and_order());
    if (in_.accept_word("measures")) NINES_CHECK(list(out_.measures, &MatchParser::measure));
    NINES_CHECK(rows());
    NINES_CHECK(skip());
    if (!in_.is_word("pattern"))
      return in_.unexpected(
          "PATTERN (...)",
          "the order is PARTITION BY, "
          "ORDER BY, MEASURES, ROWS PER MATCH, AFTER MATCH SKIP, PATTERN, DEFINE");
    in_.seek(behind_pattern_);
    if (in_.accept_word("within")) {
      NINES_TRY(out_.within_ns, read_duration(in_, "WITHIN"));
    }
    if (in_.is_word("subset")) return in_.fail(in_.peek(), "SUBSET is not supported");
    if (in_.accept_word("define")) NINES_CHECK(list(out_.define, &MatchParser::definition));
    NINES_CHECK(in_.expect(Sym::right_paren, "')' after MATCH_RECOGNIZE"));
    return std::move(out_);
  }

 private:
  // MEASURES stand before PATTERN but use its variables.
  Status pattern_first() {
    const size_t begin = in_.position();
    int depth = 0;
    for (;; in_.take()) {
      const Sym sym = in_.peek().sym;
      if (depth == 0 && in_.is_word("pattern") && in_.peek(1).sym == Sym::left_paren) break;
      if (sym == Sym::left_paren) ++depth;
      if (sym == Sym::end || (sym == Sym::right_paren && --depth < 0)) {
        return in_.unexpected("PATTERN (...) in MATCH_RECOGNIZE");
      }
    }
    in_.take();
    PatternParser parser(in_);
    NINES_TRY(out_.pattern, parser.run());
    variables_ = std::move(parser.variables);
    behind_pattern_ = in_.position();
    in_.seek(begin);
    return Ok{};
  }

  Status partition_and_order() {
    if (in_.accept_word("partition")) {
      if (!in_.accept_word("by")) return in_.unexpected("BY after PARTITION");
      NINES_TRY(out_.keys, parse_keys(in_));
    }
    if (in_.accept_word("order")) {
      if (!in_.accept_word("by")) return in_.unexpected("BY after ORDER");
      if (!in_.accept_word("ts"))
        return in_.unexpected("ts: rows are matched in the order of time");
      in_.accept_word("asc");
    }
    return Ok{};
  }

  Status list(std::vector<PatternTree>& out, Result<PatternTree> (MatchParser::*read)()) {
    in_.use(navigation_);
    Status status = Ok{};
    do {
      auto part = (this->*read)();
      if (!part.ok()) {
        status = part.error();
        break;
      }
      out.push_back(std::move(*part));
    } while (in_.accept(Sym::comma));
    in_.use(&host_);
    return status;
  }

  Result<PatternTree> measure() {
    PatternTree out;
    navigation_->enter({});
    NINES_TRY(out.tree, in_.expression());
    out.terms = navigation_->take_terms();
    if (!in_.accept(Sym::kw_as) || in_.peek().sym != Sym::identifier) {
      return in_.unexpected("AS and a name after the measure");
    }
    out.name = in_.take().text;
    for (const PatternTree& known : out_.measures) {
      if (known.name == out.name) {
        return in_.fail(in_.before(), "the measure '" + out.name + "' is there twice");
      }
    }
    return out;
  }

  Result<PatternTree> definition() {
    PatternTree out;
    const Token& name = in_.peek();
    if (name.sym != Sym::identifier) return in_.unexpected("a variable of the pattern");
    out.name = navigation_->variable(name.text);
    if (out.name.empty()) {
      const std::vector<std::string_view> known(variables_.begin(), variables_.end());
      return unexpected_word(in_, "a variable of the pattern: " + name.text + " is not in it",
                             known);
    }
    in_.take();
    if (!in_.accept(Sym::kw_as)) return in_.unexpected("AS and a condition after the variable");
    navigation_->enter(out.name);
    NINES_TRY(out.tree, in_.expression());
    out.terms = navigation_->take_terms();
    return out;
  }

  Status rows() {
    if (in_.accept_word("one")) {
      return words({"row", "per", "match"});
    }
    if (!in_.accept_word("all")) return Ok{};
    NINES_CHECK(words({"rows", "per", "match"}));
    out_.rows = MatchStage::Rows::all;
    if (in_.accept_word("with")) {
      out_.rows = MatchStage::Rows::all_unmatched;
      return words({"unmatched", "rows"});
    }
    if (in_.accept_word("omit")) return words({"empty", "matches"});
    if (in_.is_word("show")) {
      return in_.fail(in_.peek(), "SHOW EMPTY MATCHES is not supported; empty matches are omitted");
    }
    return Ok{};
  }

  Status skip() {
    if (!in_.accept_word("after")) return Ok{};
    NINES_CHECK(words({"match", "skip"}));
    if (in_.accept_word("past")) return words({"last", "row"});
    NINES_CHECK(words({"to"}));
    if (in_.accept_word("next")) {
      out_.skip = MatchStage::Skip::to_next;
      return words({"row"});
    }
    out_.skip = in_.is_word("first") ? MatchStage::Skip::to_first : MatchStage::Skip::to_last;
    if (in_.peek(1).sym == Sym::identifier && (in_.is_word("first") || in_.is_word("last"))) {
      const bool pattern = in_.is_word("pattern", 1) && in_.peek(2).sym == Sym::left_paren;
      if (!pattern) in_.take();
    }
    out_.skip_to = navigation_->variable(in_.peek().text);
    if (out_.skip_to.empty()) return in_.unexpected("a variable of the pattern");
    in_.take();
    return Ok{};
  }

  Status words(std::initializer_list<std::string_view> expected) {
    for (const std::string_view word : expected) {
      if (in_.accept_word(word)) continue;
      std::string upper(word);
      std::transform(upper.begin(), upper.end(), upper.begin(), expr::to_upper);
      return in_.unexpected(upper);
    }
    return Ok{};
  }

  Reader& in_;
  expr::Host& host_;
  WallTime now_;
  MatchSyntax out_;
  std::vector<std::string> variables_;
  size_t behind_pattern_ = 0;
  PatternHost* navigation_ = nullptr;
};

}  // namespace

Result<MatchSyntax> parse_match_recognize(Reader& reader, BlockHost& host) {
  host.enter("PARTITION BY", false);
  return MatchParser(reader, host, host.now()).run();
}

}  // namespace nines::query
