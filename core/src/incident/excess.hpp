// Excess: whether a share is another one now, measured by how it wavers when all is well.
#pragma once

#include <algorithm>
#include <cmath>

namespace nines::incident {

// Sums over minutes of a baseline; a minute has `hits` of `of`. All may be decayed.
struct ShareBaseline {
  double hits = 0, of = 0;
  double squares = 0;  // of hits^2 / of
  double minutes = 0;  // with of > 0

  void add(double h, double n) noexcept {
    hits += h;
    of += n;
    squares += h * h / n;
    minutes += 1;
  }
};

// Log likelihood ratio of two shares being one (Dunning 1993); 0 when either is of nothing.
inline double g2(double a, double n, double b, double m) noexcept {
  if (n <= 0 || m <= 0) return 0;
  const double share = (a + b) / (n + m);
  const auto part = [](double seen, double expected) {
    return seen > 0 && expected > 0 ? seen * std::log(seen / expected) : 0.0;
  };
  return 2 * (part(a, n * share) + part(n - a, n * (1 - share)) + part(b, m * share) +
              part(m - b, m * (1 - share)));
}

// Pearson's chi2 of the minutes over their degrees of freedom, at least 1. A baseline of few
// minutes is taken to waver by one half more than chance would have it, as two minutes would tell.
inline double overdispersion(const ShareBaseline& base) noexcept {
  constexpr double kPrior = 1.5, kPriorMinutes = 2;
  const double p = (base.hits + 0.25) / (base.of + 0.5);
  const double chi2 = (base.squares - 2 * p * base.hits + p * p * base.of) / (p * (1 - p));
  return std::max(1.0, (std::max(0.0, chi2) + kPrior * kPriorMinutes) /
                           (std::max(0.0, base.minutes - 1) + kPriorMinutes));
}

// About chi2 with one degree of freedom while nothing has changed.
inline double excess(double hits, double of, const ShareBaseline& base) noexcept {
  return g2(hits, of, base.hits, base.of) / overdispersion(base);
}

}  // namespace nines::incident
