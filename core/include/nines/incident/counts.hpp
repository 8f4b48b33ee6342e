// Counts: whether so many of something are more, or fewer, than usual. Numbers that are small are
// judged by the exact tail of the Poisson distribution, others by the log likelihood ratio G2
// (Dunning 1993); both are given as a chi2 with one degree of freedom, so that they compare with
// the evidence of RequestFlow and Usage. Pure functions, no allocation.
#pragma once

#include <cstdint>

namespace nines::incident {

// Natural logarithms of P(X >= seen) and P(X <= seen) for X ~ Poisson(expected); relative error of
// the probabilities below 1e-9 for counts up to a million. REQUIRES expected >= 0, finite.
double log_poisson_at_least(uint64_t seen, double expected) noexcept;
double log_poisson_at_most(uint64_t seen, double expected) noexcept;

// 2 (seen ln(seen / expected) - seen + expected). REQUIRES expected > 0.
double g2_count(double seen, double expected) noexcept;

// P(chi2 with one degree of freedom >= x), and the x that has log_p as the logarithm of it.
double chi2_tail(double x) noexcept;
double chi2_of_log_tail(double log_p) noexcept;

// What G2 is trusted from; below it the exact tail is taken.
inline constexpr double kExactBelow = 5;

// About chi2 with one degree of freedom while nothing has changed; above zero where more were seen
// than expected, below zero where fewer were.
double count_score(uint64_t seen, double expected) noexcept;

}  // namespace nines::incident
