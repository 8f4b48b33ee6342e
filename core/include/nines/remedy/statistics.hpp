// Statistics of remediation: whether an action did any good, how sure that is, and how much faster
// it went. Small exact methods where counts are small, since an incident that happened ten times is
// already much to learn from.
//
// Pure functions, thread-safe. Everything that decides is made of + - * / and sqrt of IEEE doubles
// and the logarithm and exponential of slo/binomial.hpp, so nodes of different make agree to the
// last bit. Checked against scipy 1.10 and the published output of R (tests/unit/remedy).
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace nines::remedy {

inline constexpr double kZ95 = 1.959963984540054;  // 97.5 % quantile of the normal distribution

struct Interval {
  double low = 0, high = 1;
};

// P(Z >= z) of a standard normal Z; relative error below 1e-12 up to z = 37. Below z = 3 by the
// series of phi, from there by Laplace's continued fraction (Abramowitz and Stegun 26.2.11, .14).
double normal_tail(double z) noexcept;
// P(chi2 with one degree of freedom >= x).
double chi2_tail(double x) noexcept;

// Score interval of a share (E. B. Wilson, JASA 22, 1927). {0, 1} where n is 0.
Interval wilson(uint64_t good, uint64_t n, double z = kZ95) noexcept;

// How two groups fared.
struct Table {
  uint64_t good = 0, bad = 0;              // of those to whom it was done
  uint64_t other_good = 0, other_bad = 0;  // of the others
  friend bool operator==(const Table&, const Table&) = default;
};
// Of the sample: infinite where the divisor alone is 0, NaN where both are.
double odds_ratio(const Table& table) noexcept;
// R. A. Fisher's exact test, two-sided: the sum over all tables that are no likelier.
double fisher_two_sided(const Table& table);
// Log likelihood ratio (Dunning 1993): about chi2 with one degree of freedom.
double g2(const Table& table) noexcept;

// One effect over all strata, none of which is compared with another: severity does not confound.
struct MantelHaenszel {
  // Mantel and Haenszel 1959; interval by the variance of Robins, Breslow and Greenland 1986.
  // NaN: undefined; infinite where nobody fared the other way.
  double odds_ratio = 0;
  Interval odds{};
  // Difference of the shares of good outcomes, weighted n1 n0 / n (Greenland and Robins 1985);
  // interval by the variance of Sato, Greenland and Robins 1989. NaN: no stratum holds both.
  double risk_difference = 0;
  Interval risk{};
  double chi2 = 0;  // Cochran-Mantel-Haenszel with continuity correction
  double p_chi2 = 1;
  // Exact, given all margins: a convolution of hypergeometric distributions. Of as many good
  // outcomes or more; and of no likelier ones in either direction.
  double p_more = 1, p_two_sided = 1;
  // p_more with half of the mass at what was seen (H. O. Lancaster, JASA 56, 1961): the plain one
  // is far below its nominal level where counts are small.
  double p_more_mid = 1;
  size_t strata = 0;  // that hold both groups and both outcomes
};
// Costs the product of the groups' sizes; REQUIRES less than 2^20 in a stratum.
MantelHaenszel mantel_haenszel(std::span<const Table> strata);

// Adjusted p-values (Benjamini and Hochberg 1995), in the order given: taking those at or below q
// keeps the expected share of false ones at or below q.
std::vector<double> benjamini_hochberg(std::span<const double> p);

// Whether `a` tends to be larger than `b` (Mann and Whitney 1947).
struct MannWhitney {
  double u = 0;         // of `a`: pairs in which it is larger, ties are halves
  double p_normal = 1;  // two-sided, corrected for ties and continuity
  // Two-sided; where nothing is tied and there are at most kExactPairs pairs.
  std::optional<double> p_exact;
  double p() const noexcept { return p_exact.value_or(p_normal); }
};
inline constexpr size_t kExactPairs = 1000;
// An empty sample: u = 0, p = 1. REQUIRES finite values.
MannWhitney mann_whitney(std::span<const double> a, std::span<const double> b);

// By how much `a` is larger than `b`: the median of all differences (Hodges and Lehmann 1963), and
// the interval in which the test above would not refuse a shift (Hollander and Wolfe 1999, 4.3;
// exact up to kExactPairs, else normal and rounded outwards). n log n; no table of pairs.
struct Shift {
  double median = 0;    // NaN where a sample is empty
  Interval interval{};  // infinite where the samples are too small for such confidence
};
Shift hodges_lehmann(std::span<const double> a, std::span<const double> b);  // 95 %

}  // namespace nines::remedy
