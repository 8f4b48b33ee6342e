#include "log/json_scan.hpp"

#include <cstring>

namespace nines::log {
namespace {

constexpr uint32_t kReplacement = 0xFFFD;

int hex_digit(char c) noexcept {
  if (c >= '0' && c <= '9') return c - '0';
  const char lower = static_cast<char>(c | 0x20);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

// The four hex digits at `p`; -1 when they are none.
int32_t hex4(const char* p, const char* end) noexcept {
  if (end - p < 4) return -1;
  int32_t value = 0;
  for (int i = 0; i < 4; ++i) {
    const int digit = hex_digit(p[i]);
    if (digit < 0) return -1;
    value = value * 16 + digit;
  }
  return value;
}

size_t put_utf8(uint32_t c, char* out) noexcept {
  const auto byte = [](uint32_t b) { return static_cast<char>(static_cast<unsigned char>(b)); };
  if (c < 0x80) {
    out[0] = byte(c);
    return 1;
  }
  if (c < 0x800) {
    out[0] = byte(0xC0 | c >> 6);
    out[1] = byte(0x80 | (c & 0x3F));
    return 2;
  }
  if (c < 0x10000) {
    out[0] = byte(0xE0 | c >> 12);
    out[1] = byte(0x80 | (c >> 6 & 0x3F));
    out[2] = byte(0x80 | (c & 0x3F));
    return 3;
  }
  out[0] = byte(0xF0 | c >> 18);
  out[1] = byte(0x80 | (c >> 12 & 0x3F));
  out[2] = byte(0x80 | (c >> 6 & 0x3F));
  out[3] = byte(0x80 | (c & 0x3F));
  return 4;
}

// `p` is behind "\u"; moves it behind the digits, of both halves of a pair.
uint32_t scan_unicode(const char*& p, const char* end) noexcept {
  const int32_t first = hex4(p, end);
  if (first < 0) {
    --p;
    return '\\';
  }
  p += 4;
  if (first < 0xD800 || first > 0xDFFF) return static_cast<uint32_t>(first);
  if (first > 0xDBFF || end - p < 6 || p[0] != '\\' || p[1] != 'u') return kReplacement;
  const int32_t second = hex4(p + 2, end);
  if (second < 0xDC00 || second > 0xDFFF) return kReplacement;
  p += 6;
  return 0x10000u + (static_cast<uint32_t>(first - 0xD800) << 10) +
         static_cast<uint32_t>(second - 0xDC00);
}

// `p` is behind the backslash. What is no escape stands for itself, backslash included (paths of
// Windows, written by hand); so no text grows.
uint32_t scan_escape(const char*& p, const char* end) noexcept {
  switch (*p++) {
    case 'n': return '\n';
    case 't': return '\t';
    case 'r': return '\r';
    case 'b': return '\b';
    case 'f': return '\f';
    case '"': return '"';
    case '\\': return '\\';
    case '/': return '/';
    case 'u': return scan_unicode(p, end);
    default: --p; return '\\';
  }
}

}  // namespace

const char* skip_container(const char* p, const char* end) noexcept {
  size_t depth = 0;
  while ((p = find_structure(p, end)) != end) {
    const char c = *p++;
    if (c == '"') {
      bool escaped = false;
      const char* close = string_end(p, end, escaped);
      if (close == nullptr) return nullptr;
      p = close + 1;
    } else if ((c | 0x20) == '{') {
      ++depth;
    } else if (--depth == 0) {
      return p;
    }
  }
  return nullptr;
}

const char* scan_bare_value(const char* p, const char* end, RawValue& out) noexcept {
  const char* stop = p;
  if (*p == '{' || *p == '[') {
    stop = skip_container(p, end);
    out.kind = RawValue::Kind::container;
  } else {
    while (stop != end && !ends_literal(*stop)) ++stop;
    out.kind = RawValue::Kind::literal;
  }
  if (stop == nullptr || stop == p) return nullptr;
  out.escaped = false;
  out.text = between(p, stop);
  return stop;
}

size_t unescape_json(std::string_view text, char* out, size_t room) noexcept {
  const char* p = text.data();
  const char* const end = p + text.size();
  size_t n = 0;
  while (p != end) {
    const char* slash = find_byte(p, end, '\\');
    size_t run = static_cast<size_t>(slash - p);
    if (run > room - n) {
      run = room - n;
      while (run > 0 && (static_cast<unsigned char>(p[run]) & 0xC0) == 0x80) --run;
      std::memcpy(out + n, p, run);
      return n + run;
    }
    std::memcpy(out + n, p, run);
    n += run;
    p = slash;
    if (end - p < 2) break;
    ++p;
    char encoded[4];
    const size_t length = put_utf8(scan_escape(p, end), encoded);
    if (length > room - n) return n;
    std::memcpy(out + n, encoded, length);
    n += length;
  }
  return n;
}

}  // namespace nines::log
