#include "nines/query/extract.hpp"

#include <algorithm>
#include <array>
#include <optional>

#include "expr/pattern.hpp"
#include "log/number.hpp"
#include "query/extract_pattern.hpp"

namespace nines::query {
namespace {

constexpr size_t kMaxGroups = 32;

// 12, -0.5, 1.25; not 007, 1e3, +1, 1.: what is written as a number is given back as it was.
bool plain_number(std::string_view text) noexcept {
  if (text.starts_with('-')) text.remove_prefix(1);
  const size_t point = std::min(text.find('.'), text.size());
  const std::string_view whole = text.substr(0, point);
  constexpr std::string_view kDigits = "0123456789";
  if (whole.empty() || whole.find_first_not_of(kDigits) != whole.npos) return false;
  if (whole.size() > 1 && whole[0] == '0') return false;
  if (point == text.size()) return true;
  const std::string_view fraction = text.substr(point + 1);
  return !fraction.empty() && fraction.find_first_not_of(kDigits) == fraction.npos;
}

Value capture_value(std::string_view text) noexcept {
  if (text.data() == nullptr) return Value::null();
  return plain_number(text) ? log::number_value(text) : Value::of_text(text);
}

struct Groups {
  expr::Regexp regexp;
  std::vector<int> numbers;  // of the groups wanted, in the order of their names
  int highest = 0;
};

}  // namespace

struct Extractor::Impl {
  std::vector<std::string> names;
  std::optional<ExtractPattern> pattern;
  std::optional<Groups> groups;
};

namespace {

Result<Groups> compile_groups(std::string_view text, std::vector<std::string>& names) {
  auto regexp = expr::Regexp::compile(std::string(text));
  if (!regexp.ok()) return regexp.error();
  Groups groups{std::move(*regexp), {}, 0};
  for (auto& [number, name] : groups.regexp.named_groups()) {
    if (number > static_cast<int>(kMaxGroups)) {
      return Error{Errc::exhausted, "more than 32 groups; write (?:...) where none is wanted"};
    }
    groups.numbers.push_back(number);
    groups.highest = std::max(groups.highest, number);
    names.push_back(std::move(name));
  }
  if (names.empty()) {
    return Error{Errc::invalid_argument, "has no named group; name fields as in (?P<status>\\d+)"};
  }
  return groups;
}

}  // namespace

Result<Extractor> Extractor::compile(Extract::Kind kind, std::string_view text, size_t* error_at) {
  auto impl = std::make_shared<Impl>();
  size_t at = 0;
  if (kind == Extract::Kind::pattern) {
    auto pattern = ExtractPattern::compile(text, at);
    if (error_at != nullptr) *error_at = at;
    if (!pattern.ok()) return pattern.error();
    impl->names = pattern->names();
    impl->pattern = std::move(*pattern);
  } else {
    if (error_at != nullptr) *error_at = 0;
    auto groups = compile_groups(text, impl->names);
    if (!groups.ok()) return groups.error();
    impl->groups = std::move(*groups);
  }
  return Extractor(std::move(impl));
}

const std::vector<std::string>& Extractor::names() const noexcept { return impl_->names; }

bool Extractor::run(std::string_view text, std::span<Value> out) const noexcept {
  if (impl_->pattern) return impl_->pattern->run(text, out);
  const Groups& groups = *impl_->groups;
  std::array<std::string_view, kMaxGroups + 1> found;
  const std::span<std::string_view> wanted =
      std::span(found).first(static_cast<size_t>(groups.highest) + 1);
  const bool matched = groups.regexp.extract_groups(text, wanted);
  for (size_t i = 0; i < out.size(); ++i) {
    out[i] = matched ? capture_value(found[static_cast<size_t>(groups.numbers[i])]) : Value{};
  }
  return matched;
}

Result<std::vector<std::string>> extract_names(Extract::Kind kind, std::string_view text,
                                               size_t* error_at) {
  auto extractor = Extractor::compile(kind, text, error_at);
  if (!extractor.ok()) return extractor.error();
  return extractor->names();
}

}  // namespace nines::query
