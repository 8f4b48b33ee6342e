#include "nines/incident/usage.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

namespace nines::incident {
namespace {

constexpr size_t kLeastBefore = 3;
constexpr double kNormalMad = 1.4826;  // of a normal distribution: sigma / MAD
constexpr double kNormalP95 = 1.6449;  // and its 95 % point in sigmas
constexpr double kLeastShare = 0.05;   // of the median: what is always so even may vary a little
constexpr double kLessThanChi2 = 4;    // usage is no normal distribution: its z counts half

double quantile(const std::vector<double>& sorted, double q) {
  return sorted[static_cast<size_t>(q * static_cast<double>(sorted.size() - 1))];
}

}  // namespace

void Usage::add(WallTime at, double value) noexcept {
  samples_[count_ % kSamples] = {at, value};
  ++count_;
}

std::optional<UsageFinding> Usage::finding(WallTime since, WallTime until) const {
  std::vector<double> before;
  double now = -INFINITY;
  for (size_t i = 0; i < std::min(count_, kSamples); ++i) {
    if (samples_[i].at >= since) now = std::max(now, samples_[i].value);
    if (samples_[i].at < until) before.push_back(samples_[i].value);
  }
  if (before.size() < kLeastBefore || std::isinf(now)) return std::nullopt;
  std::sort(before.begin(), before.end());
  const double median = quantile(before, 0.5), high = quantile(before, 0.95);
  std::vector<double> apart;
  for (const double value : before) apart.push_back(std::abs(value - median));
  std::sort(apart.begin(), apart.end());
  const double spread = std::max({kNormalMad * quantile(apart, 0.5), (high - median) / kNormalP95,
                                  kLeastShare * std::abs(median), least_});
  const double z = (now - median) / spread;
  if (z <= 0) return std::nullopt;
  return UsageFinding{z * z / kLessThanChi2, now, median, high};
}

}  // namespace nines::incident
