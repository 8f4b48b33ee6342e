// Forecast of an error budget. A rolling budget is refunded when old errors leave its window, so
// remaining / burn and a bare regression are wrong by days. Here the known past is replayed: slot
// by slot (an hour; a minute for windows below a day) the oldest leaves the window and a projected
// one enters.
//
//   points      slots of the last history_s before `end` with events; y = bad/total/(1-target)
//   fit         least squares line over the points, weighted by their events (so that its mean is
//               the burn of the history, no average of ratios). Where it changes significantly (see
//               trend) it is followed for as long as the points reach back, then held:
//               extrapolating a slope of one day for a month invents outages. Else its mean is
//               used.
//   season      with the usual week given (season.hpp) y is divided by the shape of its hour, and
//               each slot to come gets the traffic and the shape of its own.
//   projection  each slot to come gets the traffic (the mean of the points; with a season that of
//               its hour, scaled to the level of the points) and the fitted burn (>= 0; bad <=
//               total); exhaustion is where consumed = bad/total/(1-target) over the window first
//               reaches 1, interpolated within the slot; none within horizon_s, or fewer points
//               than min_points = null. In a calendar window nothing leaves, and it ends with the
//               window.
//   interval    80 %: the same with the sum of all bad events to come moved by 1.28 standard
//   errors,
//               from the residuals s of the fit: of the line (all slots alike) and of the slots
//               (each its own), both widened by the residuals' lag-1 correlation.
//   trend       increasing / decreasing when the line changes by more than 10 % of the mean burn
//               over the points and by more than four times its standard error; else stable.
//   confidence  by points n, the share of variance explained R2, scatter = s / mean burn, and over
//   how
//               many slots the bad events are spread, (sum bad)^2 / sum bad^2 (one outage: 1): high
//               n >= 2 min_points and (R2 >= 0.8 or scatter <= 0.25); medium n >= min_points and
//               (R2 >= 0.5 or spread over min_points / 2 slots, or no bad event); else low.
//   for comparison, both without expiry: naive_hours = remaining / burn; regression_hours = where
//   the
//               least squares line through `consumed` at the ends of the last slots reaches 1.
// Budgets counted in time are forecast in slices instead of events. Exclusions are taken out. Bad
// events in reserved times tell nothing of the burn; while the window touches such a time, past or
// to come, the share set aside for them is charged as engine.hpp says. Uses only + - * / and sqrt
// of doubles: the same bits on x86 and ARM. Decides nothing but the early warning (foresight
// below).
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "nines/base/decimal.hpp"
#include "nines/base/time.hpp"
#include "nines/slo/season.hpp"

namespace nines::slo {

enum class ForecastMethod : uint8_t { regression, seasonal };
enum class Trend : uint8_t { decreasing, stable, increasing };
enum class Confidence : uint8_t { low, medium, high };
std::string_view method_name(ForecastMethod) noexcept;  // regression+expiry, seasonal+expiry
std::string_view trend_name(Trend) noexcept;
std::string_view confidence_name(Confidence) noexcept;

struct ForecastPolicy {
  int64_t history_s = 24 * 3600;
  size_t min_points = 12;
  int64_t horizon_s = 30 * 86400;
  // Which projection: the one that was better lately, or always one (seasonal: once there are two
  // weeks). Windows below a day have no season.
  enum class Use : uint8_t { better, regression, seasonal } use = Use::better;
  // Early warning, told as alert rule "forecast": enters when the budget is not yet exhausted, is
  // forecast to be within warn_within_s and, at the favourable end of the interval, within the
  // horizon, with at least medium confidence and warn_min_bad bad events among the points.
  // Leaves when the budget is exhausted (others tell that), or when for warn_calm_s in a row it was
  // forecast to last for twice warn_within_s. 0: no warning.
  int64_t warn_within_s = 0;
  int64_t warn_calm_s = 3600;
  int64_t warn_min_bad = 10;
  std::string warn_severity = "ticket";  // never the pager
  friend bool operator==(const ForecastPolicy&, const ForecastPolicy&) = default;
};
// history 24h, 12 points, horizon = the window, warning at window / 30 (24h of 30d). Windows below
// a day: half the window as history. Horizons are at most 92 days.
ForecastPolicy default_forecast(int64_t window_s);

struct CoursePoint {
  int64_t after_s = 0;
  double consumed = 0, low = 0, high = 0;  // share of the budget; 80 % interval
};

struct Forecast {
  std::optional<double> time_to_exhaustion_hours;  // 0 when the budget is exhausted already
  std::optional<WallTime> projected_exhaustion_time;
  std::optional<double> earliest_hours,
      latest_hours;  // 80 % interval; null: not within the horizon
  std::optional<double> naive_hours, regression_hours;
  std::optional<double> burn;  // fitted, at `made_at`
  ForecastMethod method = ForecastMethod::regression;
  Trend burn_rate_trend = Trend::stable;
  Confidence confidence = Confidence::low;
  std::string message;
  size_t data_points_used = 0;
  int64_t bad_in_points = 0;
  std::vector<CoursePoint> course;  // empty without enough points
  WallTime made_at{};               // end of the known past; 0: never made
  bool warning = false;             // the early warning is up
  WallTime warning_since{};
  std::string warning_severity;  // empty: there is no early warning
};

struct ForecastInput {
  std::vector<ForecastSlot> slots;  // oldest first, the last one ends at `end`
  size_t window_slots = 0;          // how many of them (from the newest) are the SLO window
  int64_t step_s = 3600;            // length of a slot
  Decimal target;
  WallTime end{};
  // A calendar window: slots until it ends; 0: rolling.
  size_t slots_until_reset = 0;
  int64_t scale = 1;  // good and bad are in units of 1 / scale (RatioTimeslices)
  // Of all events, set aside for reserved times: the reserved share of the budget * (1 - target).
  Decimal reserve{0, 0};
  std::vector<uint8_t> reserved_ahead;  // of the slots to come: 1 = touches a reserved time
};

// REQUIRES 0 < window_slots <= slots.size(), a target that SloEngine::add takes. `season` (may be
// null) is used only with slots of an hour.
Forecast forecast(const ForecastInput& input, const ForecastPolicy& policy,
                  const Season* season = nullptr);

// How far ahead a forecast is told and tested: 1 d, 3 d, 7 d; for windows below a day the window's
// 1/30, 1/10 and 7/30.
std::vector<size_t> course_leads_in_slots(size_t window_slots, int64_t step_s);

}  // namespace nines::slo
