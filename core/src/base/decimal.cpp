#include "nines/base/decimal.hpp"

#include <charconv>
#include <cmath>
#include <cstdio>
#include <cstdlib>

#include "nines/base/int128.hpp"

namespace nines {
namespace {

using Wide = Int128;

constexpr int kMaxDigits = 18;
constexpr int kMaxExponent = 400;

// Drops trailing zeros so that equal numbers have one form and exponents stay small.
Decimal normalized(Decimal d) {
  if (d.mantissa == 0) return {0, 0};
  while (d.mantissa % 10 == 0) {
    d.mantissa /= 10;
    ++d.exponent;
  }
  return d;
}

int digits_of(int64_t mantissa) {
  uint64_t m = mantissa < 0 ? 0 - static_cast<uint64_t>(mantissa) : static_cast<uint64_t>(mantissa);
  int n = 0;
  for (; m != 0; m /= 10) ++n;
  return n;
}

std::optional<Decimal> narrowed(Wide mantissa, int exponent) {
  while (mantissa != 0 && (mantissa > INT64_MAX || mantissa < -INT64_MAX)) {
    if (mantissa % 10 != 0) return std::nullopt;
    mantissa /= 10;
    ++exponent;
  }
  return Decimal{static_cast<int64_t>(mantissa), exponent};
}

}  // namespace

std::optional<Decimal> Decimal::parse(std::string_view text) noexcept {
  const char* p = text.data();
  const char* const end = p + text.size();
  bool negative = false;
  if (p != end && (*p == '-' || *p == '+')) negative = *p++ == '-';
  int64_t mantissa = 0;
  int exponent = 0;
  int digits = 0;
  bool any = false;
  bool point = false;
  for (; p != end; ++p) {
    if (*p == '.' && !point) {
      point = true;
      continue;
    }
    if (*p < '0' || *p > '9') break;
    any = true;
    if (mantissa != 0 || *p != '0') ++digits;
    if (digits > kMaxDigits) {
      // Trailing zeros carry nothing; another digit would be lost.
      if (*p != '0') return std::nullopt;
      if (!point) ++exponent;
      continue;
    }
    mantissa = mantissa * 10 + (*p - '0');
    if (point) --exponent;
  }
  if (!any) return std::nullopt;
  if (p != end && (*p == 'e' || *p == 'E')) {
    ++p;
    if (p != end && *p == '+') ++p;
    int power = 0;
    const auto [rest, error] = std::from_chars(p, end, power);
    if (error != std::errc() || power > kMaxExponent || power < -kMaxExponent) return std::nullopt;
    exponent += power;
    p = rest;
  }
  if (p != end || exponent > kMaxExponent || exponent < -kMaxExponent) return std::nullopt;
  return Decimal{negative ? -mantissa : mantissa, mantissa == 0 ? 0 : exponent};
}

double Decimal::to_double() const noexcept {
  // Both operands exact in a double: one correctly rounded operation (Clinger 1990, fast path).
  static constexpr double kPowers[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                       1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                       1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
  constexpr int64_t kExact = int64_t{1} << 53;
  if (mantissa <= kExact && mantissa >= -kExact && exponent <= 22 && exponent >= -22) {
    const auto m = static_cast<double>(mantissa);
    return exponent >= 0 ? m * kPowers[exponent] : m / kPowers[-exponent];
  }
  char buffer[48];
  std::snprintf(buffer, sizeof buffer, "%llde%d", static_cast<long long>(mantissa), exponent);
  return std::strtod(buffer, nullptr);  // correctly rounded, the same on every machine
}

std::string Decimal::to_string() const {
  const Decimal d = normalized(*this);
  std::string digits = std::to_string(d.mantissa < 0 ? -d.mantissa : d.mantissa);
  if (d.exponent > 0) {
    digits.append(static_cast<size_t>(d.exponent), '0');
  } else if (d.exponent < 0) {
    const auto places = static_cast<size_t>(-d.exponent);
    if (digits.size() <= places) digits.insert(0, places - digits.size() + 1, '0');
    digits.insert(digits.size() - places, 1, '.');
  }
  return d.mantissa < 0 ? "-" + digits : digits;
}

std::strong_ordering compare(Decimal a, Decimal b) noexcept {
  const int sign_a = (a.mantissa > 0) - (a.mantissa < 0);
  const int sign_b = (b.mantissa > 0) - (b.mantissa < 0);
  if (sign_a != sign_b) return sign_a <=> sign_b;
  if (sign_a == 0 || a.exponent == b.exponent) return a.mantissa <=> b.mantissa;
  // Equal signs: the position of the leading digit decides unless it is the same, and then the
  // exponents differ by less than 19, so that scaling fits 128 bits.
  const int lead_a = digits_of(a.mantissa) + a.exponent;
  const int lead_b = digits_of(b.mantissa) + b.exponent;
  if (lead_a != lead_b) return sign_a > 0 ? lead_a <=> lead_b : lead_b <=> lead_a;
  Wide wide_a = a.mantissa;
  Wide wide_b = b.mantissa;
  for (int e = a.exponent; e > b.exponent; --e) wide_a *= 10;
  for (int e = b.exponent; e > a.exponent; --e) wide_b *= 10;
  return wide_a < wide_b   ? std::strong_ordering::less
         : wide_a > wide_b ? std::strong_ordering::greater
                           : std::strong_ordering::equal;
}

std::optional<Decimal> add(Decimal a, Decimal b) noexcept {
  if (a.mantissa == 0) return b;
  if (b.mantissa == 0) return a;
  if (a.exponent < b.exponent) std::swap(a, b);
  if (a.exponent - b.exponent > 2 * kMaxDigits) return std::nullopt;
  Wide wide = a.mantissa;
  for (int e = a.exponent; e > b.exponent; --e) {
    wide *= 10;
    if (wide > Wide(1) << 120 || wide < -(Wide(1) << 120)) return std::nullopt;
  }
  return narrowed(wide + b.mantissa, b.exponent);
}

std::optional<Decimal> subtract(Decimal a, Decimal b) noexcept {
  if (b.mantissa == INT64_MIN) return std::nullopt;
  return add(a, {-b.mantissa, b.exponent});
}

std::optional<Decimal> multiply(Decimal a, Decimal b) noexcept {
  return narrowed(Wide(a.mantissa) * b.mantissa, a.exponent + b.exponent);
}

}  // namespace nines
