// Forecast of a rolling error budget. A rolling budget is refunded when old errors leave its
// window, so remaining / burn (and a bare regression) is wrong by days. Here the known past is
// replayed: slot by slot (an hour; a minute for windows below a day) the oldest leaves the window
// and a projected one enters.
//
//   points      slots of the last history_s before `end` with events; y = bad/total/(1-target)
//   fit         least squares line over the points. It is followed for as long as the points reach
//               back, then held: extrapolating a slope of one day for a month invents outages.
//   projection  each slot to come gets the mean traffic of the points and the fitted burn (>= 0;
//               bad <= total); exhaustion is where consumed = bad/total/(1-target) over the window
//               first reaches 1, interpolated within the slot; none within horizon_s, or fewer
//               points than min_points = null.
//   trend       increasing / decreasing when the line changes by more than 10 % of the mean burn
//   over
//               the points and by more than twice its standard error; else stable.
//   confidence  by points n, the share of variance explained R2, and the scatter s = residual
//               standard deviation / mean burn: high n >= 2 min_points and (R2 >= 0.8 or s <=
//               0.25); medium n >= min_points and (R2 >= 0.5 or s <= 1); else low.
// Display only: nothing is decided by it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "nines/base/decimal.hpp"
#include "nines/base/time.hpp"

namespace nines::slo {

struct ForecastPolicy {
  int64_t history_s = 24 * 3600;
  size_t min_points = 12;
  int64_t horizon_s = 30 * 86400;
};

enum class Trend : uint8_t { decreasing, stable, increasing };
enum class Confidence : uint8_t { low, medium, high };
std::string_view trend_name(Trend) noexcept;
std::string_view confidence_name(Confidence) noexcept;

struct Forecast {
  std::optional<double> time_to_exhaustion_hours;  // 0 when the budget is exhausted already
  std::optional<WallTime> projected_exhaustion_time;
  std::optional<double>
      regression_hours;  // without expiry: remaining / fitted burn; for comparison
  Trend burn_rate_trend = Trend::stable;
  Confidence confidence = Confidence::low;
  std::string message;
  size_t data_points_used = 0;
};

struct ForecastSlot {
  int64_t good = 0, bad = 0;
};

struct ForecastInput {
  std::vector<ForecastSlot> slots;  // oldest first, the last one ends at `end`
  size_t window_slots = 0;          // how many of them (from the newest) are the SLO window
  int64_t step_s = 3600;            // length of a slot
  Decimal target;
  WallTime end{};
};

// REQUIRES 0 < window_slots <= slots.size(), a target that SloEngine::add takes.
Forecast forecast(const ForecastInput& input, const ForecastPolicy& policy);

}  // namespace nines::slo
