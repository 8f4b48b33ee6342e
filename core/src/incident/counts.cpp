#include "nines/incident/counts.hpp"

#include <algorithm>
#include <cmath>

namespace nines::incident {
namespace {

constexpr double kLn2 = 0.69314718055994530942;
constexpr double kHalfLnPi = 0.57236494292470008707;
constexpr double kHalfLn2Pi = 0.91893853320467274178;
constexpr double kSmallest = -1e6;  // logarithm of what is as good as impossible

// Stirling's series from 16 on (its error is below 1e-14 there). std::lgamma writes to a global.
double log_factorial(uint64_t n) noexcept {
  if (n < 16) {
    double product = 1;
    for (uint64_t i = 2; i <= n; ++i) product *= static_cast<double>(i);
    return std::log(product);
  }
  const auto x = static_cast<double>(n);
  const double r = 1 / x, r2 = r * r;
  const double rest = r * (1.0 / 12 - r2 * (1.0 / 360 - r2 * (1.0 / 1260 - r2 / 1680)));
  return (x + 0.5) * std::log(x) - x + kHalfLn2Pi + rest;
}

double log_mass(uint64_t seen, double expected) noexcept {
  return static_cast<double>(seen) * std::log(expected) - expected - log_factorial(seen);
}

// Sum of P(X = seen + i) / P(X = seen) over i >= 0. REQUIRES seen > expected.
double rising(uint64_t seen, double expected) noexcept {
  double sum = 1, term = 1;
  for (uint64_t i = seen + 1; term > sum * 1e-17; ++i) {
    term *= expected / static_cast<double>(i);
    sum += term;
  }
  return sum;
}

// The same downwards. REQUIRES seen <= expected.
double falling(uint64_t seen, double expected) noexcept {
  double sum = 1, term = 1;
  for (uint64_t i = seen; i > 0 && term > sum * 1e-17; --i) {
    term *= static_cast<double>(i) / expected;
    sum += term;
  }
  return sum;
}

// log(1 - exp(log_p)).
double log_complement(double log_p) noexcept {
  if (log_p >= 0) return kSmallest;
  return log_p > -kLn2 ? std::log(-std::expm1(log_p)) : std::log1p(-std::exp(log_p));
}

// log(erfc(z)), z >= 0; by its asymptotic series where erfc would be no normal number.
double log_erfc(double z) noexcept {
  if (z < 20) return std::log(std::erfc(z));
  const double r = 1 / (2 * z * z);
  return -z * z - std::log(z) - kHalfLnPi + std::log1p(-r + 3 * r * r - 15 * r * r * r);
}

}  // namespace

double log_poisson_at_least(uint64_t seen, double expected) noexcept {
  if (seen == 0) return 0;
  if (expected <= 0) return kSmallest;
  if (static_cast<double>(seen) > expected) {
    return std::min(0.0, log_mass(seen, expected) + std::log(rising(seen, expected)));
  }
  return log_complement(log_poisson_at_most(seen - 1, expected));
}

double log_poisson_at_most(uint64_t seen, double expected) noexcept {
  if (expected <= 0) return 0;
  if (static_cast<double>(seen) <= expected) {
    return std::min(0.0, log_mass(seen, expected) + std::log(falling(seen, expected)));
  }
  return log_complement(log_poisson_at_least(seen + 1, expected));
}

double g2_count(double seen, double expected) noexcept {
  const double part = seen > 0 ? seen * std::log(seen / expected) : 0;
  return std::max(0.0, 2 * (part - seen + expected));
}

double chi2_tail(double x) noexcept { return x <= 0 ? 1 : std::erfc(std::sqrt(x / 2)); }

// erfc(z) <= exp(-z^2), so that x <= -2 log_p; bisection down to a billionth of that.
double chi2_of_log_tail(double log_p) noexcept {
  if (log_p >= 0) return 0;
  double low = 0, high = -2 * log_p;
  for (int i = 0; i < 40; ++i) {
    const double middle = (low + high) / 2;
    (log_erfc(std::sqrt(middle / 2)) > log_p ? low : high) = middle;
  }
  return (low + high) / 2;
}

double count_score(uint64_t seen, double expected) noexcept {
  const bool more = static_cast<double>(seen) > expected;
  if (expected >= kExactBelow) {
    const double g2 = g2_count(static_cast<double>(seen), expected);
    return more ? g2 : -g2;
  }
  const double log_p =
      more ? log_poisson_at_least(seen, expected) : log_poisson_at_most(seen, expected);
  const double score = chi2_of_log_tail(std::min(0.0, log_p + kLn2));
  return more ? score : -score;
}

}  // namespace nines::incident
