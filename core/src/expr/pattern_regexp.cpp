#include <re2/re2.h>

#include <algorithm>
#include <cstring>

#include "ascii.hpp"
#include "pattern.hpp"

namespace nines::expr {
namespace {

constexpr int64_t kMaxMemory = 256 * 1024;
constexpr int64_t kLineMemory = 1024 * 1024;  // twice: forward, and back to where a match begins
constexpr int kMaxGroup = 32;
constexpr size_t kMostLiterals = 8;

re2::StringPiece piece(std::string_view text) { return {text.data(), text.size()}; }

// RE2's message, and why it has no such thing.
Error explain(const re2::RE2& re2) {
  const std::string& reason = re2.error();
  if (re2.error_code() == re2::RE2::ErrorPatternTooLarge) {
    return {Errc::exhausted, reason +
                                 "; hint: it would need more than 256 KiB, make counted "
                                 "repetitions like {1000} smaller"};
  }
  const std::string& part = re2.error_arg();
  const bool look = part.starts_with("(?=") || part.starts_with("(?!") || part.starts_with("(?<");
  const bool back = part.size() == 2 && part[0] == '\\' && is_digit(part[1]);
  if (look) {
    return {Errc::invalid_argument,
            reason +
                "; hint: look-ahead and look-behind are not supported, because matching time "
                "must stay linear; split the test with AND and NOT"};
  }
  if (back) {
    return {Errc::invalid_argument,
            reason +
                "; hint: back references are not supported, because matching time must stay "
                "linear"};
  }
  return {Errc::invalid_argument, reason};
}

}  // namespace

Regexp::Regexp() = default;
Regexp::~Regexp() = default;
Regexp::Regexp(Regexp&&) noexcept = default;
Regexp& Regexp::operator=(Regexp&&) noexcept = default;

Result<Regexp> Regexp::compile(const std::string& pattern) {
  re2::RE2::Options options;
  options.set_max_mem(kMaxMemory);
  options.set_log_errors(false);
  Regexp regexp;
  regexp.re2_ = std::make_unique<re2::RE2>(piece(pattern), options);
  if (!regexp.re2_->ok()) return explain(*regexp.re2_);
  regexp.choose_literals(pattern_literals(pattern));
  return regexp;
}

// They are searched one after the other, so few and long ones are best.
void Regexp::choose_literals(const PatternLiterals& literals) {
  size_t best = 0;
  for (const std::vector<std::string>& set : literals.all_of) {
    if (set.size() > kMostLiterals) continue;
    size_t shortest = SIZE_MAX;
    for (const std::string& literal : set) shortest = std::min(shortest, literal.size());
    if (shortest < best || (shortest == best && set.size() >= required_.size())) continue;
    best = shortest;
    required_ = set;
  }
  fold_ = literals.ignore_case;
  literal_only_ = literals.exact && !required_.empty();
}

bool Regexp::has_required_literal(std::string_view text) const noexcept {
  for (const std::string& literal : required_) {
    if (fold_) {
      if (contains_ignoring_case(text, literal)) return true;
      continue;
    }
    if (memmem(text.data(), text.size(), literal.data(), literal.size()) != nullptr) return true;
  }
  return required_.empty();
}

bool Regexp::matches(std::string_view text) const noexcept {
  if (!has_required_literal(text)) return false;
  return literal_only_ ||
         re2_->Match(piece(text), 0, text.size(), re2::RE2::UNANCHORED, nullptr, 0);
}

std::string_view Regexp::extract(std::string_view text, int group) const noexcept {
  std::string_view found[kMaxGroup + 1];
  const size_t count = static_cast<size_t>(group) + 1;
  return extract_groups(text, std::span(found).first(count)) ? found[group] : std::string_view();
}

bool Regexp::extract_groups(std::string_view text, std::span<std::string_view> out) const noexcept {
  // The automaton without captures decides first: it is several times faster (facts: 43-70 MB/s
  // with many captures).
  if (text.data() == nullptr) text = "";
  if (!matches(text)) return false;
  re2::StringPiece found[kMaxGroup + 1];
  const int count = static_cast<int>(out.size());
  if (!re2_->Match(piece(text), 0, text.size(), re2::RE2::UNANCHORED, found, count)) return false;
  for (size_t i = 0; i < out.size(); ++i) out[i] = {found[i].data(), found[i].size()};
  return true;
}

std::vector<std::pair<int, std::string>> Regexp::named_groups() const {
  const auto& names = re2_->CapturingGroupNames();
  return {names.begin(), names.end()};
}

int Regexp::groups() const noexcept { return std::min(re2_->NumberOfCapturingGroups(), kMaxGroup); }

LineRegexp::LineRegexp() = default;
LineRegexp::~LineRegexp() = default;

std::unique_ptr<LineRegexp> LineRegexp::compile(const std::string& pattern) {
  for (size_t i = 0; i + 1 < pattern.size(); ++i) {
    if (pattern[i] == '\\' && std::strchr("AzCQ", pattern[++i]) != nullptr) return nullptr;
    const std::string_view rest = std::string_view(pattern).substr(i);
    const bool flags = rest.starts_with("(?") && !rest.starts_with("(?:") &&
                       !rest.starts_with("(?P<") && (i != 0 || !rest.starts_with("(?i)"));
    if (flags) return nullptr;
  }
  re2::RE2::Options options;
  options.set_max_mem(kLineMemory);
  options.set_log_errors(false);
  options.set_never_nl(true);
  std::unique_ptr<LineRegexp> regexp(new LineRegexp);
  regexp->anchors_ = pattern.find_first_of("^$") != std::string::npos;
  const std::string by_line = "(?m)" + pattern;
  regexp->re2_ = std::make_unique<re2::RE2>(piece(by_line), options);
  return regexp->re2_->ok() ? std::move(regexp) : nullptr;
}

size_t LineRegexp::find(std::string_view block, size_t from) const noexcept {
  re2::StringPiece found;
  if (!re2_->Match(piece(block), from, block.size(), re2::RE2::UNANCHORED, &found, 1)) {
    return std::string_view::npos;
  }
  return static_cast<size_t>(found.data() - block.data());
}

}  // namespace nines::expr
