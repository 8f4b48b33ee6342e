// P(X >= bad) for X ~ Binomial(n, p), for the low-traffic guard of the alerts. Saddle-point form of
// C. Loader ("Fast and Accurate Computation of Binomial Probabilities", 2000), about 12 digits.
// Uses only + - * / and sqrt of IEEE doubles (own logarithm and exponential, no contraction): every
// step is correctly rounded everywhere, so the result has the same bits on x86 and ARM.
#pragma once

#include <cstdint>

namespace nines::slo {

// REQUIRES 0 <= bad <= n, 0 < p < 1. Costs some standard deviations of X in steps at worst.
double binomial_tail(int64_t bad, int64_t n, double p) noexcept;

namespace portable {
double log(double x) noexcept;  // REQUIRES x > 0, finite, normal
double exp(double x) noexcept;  // REQUIRES x <= 700; 0 below -700
}  // namespace portable

}  // namespace nines::slo
