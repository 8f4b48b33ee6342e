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

// "[21/Nov/2026:01:35:51 +0100]": most lines share the minute with the line before.
class ClfCache {
 public:
  bool parse(const char* p, WallTime& ts) noexcept {
    if (second_ >= 0 && std::memcmp(p, text_, kLength) == 0) {
      ts = ts_;
      return true;
    }
    const unsigned second = two_digits(p + 18);
    if (second_ >= 0 && std::memcmp(p, text_, 18) == 0 && std::memcmp(p + 20, text_ + 20, 6) == 0 &&
        second < 60) {
      ts_.ns += (static_cast<int64_t>(second) - second_) * kNsPerSecond;
    } else if (const auto parsed = parse_clf_time({p, kLength});
               parsed && parsed->length == kLength && second < 60) {
      ts_ = parsed->ts;
    } else {
      if (!parsed) return false;
      ts = parsed->ts;
      return true;
    }
    second_ = second;
    std::memcpy(text_, p, kLength);
    ts = ts_;
    return true;
  }
  static constexpr size_t kLength = 26;

 private:
  char text_[kLength] = {};
  int64_t second_ = -1;  // -1: nothing kept yet
  WallTime ts_{};
};

}  // namespace nines::log
