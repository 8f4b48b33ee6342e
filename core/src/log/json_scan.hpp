// Walking over JSON text without building anything. Only what is stepped on is checked.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "log/key_values.hpp"
#include "log/scan.hpp"

namespace nines::log {

inline const char* skip_blanks(const char* p, const char* end) noexcept {
  while (p != end && is_blank(*p)) ++p;
  return p;
}

// `p` is behind the opening quote; the closing quote, or nullptr.
inline const char* string_end(const char* p, const char* end, bool& escaped) noexcept {
  escaped = false;
  for (;;) {
    p = find_quote_or_backslash(p, end);
    if (p == end) return nullptr;
    if (*p == '"') return p;
    escaped = true;
    if (end - p < 2) return nullptr;
    p += 2;
  }
}

// `p` is at '{' or '['; behind the bracket that closes it, or nullptr. Depth costs no stack.
const char* skip_container(const char* p, const char* end) noexcept;

// Of anything but strings.
const char* scan_bare_value(const char* p, const char* end, RawValue& out) noexcept;
// Reads the value at `p`; returns what is behind it, or nullptr when there is none.
inline const char* scan_value(const char* p, const char* end, RawValue& out) noexcept {
  if (p == end) return nullptr;
  if (*p != '"') return scan_bare_value(p, end, out);
  const char* const close = string_end(p + 1, end, out.escaped);
  if (close == nullptr) return nullptr;
  out.kind = RawValue::Kind::string;
  out.text = between(p + 1, close);
  return close + 1;
}

// Text of a string without its escapes into `out` (at least text.size() bytes are enough; at most
// `room` are written, cut between characters). Lone surrogates become U+FFFD;
// broken escapes stay as they are.
size_t unescape_json(std::string_view text, char* out, size_t room) noexcept;

}  // namespace nines::log
