// Values to text and text to times and durations.
#include <algorithm>
#include <charconv>
#include <cstdio>
#include <cstring>

#include "ascii.hpp"
#include "coerce.hpp"
#include "nines/base/time.hpp"

namespace nines::expr {
namespace {

constexpr int kMaxPlainExponent = 20;

// Reads fixed-width digits and separators of a time stamp.
class Reader {
 public:
  explicit Reader(std::string_view text) : text_(text) {}
  bool done() const { return at_ == text_.size(); }
  char peek() const { return done() ? '\0' : text_[at_]; }
  bool skip(char c) {
    if (peek() != c || done()) return false;
    ++at_;
    return true;
  }
  bool skip_any(std::string_view set) {
    if (done() || set.find(text_[at_]) == std::string_view::npos) return false;
    ++at_;
    return true;
  }
  bool digits(int count, int& out) {
    out = 0;
    for (; count > 0; --count, ++at_) {
      if (!is_digit(peek())) return false;
      out = out * 10 + (text_[at_] - '0');
    }
    return true;
  }

 private:
  std::string_view text_;
  size_t at_ = 0;
};

bool is_leap(int year) { return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0; }

int days_in(int year, int month) {
  static constexpr int kDays[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  return month == 2 && is_leap(year) ? 29 : kDays[month - 1];
}

bool read_date(Reader& r, int64_t& days) {
  int year = 0;
  int month = 0;
  int day = 0;
  if (!r.digits(4, year) || !r.skip('-') || !r.digits(2, month) || !r.skip('-') ||
      !r.digits(2, day)) {
    return false;
  }
  // Nanoseconds of 64 bits end in 1677 and 2262.
  if (year < 1678 || year > 2261 || month < 1 || month > 12 || day < 1 ||
      day > days_in(year, month)) {
    return false;
  }
  days = days_from_civil(year, month, day);
  return true;
}

bool read_clock(Reader& r, int64_t& seconds, int64_t& ns) {
  int hour = 0;
  int minute = 0;
  int second = 0;
  if (!r.digits(2, hour) || !r.skip(':') || !r.digits(2, minute)) return false;
  if (r.skip(':')) {
    if (!r.digits(2, second)) return false;
    if (r.skip_any(".,")) {
      if (!is_digit(r.peek())) return false;
      int digit = 0;
      for (int64_t unit = 100'000'000; r.digits(1, digit); unit /= 10) ns += unit * digit;
    }
  }
  seconds = hour * 3600 + minute * 60 + second;
  return hour < 24 && minute < 60 && second <= 60;
}

bool read_zone(Reader& r, int64_t& offset_s) {
  if (r.done() || r.skip_any("Zz")) return true;
  const bool west = r.peek() == '-';
  int hour = 0;
  int minute = 0;
  if (!r.skip_any("+-") || !r.digits(2, hour)) return false;
  r.skip(':');
  if (!r.digits(2, minute) || hour > 23 || minute > 59) return false;
  offset_s = (hour * 3600 + minute * 60) * (west ? -1 : 1);
  return true;
}

// Plain notation for usual sizes, else mantissa and exponent.
size_t write_decimal(Decimal d, char* out) {
  while (d.mantissa != 0 && d.mantissa % 10 == 0) {
    d.mantissa /= 10;
    ++d.exponent;
  }
  if (d.mantissa == 0) d.exponent = 0;
  char digits[24];
  const uint64_t size =
      d.mantissa < 0 ? 0 - static_cast<uint64_t>(d.mantissa) : static_cast<uint64_t>(d.mantissa);
  const int n = static_cast<int>(std::to_chars(digits, digits + sizeof digits, size).ptr - digits);
  char* p = out;
  if (d.mantissa < 0) *p++ = '-';
  const int point = n + d.exponent;  // digits in front of the point
  if (point > kMaxPlainExponent || point < -kMaxPlainExponent) {
    p = std::copy(digits, digits + n, p);
    *p++ = 'e';
    return static_cast<size_t>(std::to_chars(p, p + 8, d.exponent).ptr - out);
  }
  if (point <= 0) {
    p = std::copy_n("0.", 2, p);
    p = std::fill_n(p, -point, '0');
    p = std::copy(digits, digits + n, p);
  } else if (point >= n) {
    p = std::copy(digits, digits + n, p);
    p = std::fill_n(p, point - n, '0');
  } else {
    p = std::copy(digits, digits + point, p);
    *p++ = '.';
    p = std::copy(digits + point, digits + n, p);
  }
  return static_cast<size_t>(p - out);
}

size_t write_time(int64_t ns, char* out, size_t size) {
  const WallTime t{ns};
  const int64_t s = t.seconds();
  const int64_t days = s >= 0 ? s / 86400 : -((-s + 86399) / 86400);
  const CivilDate d = civil_from_days(days);
  const int tod = static_cast<int>(s - days * 86400);
  const int n = std::snprintf(out, size, "%04d-%02d-%02dT%02d:%02d:%02d", static_cast<int>(d.year),
                              d.month, d.day, tod / 3600, tod / 60 % 60, tod % 60);
  auto length = static_cast<size_t>(n);
  if (const int64_t fraction = ns - s * kNsPerSecond; fraction != 0) {
    const int m = std::snprintf(out + length, size - length, ".%09d", static_cast<int>(fraction));
    length += static_cast<size_t>(m);
    while (out[length - 1] == '0') --length;
  }
  out[length++] = 'Z';
  return length;
}

std::optional<std::string_view> kept(const char* text, size_t size, Scratch& scratch) {
  char* const memory = scratch.take(size);
  if (memory == nullptr) return std::nullopt;
  std::memcpy(memory, text, size);
  return std::string_view(memory, size);
}

struct Unit {
  std::string_view name;
  Decimal ms;
};
constexpr Unit kUnits[] = {
    {"ns", {1, -6}},       {"us", {1, -3}},        {"\xc2\xb5s", {1, -3}},  {"\xce\xbcs", {1, -3}},
    {"ms", {1, 0}},        {"s", {1000, 0}},       {"m", {60'000, 0}},      {"min", {60'000, 0}},
    {"h", {3'600'000, 0}}, {"d", {86'400'000, 0}}, {"w", {604'800'000, 0}},
};

// Takes one "1.5s" off the front.
std::optional<Decimal> take_duration_part(std::string_view& text) {
  size_t digits = 0;
  while (digits < text.size() && (is_digit(text[digits]) || text[digits] == '.')) ++digits;
  size_t end = digits;
  while (end < text.size() && !is_digit(text[end]) && text[end] != '.') ++end;
  const auto number = Decimal::parse(text.substr(0, digits));
  const std::string_view name = text.substr(digits, end - digits);
  text.remove_prefix(end);
  for (const Unit& unit : kUnits) {
    if (number && unit.name == name) return multiply(*number, unit.ms);
  }
  return std::nullopt;
}

}  // namespace

Value parse_time(std::string_view text) noexcept {
  Reader r(text);
  int64_t days = 0;
  int64_t seconds = 0;
  int64_t ns = 0;
  int64_t offset_s = 0;
  if (!read_date(r, days)) return {};
  if (!r.done()) {
    if (!r.skip_any("Tt ") || !read_clock(r, seconds, ns) || !read_zone(r, offset_s) || !r.done()) {
      return {};
    }
  }
  return Value::of_time((days * 86400 + seconds - offset_s) * kNsPerSecond + ns);
}

Value parse_duration(std::string_view text) noexcept {
  const bool negative = text.starts_with('-');
  if (negative) text.remove_prefix(1);
  if (text.empty()) return {};
  Decimal total;
  while (!text.empty()) {
    const auto part = take_duration_part(text);
    if (!part) return {};
    const auto sum = add(total, *part);
    if (!sum) return {};
    total = *sum;
  }
  return Value::of_decimal(negative ? -total.mantissa : total.mantissa, total.exponent);
}

std::optional<std::string_view> to_text(const Value& v, Scratch& scratch) noexcept {
  char buffer[64];
  switch (v.kind) {
    case ValueKind::null: return std::nullopt;
    case ValueKind::text: return v.text;
    case ValueKind::boolean: return v.mantissa != 0 ? "true" : "false";
    case ValueKind::level: return v.text.empty() ? level_name(v.level) : v.text;
    case ValueKind::number: return kept(buffer, write_decimal(decimal_of(v), buffer), scratch);
    case ValueKind::time:
      return kept(buffer, write_time(v.time_ns, buffer, sizeof buffer), scratch);
    case ValueKind::real: {
      const auto end = std::to_chars(buffer, buffer + sizeof buffer, v.real).ptr;
      return kept(buffer, static_cast<size_t>(end - buffer), scratch);
    }
  }
  return std::nullopt;
}

}  // namespace nines::expr
