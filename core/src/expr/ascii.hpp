// Characters of the language: ASCII rules, independent of the locale; UTF-8 where noted.
#pragma once

#include <cstddef>
#include <string_view>

namespace nines::expr {

constexpr bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }
constexpr bool is_letter(char c) noexcept {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
constexpr bool is_space(char c) noexcept { return c == ' ' || (c >= '\t' && c <= '\r'); }
constexpr char to_lower(char c) noexcept {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
}
constexpr char to_upper(char c) noexcept {
  return c >= 'a' && c <= 'z' ? static_cast<char>(c & ~0x20) : c;
}
// A byte inside a UTF-8 character, not its first.
constexpr bool is_continuation(char c) noexcept {
  return (static_cast<unsigned char>(c) & 0xC0) == 0x80;
}
// Offset behind the character that starts at `at`. Invalid bytes count as one character each.
constexpr size_t next_character(std::string_view text, size_t at) noexcept {
  const bool multibyte = static_cast<unsigned char>(text[at]) >= 0xC0;
  ++at;
  while (multibyte && at < text.size() && is_continuation(text[at])) ++at;
  return at;
}
constexpr bool equals_ignoring_case(std::string_view a, std::string_view b) noexcept {
  if (a.size() != b.size()) return false;
  for (size_t i = 0; i < a.size(); ++i) {
    if (to_lower(a[i]) != to_lower(b[i])) return false;
  }
  return true;
}

}  // namespace nines::expr
