#include "numbers.hpp"

#include <bit>
#include <cmath>
#include <cstdint>

#include "expr/coerce.hpp"
#include "slo/big_uint.hpp"

namespace nines::query {
namespace {

struct Binary {  // mantissa * 2^exponent, mantissa odd
  uint64_t mantissa = 0;
  int exponent = 0;
};

// REQUIRES d finite and not 0; its sign is dropped.
Binary split(double d) noexcept {
  const auto bits = std::bit_cast<uint64_t>(d);
  const auto biased = static_cast<int>(bits >> 52 & 0x7ff);
  Binary b{bits & 0x000f'ffff'ffff'ffffULL, biased == 0 ? -1074 : biased - 1075};
  if (biased != 0) b.mantissa |= uint64_t{1} << 52;
  const int zeros = std::countr_zero(b.mantissa);
  b.mantissa >>= zeros;
  b.exponent += zeros;
  return b;
}

constexpr uint64_t kTop = uint64_t{1} << 63;

// mantissa * factor^times, while it stays below 2^63 (or is it).
bool grow(uint64_t& mantissa, uint64_t factor, int times) noexcept {
  for (; times > 0; --times) {
    if (mantissa > kTop / factor) return false;
    mantissa *= factor;
  }
  return mantissa <= kTop;
}

std::optional<Decimal> with_sign(uint64_t mantissa, int exponent, bool negative) noexcept {
  if (mantissa == kTop && !negative) return std::nullopt;
  return canonical({static_cast<int64_t>(negative ? 0 - mantissa : mantissa), exponent});
}

void times_power_of_two(slo::BigUint& n, int power) {
  for (; power >= 63; power -= 63) n *= uint64_t{1} << 63;
  n *= uint64_t{1} << power;
}

// |d| against |r| for numbers that no double tells apart, in integers.
std::strong_ordering compare_sizes(Decimal d, double r) {
  const Binary b = split(r);
  slo::BigUint left(d.mantissa < 0 ? 0 - static_cast<uint64_t>(d.mantissa)
                                   : static_cast<uint64_t>(d.mantissa));
  slo::BigUint right(b.mantissa);
  if (d.exponent >= 0) left.times_pow10(d.exponent);
  if (d.exponent < 0) right.times_pow10(-d.exponent);
  if (b.exponent >= 0) times_power_of_two(right, b.exponent);
  if (b.exponent < 0) times_power_of_two(left, -b.exponent);
  return left <=> right;
}

int sign_of(std::strong_ordering order) noexcept { return (order > 0) - (order < 0); }

// A decimal against a double. Rounding to the nearest double keeps the order, so only those that
// meet there need more.
int compare_mixed(Decimal d, double r) noexcept {
  if (std::isnan(r)) return -1;
  const double rounded = d.to_double();
  if (rounded != r) return rounded < r ? -1 : 1;
  if (r == 0) return sign_of(d.mantissa <=> int64_t{0});
  if (std::isinf(r)) return r > 0 ? -1 : 1;
  const int size = sign_of(compare_sizes(d, r));
  return r < 0 ? -size : size;
}

int compare_reals(double a, double b) noexcept {
  if (std::isnan(a) || std::isnan(b)) return std::isnan(a) - std::isnan(b);
  return (a > b) - (a < b);
}

}  // namespace

Decimal canonical(Decimal d) noexcept {
  if (d.exponent == 0 || d.mantissa == 0) return {d.mantissa, 0};
  while (d.mantissa % 10 == 0) {
    d.mantissa /= 10;
    ++d.exponent;
  }
  for (Decimal whole = d; whole.exponent > 0 && whole.exponent <= 18;) {
    if (__builtin_mul_overflow(whole.mantissa, int64_t{10}, &whole.mantissa)) break;
    if (--whole.exponent == 0) return whole;
  }
  return d;
}

std::optional<Decimal> exact_decimal(double d) noexcept {
  if (!std::isfinite(d)) return std::nullopt;
  if (d == 0) return Decimal{};
  const bool negative = d < 0;
  Binary b = split(d);
  if (b.exponent < 0) {
    // m / 2^k is m * 5^k / 10^k; 5^28 is beyond 64 bits.
    if (b.exponent < -27 || !grow(b.mantissa, 5, -b.exponent)) return std::nullopt;
    return with_sign(b.mantissa, b.exponent, negative);
  }
  // m * 2^k; with 5^i in m, i zeros can leave.
  int zeros = 0;
  while (b.exponent > zeros && b.mantissa % 5 == 0) {
    b.mantissa /= 5;
    ++zeros;
  }
  if (b.exponent - zeros > 63 || !grow(b.mantissa, 2, b.exponent - zeros)) return std::nullopt;
  return with_sign(b.mantissa, zeros, negative);
}

int compare_numbers(const Value& a, const Value& b) noexcept {
  const bool real_a = a.kind == ValueKind::real;
  const bool real_b = b.kind == ValueKind::real;
  if (real_a && real_b) return compare_reals(a.real, b.real);
  if (real_a) return -compare_mixed(expr::decimal_of(b), a.real);
  if (real_b) return compare_mixed(expr::decimal_of(a), b.real);
  return sign_of(compare(expr::decimal_of(a), expr::decimal_of(b)));
}

}  // namespace nines::query
