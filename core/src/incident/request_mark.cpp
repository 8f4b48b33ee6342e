#include "nines/incident/request_mark.hpp"

#include <array>
#include <cstdint>

namespace nines::incident {
namespace {

constexpr size_t kLeast = 6, kMost = 64;

constexpr char lower(char c) noexcept {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
}
constexpr bool is_letter(char c) noexcept { return lower(c) >= 'a' && lower(c) <= 'z'; }
constexpr bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }
constexpr bool is_value(char c) noexcept {
  return is_letter(c) || is_digit(c) || c == '-' || c == '_';
}

enum class Kind : uint8_t { none, request, trace, span };

// The word that ends before `end`, behind an optional sign; cut off from letters before it.
bool ends_with_word(std::string_view text, size_t end, std::string_view word) noexcept {
  if (end < word.size()) return false;
  const size_t begin = end - word.size();
  for (size_t i = 0; i < word.size(); ++i) {
    if (lower(text[begin + i]) != word[i]) return false;
  }
  return begin == 0 || !is_letter(text[begin - 1]);
}

// What the "id" at `at` is the id of.
Kind kind_before(std::string_view text, size_t at) noexcept {
  size_t end = at;
  if (end > 0 && (text[end - 1] == '_' || text[end - 1] == '-' || text[end - 1] == ' ')) --end;
  if (ends_with_word(text, end, "trace")) return Kind::trace;
  if (ends_with_word(text, end, "span")) return Kind::span;
  constexpr std::array<std::string_view, 3> kRequest{"request", "req", "correlation"};
  for (const std::string_view word : kRequest) {
    if (ends_with_word(text, end, word)) return Kind::request;
  }
  return Kind::none;
}

// The value behind "id", or nothing.
std::string_view value_behind(std::string_view text, size_t at) noexcept {
  size_t begin = at;
  while (begin < text.size() && begin < at + 4 &&
         (text[begin] == ':' || text[begin] == '=' || text[begin] == ' ' || text[begin] == '"' ||
          text[begin] == '\'')) {
    ++begin;
  }
  if (begin == at) return {};
  size_t end = begin;
  bool digit = false;
  while (end < text.size() && is_value(text[end])) digit = is_digit(text[end++]) || digit;
  const size_t size = end - begin;
  return digit && size >= kLeast && size <= kMost ? text.substr(begin, size) : std::string_view{};
}

}  // namespace

RequestMark find_request(std::string_view message) noexcept {
  RequestMark out;
  bool traced = false;
  for (size_t d = message.find_first_of("dD", 1); d != std::string_view::npos;
       d = message.find_first_of("dD", d + 1)) {
    if (lower(message[d - 1]) != 'i') continue;
    if (d + 1 < message.size() && is_value(message[d + 1])) continue;
    const Kind kind = kind_before(message, d - 1);
    if (kind == Kind::none) continue;
    const std::string_view value = value_behind(message, d + 1);
    if (value.empty()) continue;
    if (kind == Kind::span) {
      if (out.span.empty()) out.span = value;
    } else if (out.request.empty() || (kind == Kind::trace && !traced)) {
      out.request = value;
      traced = kind == Kind::trace;
    }
  }
  return out;
}

}  // namespace nines::incident
