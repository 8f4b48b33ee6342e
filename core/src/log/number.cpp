#include "log/number.hpp"

#include <charconv>

#include "log/time_scan.hpp"
#include "nines/base/decimal.hpp"

namespace nines::log {
namespace {

Value slow_number(std::string_view text) noexcept {
  if (text.empty() || text.front() == '+') return Value::of_text(text);
  if (const auto decimal = Decimal::parse(text)) {
    return Value::of_decimal(decimal->mantissa, decimal->exponent);
  }
  double real = 0;
  const char* end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, real);
  const char first = text.front() == '-' && text.size() > 1 ? text[1] : text.front();
  if (error != std::errc() || rest != end || !is_digit(first)) return Value::of_text(text);
  return Value::of_real(real);
}

}  // namespace

Value number_value(std::string_view text) noexcept {
  const char* p = text.data();
  const char* const end = p + text.size();
  const bool negative = p != end && *p == '-';
  if (negative) ++p;
  if (p == end || end - p > 18) return slow_number(text);
  int64_t mantissa = 0;
  const char* point = nullptr;
  for (; p != end; ++p) {
    if (is_digit(*p)) {
      mantissa = mantissa * 10 + (*p - '0');
    } else if (*p == '.' && point == nullptr) {
      point = p;
    } else {
      return slow_number(text);
    }
  }
  if (point == text.data() || point == end - 1) return slow_number(text);
  const int exponent = point != nullptr && mantissa != 0 ? static_cast<int>(point + 1 - end) : 0;
  return Value::of_decimal(negative ? -mantissa : mantissa, exponent);
}

Value integer_value(std::string_view text) noexcept {
  if (text.empty() || text.size() > 18) return Value::null();
  int64_t n = 0;
  for (const char c : text) {
    if (!is_digit(c)) return Value::null();
    n = n * 10 + (c - '0');
  }
  return Value::of_int(n);
}

}  // namespace nines::log
