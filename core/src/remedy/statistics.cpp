#include "nines/remedy/statistics.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "nines/slo/binomial.hpp"

namespace nines::remedy {
namespace {

constexpr double kInvSqrt2Pi = 0.39894228040143267794;

double density(double z) noexcept { return kInvSqrt2Pi * slo::portable::exp(-z * z / 2); }

// Sum of z^(2n+1) / (1 3 5 ... (2n+1)).
double odd_series(double z) noexcept {
  double term = z, sum = z;
  for (int n = 3; term > sum * 1e-18; n += 2) {
    term *= z * z / n;
    sum += term;
  }
  return sum;
}

double fraction(double z) noexcept {
  double tail = z;
  for (int n = 150; n > 0; --n) tail = z + n / tail;
  return tail;
}

double log_part(double seen, double expected) noexcept {
  return seen > 0 ? seen * slo::portable::log(seen / expected) : 0;
}

}  // namespace

double normal_tail(double z) noexcept {
  if (z < 0) return 1 - normal_tail(-z);
  if (z < 3) return z > 0 ? 0.5 - density(z) * odd_series(z) : 0.5;
  return density(z) / fraction(z);
}

double chi2_tail(double x) noexcept { return x > 0 ? 2 * normal_tail(std::sqrt(x)) : 1; }

Interval wilson(uint64_t good, uint64_t n, double z) noexcept {
  if (n == 0) return {0, 1};
  const auto k = static_cast<double>(good), total = static_cast<double>(n);
  const double zz = z * z, share = k / total;
  const double middle = (k + zz / 2) / (total + zz);
  const double half = z / (total + zz) * std::sqrt(total * share * (1 - share) + zz / 4);
  return {good == 0 ? 0 : middle - half, good == n ? 1 : middle + half};
}

double odds_ratio(const Table& t) noexcept {
  const double up = static_cast<double>(t.good) * static_cast<double>(t.other_bad);
  const double down = static_cast<double>(t.bad) * static_cast<double>(t.other_good);
  if (down > 0) return up / down;
  constexpr auto kLimits = std::numeric_limits<double>();
  return up > 0 ? kLimits.infinity() : kLimits.quiet_NaN();
}

double g2(const Table& t) noexcept {
  const auto a = static_cast<double>(t.good), b = static_cast<double>(t.bad);
  const auto c = static_cast<double>(t.other_good), d = static_cast<double>(t.other_bad);
  const double n = a + b + c + d;
  if (n <= 0) return 0;
  const double sum = log_part(a, (a + b) * (a + c) / n) + log_part(b, (a + b) * (b + d) / n) +
                     log_part(c, (c + d) * (a + c) / n) + log_part(d, (c + d) * (b + d) / n);
  return std::max(0.0, 2 * sum);
}

std::vector<double> benjamini_hochberg(std::span<const double> p) {
  std::vector<size_t> order(p.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::sort(order.begin(), order.end(),
            [&](size_t x, size_t y) { return p[x] != p[y] ? p[x] < p[y] : x < y; });
  std::vector<double> out(p.size());
  double least = 1;
  for (size_t i = order.size(); i > 0; --i) {
    const double factor = static_cast<double>(p.size()) / static_cast<double>(i);
    least = std::min(least, p[order[i - 1]] * factor);
    out[order[i - 1]] = least;
  }
  return out;
}

}  // namespace nines::remedy
