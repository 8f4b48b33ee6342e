// LineFinder: from literals, or a match of a regular expression, to lines.
#include <algorithm>
#include <cstring>

#include "expr/pattern.hpp"
#include "nines/base/contract.hpp"
#include "nines/base/utf.hpp"
#include "query/prefilter.hpp"

namespace nines::query {
namespace {

constexpr size_t kNone = std::string_view::npos;
constexpr size_t kMostChoices = 6;                // sets that are tried
constexpr size_t kSampleBytes = 64 * 1024;        // over so many bytes,
constexpr size_t kPairSampleBytes = 4 * 1024;     // tells which bytes of a literal are rare
constexpr size_t kLearnAgain = 32 * 1024 * 1024;  // and again after so many
// What things cost, in nanoseconds, roughly: only their order decides.
constexpr double kLookedAt = 400;  // a line that is tested or parsed
constexpr double kByteOfFew = 0.06, kByteOfMany = 0.1;

size_t line_begin(std::string_view block, size_t at, size_t from) noexcept {
  const void* nl = memrchr(block.data() + from, '\n', at - from);
  return nl == nullptr ? from
                       : static_cast<size_t>(static_cast<const char*>(nl) - block.data()) + 1;
}
size_t find_byte(std::string_view block, size_t from, size_t to, char c) noexcept {
  const void* p = std::memchr(block.data() + from, c, to - from);
  return p == nullptr ? kNone : static_cast<size_t>(static_cast<const char*>(p) - block.data());
}
size_t line_end(std::string_view block, size_t at) noexcept {
  const size_t nl = find_byte(block, at, block.size(), '\n');
  return nl == kNone ? block.size() : nl + 1;
}
LineFinder::Line line_around(std::string_view block, size_t at, size_t from) noexcept {
  return {line_begin(block, at, from), line_end(block, at)};
}

// Any number of literals: one search for each 64 of them.
class AnyOf {
 public:
  explicit AnyOf(const LiteralSet& set) : set_(set) {
    const std::span<const std::string> all(set_.any_of);
    for (size_t i = 0; i < all.size(); i += LiteralSearch::kMaxLiterals) {
      const size_t count = std::min(LiteralSearch::kMaxLiterals, all.size() - i);
      searches_.emplace_back(all.subspan(i, count), set_.ignore_case);
    }
  }
  // A place within the first line that has one; npos: none.
  size_t find(std::string_view block, size_t from) const noexcept {
    size_t first = kNone;
    size_t end = block.size();
    for (const LiteralSearch& search : searches_) {
      const size_t at = search.find(block.substr(0, end), from).at;
      if (at == kNone) continue;
      first = std::min(first, at);
      end = line_end(block, first);
    }
    return first;
  }
  double cost_of_byte() const noexcept {
    return set_.any_of.size() <= 4 ? kByteOfFew
                                   : kByteOfMany * static_cast<double>(searches_.size());
  }
  const LiteralSet& set() const noexcept { return set_; }
  void learn(std::string_view sample) {
    for (LiteralSearch& search : searches_) search.learn(sample);
  }

 private:
  LiteralSet set_;
  std::vector<LiteralSearch> searches_;
};

}  // namespace

struct LineFinder::Impl {
  // What never changes.
  struct Plan {
    std::optional<expr::Expression> where;
    std::vector<AnyOf> choices;
    std::unique_ptr<expr::LineRegexp> by_block;
    size_t max_record_bytes = SIZE_MAX;
    bool exact = false;
    bool sufficient = false;  // a literal of the first choice is enough
  };
  std::shared_ptr<const Plan> plan;
  std::optional<expr::Evaluator> test;
  size_t choice = 0;            // of plan->choices; their number: none of them is worth its search
  size_t until_learning = 0;    // bytes
  std::optional<AnyOf> fitted;  // the choice, by what its bytes are like here

