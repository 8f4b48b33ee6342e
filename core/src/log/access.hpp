// What all access logs share: nulls, quotes, request lines and their time stamp.
#pragma once

#include <cstring>

#include "log/scan.hpp"
#include "log/time_scan.hpp"
#include "nines/log/value.hpp"

namespace nines::log {

inline Value text_or_null(std::string_view text) noexcept {
  if (text.empty() || text == "-") return Value::null();
  return Value::of_text(text);
}

// From behind the opening quote to the closing one; `end` when it is never closed.
inline const char* closing_quote(const char* p, const char* end) noexcept {
  const char* begin = p;
  for (;;) {
    p = find_byte(p, end, '"');
    if (p == end || p == begin || p[-1] != '\\') return p;
    const char* slash = p;  // an even number of backslashes escapes itself, not the quote
    while (slash != begin && slash[-1] == '\\') --slash;
    if ((p - slash) % 2 == 0) return p;
    ++p;
  }
}

struct RequestLine {
  Value method, path, protocol;
};
// Only "METHOD target [PROTOCOL]" is split; a target may hold blanks.
inline RequestLine split_request_line(const char* p, const char* close) noexcept {
  RequestLine request;
  const char* space = find_byte(p, close, ' ');
  if (space == close || space == p || space - p > 32) return request;
  for (const char* c = p; c != space; ++c) {
    if (!is_alpha(*c) && *c != '-' && *c != '_') return request;
  }
  request.method = Value::of_text(between(p, space));
  const char* last = close;
  while (last != space && last[-1] != ' ') --last;
  const std::string_view protocol = between(last, close);
  const bool has_protocol =
      last - 1 != space && protocol.find('/') != std::string_view::npos && protocol.front() != '/';
  if (has_protocol) request.protocol = Value::of_text(protocol);
  request.path = text_or_null(between(space + 1, has_protocol ? last - 1 : close));
  return request;
}

inline uint64_t load8(const char* p) noexcept {
  uint64_t word = 0;
  std::memcpy(&word, p, sizeof word);
  return word;
}

// "[21/Nov/2026:01:35:51 +0100]": most lines share the minute with the line before.
class ClfCache {
 public:
  // Reads kLength characters.
  bool parse(const char* p, WallTime& ts) noexcept {
    const uint64_t second = two_digits(p + 18);
    // Everything but the seconds, in words that overlap a little.
    const uint64_t difference = (load8(p) ^ load8(text_)) | (load8(p + 8) ^ load8(text_ + 8)) |
                                ((load8(p + 18) ^ load8(text_ + 18)) & not_seconds()) |
                                static_cast<uint64_t>(p[16] ^ text_[16]) |
                                static_cast<uint64_t>(p[17] ^ text_[17]);
    if (difference == 0 && kept_ && second < 60) {
      ts.ns = minute_.ns + static_cast<int64_t>(second) * kNsPerSecond;
      return true;
    }
    return parse_anew(p, second, ts);
  }
  static constexpr size_t kLength = 26;

 private:
  // All but the first two bytes of a word as load8() reads it.
  static uint64_t not_seconds() noexcept {
    static constexpr char kMask[] = "\0\0\xff\xff\xff\xff\xff\xff";
    return load8(kMask);
  }
  bool parse_anew(const char* p, uint64_t second, WallTime& ts) noexcept {
    const auto parsed = parse_clf_time({p, kLength});
    if (!parsed) return false;
    ts = parsed->ts;
    if (parsed->length != kLength || second >= 60) return true;
    minute_.ns = ts.ns - static_cast<int64_t>(second) * kNsPerSecond;
    kept_ = true;
    std::memcpy(text_, p, kLength);
    return true;
  }

  char text_[kLength] = {};
  bool kept_ = false;
  WallTime minute_{};
};

}  // namespace nines::log
