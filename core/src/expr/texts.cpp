// Values to text and text to times and durations.
#include <algorithm>
#include <charconv>
#include <cstdio>
#include <cstring>

#include "ascii.hpp"
#include "coerce.hpp"
#include "nines/base/time.hpp"
#include "nines/log/format.hpp"
#include "nines/log/timestamp.hpp"

namespace nines::expr {
namespace {

constexpr int kMaxPlainExponent = 20;

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
  constexpr size_t kDateLength = 10;
  constexpr std::string_view kMidnight = "T00:00:00Z";
  char day[kDateLength + kMidnight.size()];
  if (text.size() == kDateLength) {
    std::memcpy(day, text.data(), kDateLength);
    std::memcpy(day + kDateLength, kMidnight.data(), kMidnight.size());
    text = {day, sizeof day};
  }
  const auto parsed = log::parse_iso_time(text, {});
  if (!parsed || parsed->length != text.size()) return {};
  return Value::of_time(parsed->ts.ns);
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

std::optional<int64_t> parse_duration_ns(std::string_view text) noexcept {
  constexpr int kMsToNs = 6;
  const Value ms = parse_duration(text);
  if (ms.is_null()) return std::nullopt;
  int64_t ns = ms.mantissa;
  int exponent = ms.exponent + kMsToNs;
  for (; exponent > 0; --exponent) {
    if (__builtin_mul_overflow(ns, int64_t{10}, &ns)) return std::nullopt;
  }
  for (; exponent < 0; ++exponent) ns /= 10;
  return ns;
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
