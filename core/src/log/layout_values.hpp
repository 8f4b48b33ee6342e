// Texts of layout fields to values.
#pragma once

#include <cstdint>
#include <string_view>

#include "log/layout_program.hpp"
#include "nines/log/value.hpp"

namespace nines::log {

// mantissa * 10^exponent as all our numbers are kept: no zero with an exponent, no positive one.
inline Value normal_decimal(int64_t mantissa, int exponent) noexcept {
  if (mantissa == 0) return Value::of_int(0);
  for (; exponent > 0 && mantissa < INT64_MAX / 10 && mantissa > INT64_MIN / 10; --exponent) {
    mantissa *= 10;
  }
  return Value::of_decimal(mantissa, exponent);
}
// The power of ten between what is written and the unit we keep (milliseconds).
constexpr int power_of(Conv conv) noexcept {
  switch (conv) {
    case Conv::seconds: return 3;
    case Conv::micros: return -3;
    case Conv::nanos: return -6;
    default: return 0;
  }
}

// All conversions but time, request and address.
Value layout_value(Conv conv, std::string_view text) noexcept;
// Null when the text is no level of that kind.
Value level_value(Conv conv, std::string_view text) noexcept;

// "10.0.0.1:80", "[::1]:80", "::1:80": the part before the last colon, and the port behind it.
Value address_value(std::string_view text) noexcept;
Value port_value(std::string_view text) noexcept;

// PostgreSQL: "duration: 12.345 ms  statement: ...".
Value pg_duration(std::string_view message) noexcept;
bool is_pg_severity(std::string_view text) noexcept;
// DETAIL, HINT, STATEMENT...: they tell more of the record before.
bool is_pg_detail(std::string_view text) noexcept;

}  // namespace nines::log
