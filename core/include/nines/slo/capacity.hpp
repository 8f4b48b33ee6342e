// Capacity: how long CPU, memory and disks of the node still last. Keeps the highest value of each
// day (UTC) for 90 days of each vital, and asks when a line through them reaches a threshold.
//
//   value       mean of five minutes (the rule of thumb is "scale above 80 % for 5 minutes"), as a
//               share of what there is
//   line        Theil-Sen: the median of the slopes between all pairs of days, through the median
//               of what is left; one day of madness does not bend it. Needs 14 days.
//   interval    80 % of the slope, from the same slopes by Kendall's variance (ties not corrected)
//   thresholds  cpu    watch 70 %, scale 80 %, critical 90 %
//               memory watch 80 %, scale 85 %, critical 95 %
//               disk   watch 85 %, scale 85 %, critical 95 %
//   days_to_x   0 when the newest day is at or above x already; null when the line does not reach
//   it
//               within 3 years
//   state       of the newest day: ok, watch, scale, critical; growing: the interval is above zero
// Fixed size, no clock, no I/O. Not thread-safe.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "nines/base/result.hpp"
#include "nines/base/time.hpp"

namespace nines::slo {

struct CapacityLevels {
  double watch, scale, critical;
};
// Of "cpu", "memory" or a disk ("disk_root").
CapacityLevels capacity_levels(std::string_view vital) noexcept;

enum class CapacityState : uint8_t { ok, watch, scale, critical };
std::string_view capacity_state_name(CapacityState) noexcept;  // ok watch scale critical

struct CapacityForecast {
  std::string vital;
  CapacityLevels levels{};
  size_t days = 0;  // with a value, of the last 90
  std::optional<double> newest, highest;
  WallTime newest_day{};  // its start
  CapacityState state = CapacityState::ok;
  // Of the line; null with fewer than 14 days.
  std::optional<double> growth_per_day, growth_low, growth_high;
  std::optional<double> in_30_days, in_90_days;
  std::optional<double> days_to_scale, days_to_critical;
  // The critical threshold at the steep end of the interval, and at the flat one (null: never).
  std::optional<double> days_to_critical_earliest, days_to_critical_latest;
  bool growing = false;
  std::string message;  // one sentence
};

class DailyMaxima {
 public:
  static constexpr size_t kDays = 90;

  // `day` = days since 1970. Of one that has left the ring: ignored.
  void add(int64_t day, double share) noexcept;
  std::optional<double> at(int64_t day) const noexcept;
  std::optional<int64_t> newest() const noexcept {
    return any_ ? std::optional(newest_) : std::nullopt;
  }

  // "1 DAY v,v,,v": the newest day, then 1/10000 from the oldest day on; empty: no value.
  std::string save() const;
  // invalid_argument: not of that shape; nothing is changed then.
  Status restore(std::string_view text);

 private:
  static constexpr uint16_t kNone = UINT16_MAX;
  size_t place(int64_t day) const noexcept;

  std::array<uint16_t, kDays> share_{};
  int64_t newest_ = 0;
  bool any_ = false;
};

CapacityForecast forecast_capacity(std::string_view vital, const DailyMaxima& maxima);

// The vitals of one node: takes samples, makes means of five minutes of them, keeps daily maxima.
class Capacity {
 public:
  static constexpr size_t kMaxVitals = 8;
  static constexpr int64_t kMeanS = 300;

  // A sample of one vital, as a share. False: there are too many vitals already.
  bool add(std::string_view vital, double share, WallTime at);

  struct Kept {
    std::string vital, text;
  };
  // What has changed since the last call, to be kept over a restart.
  std::vector<Kept> take_changes();
  // false: damaged, or too many.
  bool restore(const Kept& kept);

  std::vector<CapacityForecast> forecasts() const;

 private:
  struct Vital {
    std::string name;
    DailyMaxima maxima;
    int64_t span = INT64_MIN;  // five minutes being averaged
    double sum = 0;
    int64_t samples = 0;
    bool changed = false;
  };
  Vital* find(std::string_view name);
  std::vector<Vital> vitals_;
};

}  // namespace nines::slo
