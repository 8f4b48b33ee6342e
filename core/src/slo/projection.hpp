// The two halves of a forecast: a line through the burn of the last slots, and the replay of the
// window under it. Definitions: forecast.hpp.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "nines/slo/burn.hpp"
#include "nines/slo/forecast.hpp"

namespace nines::slo {

// The known past as of some origin: a view, so that a back-test can look from many.
struct Past {
  std::span<const ForecastSlot> slots;  // oldest first, the last one ends at end_s
  size_t window_slots = 0;
  int64_t step_s = 3600;
  int64_t end_s = 0;
  double budget = 0;  // 1 - target
  size_t slots_until_reset = 0;
  Decimal reserve{0, 0};
  std::span<const uint8_t> reserved_ahead;

  // Cell of the season k slots after end_s (negative: before), by the slot's middle.
  size_t cell(int64_t k) const noexcept;
};
Past past_of(const ForecastInput& input, double budget);

struct Line {
  size_t n = 0;
  int64_t bad = 0;
  double spread_over = 0;      // slots that the bad events came from: (sum bad)^2 / sum bad^2
  double mean = 0, slope = 0;  // burn; per slot, 0 unless significant
  double mean_x = 0, xx = 0;   // slots relative to the end; weighted squares
  double r2 = 0, residual = 0, spread = 1;  // spread: widening by correlation, of the variance
  double reach = 0;                         // slots from the oldest point to the end
  double traffic = 0;                       // events per slot; with a season: per usual event
  Trend trend = Trend::stable;

  double at(double x) const noexcept { return mean + slope * (x - mean_x); }
  double error_at(double x) const noexcept;  // standard error of the line
};
Line fit(const Past& past, size_t points, const Season* season);

struct Course {
  std::optional<double> exhausted, earliest, latest;  // slots from the end
  std::vector<CoursePoint> at;                        // of the leads asked for
};
// `leads` ascending. Stops at `horizon` slots and at the end of a calendar window.
Course project(const Past& past, const Line& line, const Season* season, size_t horizon,
               std::span<const size_t> leads);

// What a window's sums have spent of the budget, as WindowCounts::spent().
Ratio spent_of(const ForecastSlot& sum, Decimal reserve);
// The same as a share of the budget; an empty window has spent nothing.
double consumed_of(const ForecastSlot& sum, const Past& past);

// Sums of the window that ends `back` slots before the end.
ForecastSlot window_sum(const Past& past, size_t back);

// Whether the season told the last week better than the flat line: the summed error of the bad
// events 6, 24 and 72 hours ahead, from origins six hours apart. The season of each origin is
// learned from what was known then.
bool season_was_better(const Past& past, size_t points);

}  // namespace nines::slo
