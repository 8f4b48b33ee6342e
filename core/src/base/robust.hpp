// Median and MAD: what is usual and how far it wavers, unmoved by outliers.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <vector>

namespace nines {

inline constexpr double kMadOfNormal = 0.6745;  // MAD of a normal distribution / its sigma

// Mean of the two in the middle when their number is even. REQUIRES some; reorders them.
inline double median(std::vector<double>& values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  if (values.size() % 2 != 0) return *middle;
  return (*middle + *std::max_element(values.begin(), middle)) / 2;
}

// Median of the distances from `centre`. REQUIRES some; leaves the distances.
inline double mad(std::vector<double>& values, double centre) {
  for (double& value : values) value = std::fabs(value - centre);
  return median(values);
}

// How far x lies from the centre in robust standard deviations. A baseline without spread: the
// change as a share of it, of at least one, times ten.
inline double robust_score(double x, double centre, double spread) noexcept {
  constexpr double kRateWeight = 10;
  if (spread > 0) return kMadOfNormal * (x - centre) / spread;
  return kRateWeight * (x - centre) / std::max(std::fabs(centre), 1.0);
}

}  // namespace nines
