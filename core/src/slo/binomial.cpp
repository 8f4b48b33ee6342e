#include "nines/slo/binomial.hpp"

#include <algorithm>
#include <bit>
#include <cmath>

#include "nines/base/contract.hpp"

namespace nines::slo {
namespace portable {

constexpr double kLn2High = 0x1.62e42fee00000p-1;  // 33 bits: times an exponent it is exact
constexpr double kLn2Low = 0x1.a39ef35793c76p-33;

double log(double x) noexcept {
  const auto bits = std::bit_cast<uint64_t>(x);
  int exponent = static_cast<int>(bits >> 52) - 1023;
  double m = std::bit_cast<double>((bits & 0x000fffffffffffffULL) | 0x3ff0000000000000ULL);
  if (m > 1.4142135623730951) {
    m /= 2;
    ++exponent;
  }
  // ln m = 2 atanh(s), |s| <= 0.172: the first term left out is below 1e-19.
  const double s = (m - 1) / (m + 1);
  const double z = s * s;
  double sum = 0;
  for (int k = 23; k >= 3; k -= 2) sum = sum * z + 1.0 / k;
  return exponent * kLn2High + (exponent * kLn2Low + (2 * s * z * sum + 2 * s));
}

double exp(double x) noexcept {
  if (x < -700) return 0;
  const int k = static_cast<int>(x * 1.4426950408889634 + (x < 0 ? -0.5 : 0.5));
  const double r = (x - k * kLn2High) - k * kLn2Low;  // |r| <= 0.35
  double sum = 1;
  for (int i = 16; i >= 1; --i) sum = 1 + sum * r / i;
  return sum * std::bit_cast<double>(static_cast<uint64_t>(k + 1023) << 52);
}

}  // namespace portable

namespace {

constexpr double kTwoPi = 6.283185307179586;

// ln n! - (ln sqrt(2 pi n) + n ln n - n)
double stirling_error(double n) noexcept {
  if (n < 16) {
    double factorial = 1;
    for (int i = 2; i <= static_cast<int>(n); ++i) factorial *= i;
    return portable::log(factorial) - (0.5 * portable::log(kTwoPi * n) + n * portable::log(n) - n);
  }
  const double nn = n * n;
  return (1.0 / 12 - (1.0 / 360 - (1.0 / 1260 - (1.0 / 1680 - (1.0 / 1188) / nn) / nn) / nn) / nn) /
         n;
}

// x ln(x / m) + m - x, without cancellation when x is near m.
double deviance(double x, double m) noexcept {
  const double d = x - m;
  if (std::abs(d) >= 0.1 * (x + m)) return x * portable::log(x / m) + m - x;
  const double v = d / (x + m);
  double sum = d * v;
  double term = 2 * x * v;
  for (int j = 1; j < 40; ++j) {
    term *= v * v;
    sum += term / (2 * j + 1);
  }
  return sum;
}

// P(X = k)
double point(double k, double n, double p) noexcept {
  if (k == 0) return portable::exp(std::max(-701.0, n * portable::log(1 - p)));
  if (k == n) return portable::exp(std::max(-701.0, n * portable::log(p)));
  const double exponent = stirling_error(n) - stirling_error(k) - stirling_error(n - k) -
                          deviance(k, n * p) - deviance(n - k, n * (1 - p));
  return std::sqrt(n / (kTwoPi * k * (n - k))) * portable::exp(std::max(-701.0, exponent));
}

}  // namespace

double binomial_tail(int64_t bad, int64_t n, double p) noexcept {
  NINES_ASSERT(bad >= 0 && bad <= n && p > 0 && p < 1);
  if (bad == 0) return 1;
  const auto dn = static_cast<double>(n);
  const double odds = p / (1 - p);
  // Terms fall from here outwards, faster than a geometric series.
  const bool upper = static_cast<double>(bad) > dn * p;
  auto k = static_cast<double>(upper ? bad : bad - 1);
  double term = point(k, dn, p);
  double sum = 0;
  while (term > sum * 1e-17) {
    sum += term;
    if (upper) {
      term *= (dn - k) / (k + 1) * odds;
      ++k;
    } else {
      term *= k / ((dn - k + 1) * odds);
      --k;
    }
  }
  return std::min(1.0, upper ? sum : 1 - sum);
}

}  // namespace nines::slo