  explicit Impl(std::shared_ptr<const Plan> made) : plan(std::move(made)) {
    if (!plan->exact) return;
    constexpr size_t kSlots[] = {0};
    test.emplace(*plan->where, kSlots);
  }
  Impl(const Impl& other) : Impl(other.plan) {
    choice = other.choice;
    until_learning = other.until_learning;
    fitted = other.fitted;
  }

  bool wanted(std::string_view block, const Line& line) noexcept;
  bool literal_line(std::string_view block, size_t from, Line& line);
  bool regexp_line(std::string_view block, size_t from, Line& line);
  bool next(std::string_view block, size_t from, Line& line);
  uint64_t count_hits(std::string_view block, const AnyOf& any) const;
  void learn(std::string_view block, size_t from);
};

namespace {

// As the reader of lines and the parsers see it; false: a blank line, which is no record.
bool clean(std::string_view& text, size_t max_bytes) noexcept {
  if (!text.empty() && text.back() == '\n') text.remove_suffix(1);
  if (!text.empty() && text.back() == '\r') text.remove_suffix(1);
  while (!text.empty() && text.front() == '\0') text.remove_prefix(1);
  text = cut_utf8(text, max_bytes);
  return text.find_first_not_of(" \t\r") != std::string_view::npos;
}

}  // namespace

bool LineFinder::Impl::wanted(std::string_view block, const Line& line) noexcept {
  std::string_view text = block.substr(line.begin, line.end - line.begin);
  if (!clean(text, plan->max_record_bytes)) return false;
  const Value raw = Value::of_text(text);
  return test->test({&raw, 1}) == expr::Truth::yes;
}

bool LineFinder::Impl::literal_line(std::string_view block, size_t from, Line& line) {
  const AnyOf& any = fitted ? *fitted : plan->choices[choice];
  while (from < block.size()) {
    const size_t at = any.find(block, from);
    if (at == kNone) return false;
    line = line_around(block, at, from);
    const bool certain = plan->sufficient && line.end - line.begin <= plan->max_record_bytes;
    if (!plan->exact || certain || wanted(block, line)) return true;
    from = line.end;
  }
  return false;
}

// The automaton finds the next match over all lines. Where ^ and $ are asked for, lines whose edges
// the reader changes (\r before the line end, NULs) are tested one by one.
bool LineFinder::Impl::regexp_line(std::string_view block, size_t from, Line& line) {
  const bool careful = plan->by_block->has_anchors();
  while (from < block.size()) {
    size_t at = plan->by_block->find(block, from);
    const size_t before = std::min(at, block.size());
    if (careful) {
      at = std::min(at, find_byte(block, from, before, '\r'));
      at = std::min(at, find_byte(block, from, std::min(at, before), '\0'));
    }
    if (at == block.size() && block.back() != '\n') --at;  // the end of a last line without one
    if (at >= block.size()) return false;
    line = line_around(block, at, from);
    if (wanted(block, line)) return true;
    from = line.end;
  }
  return false;
}

bool LineFinder::Impl::next(std::string_view block, size_t from, Line& line) {
  if (from >= block.size()) return false;
  if (!plan->choices.empty() && until_learning == 0) learn(block, from);
  const size_t began = from;
  bool found = false;
  if (choice < plan->choices.size()) {
    found = literal_line(block, from, line);
  } else if (plan->by_block != nullptr && block.size() <= plan->max_record_bytes) {
    found = regexp_line(block, from, line);
  } else {
    for (; !found && from < block.size(); from = line.end) {
      line = {from, line_end(block, from)};
      found = !plan->exact || wanted(block, line);
    }
  }
  const size_t passed = (found ? line.end : block.size()) - began;
  until_learning -= std::min(until_learning, passed);
  return found;
}

// Lines with a literal, of a sample.
uint64_t LineFinder::Impl::count_hits(std::string_view block, const AnyOf& any) const {
  uint64_t hits = 0;
  for (size_t from = 0; from < block.size(); ++hits) {
    const size_t at = any.find(block, from);
    if (at == kNone) break;
    from = line_end(block, at);
  }
  return hits;
}

// Which literals are rare here.
void LineFinder::Impl::learn(std::string_view block, size_t from) {
  until_learning = kLearnAgain;
  fitted.reset();
  const std::string_view sample = block.substr(from, kSampleBytes);
  if (sample.size() < kSampleBytes) {
    choice = 0;
    until_learning = sample.size();  // too little to tell
    return;
  }
  const auto lines = static_cast<double>(std::count(sample.begin(), sample.end(), '\n') + 1);
  const auto bytes = static_cast<double>(sample.size());
  double least = lines * kLookedAt;
  choice = plan->choices.size();
  for (size_t i = 0; i < plan->choices.size(); ++i) {
    const double hits =
        plan->sufficient ? 0 : static_cast<double>(count_hits(sample, plan->choices[i]));
    const double cost = hits * kLookedAt + bytes * plan->choices[i].cost_of_byte();
    if (cost >= least) continue;
    least = cost;
    choice = i;
  }
  if (choice == plan->choices.size()) return;
  fitted = plan->choices[choice];
  fitted->learn(sample.substr(0, kPairSampleBytes));
}

LineFinder::LineFinder(const expr::Expression* where, const RecordShape& shape) {
  auto plan = std::make_shared<Impl::Plan>();
  if (where != nullptr) {
    plan->where = *where;
    Requirements required = requirements_of(*where, shape);
    for (const LiteralSet& set : required.sets) {
      if (plan->choices.size() < kMostChoices) plan->choices.emplace_back(set);
    }
    plan->max_record_bytes = shape.max_record_bytes;
    plan->exact = where->fields().size() == 1 && where->depends_only_on("raw") && shape.one_line &&
                  shape.bytes && shape.wrapping == RecordShape::Wrapping::none &&
                  shape.format.kind != log::FormatKind::csv &&
                  shape.format.kind != log::FormatKind::journal;
    plan->sufficient = plan->exact && required.sufficient;
    if (plan->exact && !required.raw_regexp.empty()) {
      plan->by_block = expr::LineRegexp::compile(required.raw_regexp);
    }
  }
  impl_ = std::make_unique<Impl>(std::move(plan));
}

LineFinder::~LineFinder() = default;
LineFinder::LineFinder(const LineFinder& other) : impl_(std::make_unique<Impl>(*other.impl_)) {}
LineFinder& LineFinder::operator=(const LineFinder& other) {
  if (this != &other) impl_ = std::make_unique<Impl>(*other.impl_);
  return *this;
}
LineFinder::LineFinder(LineFinder&&) noexcept = default;
LineFinder& LineFinder::operator=(LineFinder&&) noexcept = default;

LineFinder::Finds LineFinder::finds() const noexcept {
  if (impl_->plan->exact) return Finds::exact;
  return impl_->plan->choices.empty() ? Finds::all : Finds::candidates;
}

bool LineFinder::next(std::string_view block, size_t from, Line& line) {
  return impl_->next(block, from, line);
}

uint64_t LineFinder::count(std::string_view block) {
  uint64_t lines = 0;
  Line line;
  for (size_t at = 0; impl_->next(block, at, line); at = line.end) ++lines;
  return lines;
}

std::string LineFinder::explanation() const {
  const Impl::Plan& plan = *impl_->plan;
  std::string text;
  for (const AnyOf& any : plan.choices) {
    text += text.empty() ? "literals " : " and ";
    size_t left = 4;
    for (const std::string& literal : any.set().any_of) {
      if (left-- == 0) {
        text += " ...";
        break;
      }
      text += (left == 3 ? "'" : " | '") + literal + "'";
    }
    if (any.set().ignore_case) text += " in either case";
  }
  if (text.empty() && plan.by_block != nullptr) text = "regular expression over whole blocks";
  if (plan.exact) text += text.empty() ? "lines as they stand" : "; lines as they stand";
  return text.empty() ? "every line" : text;
}

}  // namespace nines::query
