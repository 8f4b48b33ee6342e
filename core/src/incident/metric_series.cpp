#include "nines/incident/metric_series.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

#include "base/robust.hpp"

namespace nines::incident {

void MetricSeries::add(WallTime at, double value) noexcept {
  if (!std::isfinite(value) || (count_ > 0 && at <= point(size() - 1).at)) return;
  points_[count_ % kPoints] = {at, static_cast<float>(value)};
  ++count_;
}

const MetricSeries::Point& MetricSeries::point(size_t i) const noexcept {
  return points_[(count_ - size() + i) % kPoints];
}

std::optional<SeriesAnomaly> MetricSeries::look() const {
  const size_t n = size();
  if (n < kFewest) return std::nullopt;
  std::vector<double> before;
  for (size_t i = 0; i + 1 < n; ++i) before.push_back(point(i).value);
  SeriesAnomaly out;
  out.points = n;
  out.value = point(n - 1).value;
  out.usual = median(before);
  out.robust_z = robust_score(out.value, out.usual, mad(before, out.usual));
  out.jumped = std::fabs(out.robust_z) > kJump;
  if (n >= kFewestForDrift) look_for_drift(out);
  return out;
}

void MetricSeries::look_for_drift(SeriesAnomaly& out) const {
  const size_t n = size();
  std::vector<double> older;
  for (size_t i = 0; i < n / 2; ++i) older.push_back(point(i).value);
  const double centre = median(older);
  const double spread = mad(older, centre);
  double up = 0, down = 0;
  WallTime up_since{}, down_since{};
  for (size_t i = n / 2; i < n; ++i) {
    const double z = std::clamp(robust_score(point(i).value, centre, spread), -kMostZ, kMostZ);
    if (up == 0) up_since = point(i).at;
    if (down == 0) down_since = point(i).at;
    up = std::max(0.0, up + z - kSlack);
    down = std::max(0.0, down - z - kSlack);
  }
  out.drift = up >= down ? up : -down;
  out.drifts = std::max(up, down) > kDrift;
  if (out.drifts) out.drift_since = up >= down ? up_since : down_since;
}

}  // namespace nines::incident
