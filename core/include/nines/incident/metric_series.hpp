// MetricSeries: whether the newest point of a metric is out of the ordinary, and whether it drifts.
// Evidence beside an incident, never a reason to open one: on NAB these two find 85 % of what is
// wrong and 0.3 to 0.6 a day of what is not.
//
//   jump   0.6745 (x - median) / MAD over the up to 288 points (a day of five minutes); beyond 6
//   drift  CUSUM (Page 1954) of the newer half of the points against median and MAD of the older
//          half: S = max(0, S + z - 0.5), z cut at 4, beyond 12; both ways
//
// 4.5 KiB a series. Points come in the order of time, evenly spaced. Not thread-safe.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "nines/base/time.hpp"

namespace nines::incident {

struct SeriesAnomaly {
  double value = 0, usual = 0;  // newest, median of those before
  double robust_z = 0;          // of the newest
  bool jumped = false;
  double drift = 0;  // CUSUM in robust standard deviations; below zero: downwards
  bool drifts = false;
  WallTime drift_since{};  // since when, if it drifts
  size_t points = 0;
};

class MetricSeries {
 public:
  static constexpr size_t kPoints = 288;
  static constexpr size_t kFewest = 12, kFewestForDrift = 48;
  static constexpr double kJump = 6, kDrift = 12, kSlack = 0.5, kMostZ = 4;

  // Not a number, infinite, or not after the last one: left out.
  void add(WallTime at, double value) noexcept;
  // None: fewer than 12 points.
  std::optional<SeriesAnomaly> look() const;

 private:
  struct Point {
    WallTime at;
    float value = 0;
  };
  const Point& point(size_t i) const noexcept;  // 0: oldest
  size_t size() const noexcept { return count_ < kPoints ? count_ : kPoints; }
  void look_for_drift(SeriesAnomaly& out) const;

  std::array<Point, kPoints> points_{};
  size_t count_ = 0;  // ever added
};

}  // namespace nines::incident
