#include "nines/slo/forecast.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "nines/base/contract.hpp"
#include "nines/slo/burn.hpp"
#include "projection.hpp"

namespace nines::slo {
namespace {

constexpr int64_t kDayS = 86400;

Confidence confidence_of(const Line& line, size_t min_points) {
  const double scatter = line.mean > 0 ? line.residual / line.mean : 0;
  if (line.n >= 2 * min_points && (line.r2 >= 0.8 || scatter <= 0.25)) return Confidence::high;
  const bool spread = line.bad == 0 || 2 * line.spread_over >= static_cast<double>(min_points);
  if (line.n >= min_points && (line.r2 >= 0.5 || spread)) return Confidence::medium;
  return Confidence::low;
}

// Slots until the least squares line through `consumed` at the ends of the last slots reaches 1.
std::optional<double> regression(const Past& past, size_t most, size_t min_points) {
  const size_t n = std::min(most, past.slots.size() - past.window_slots + 1);
  if (n < std::max<size_t>(min_points, 2)) return std::nullopt;
  ForecastSlot sum = window_sum(past, 0);
  double mean_x = 0, mean_y = 0, xy = 0, xx = 0;
  std::vector<double> y(n);
  const size_t end = past.slots.size();
  for (size_t back = 0; back < n; ++back) {
    y[back] = consumed_of(sum, past);
    mean_y += y[back] / static_cast<double>(n);
    mean_x -= static_cast<double>(back) / static_cast<double>(n);
    if (back + 1 == n) break;
    sum += past.slots[end - back - 1 - past.window_slots];
    sum -= past.slots[end - back - 1];
  }
  for (size_t back = 0; back < n; ++back) {
    const double dx = -static_cast<double>(back) - mean_x;
    xy += dx * (y[back] - mean_y);
    xx += dx * dx;
  }
  const double slope = xy / xx;
  if (slope <= 0) return std::nullopt;
  return std::max(0.0, (1 - (mean_y - slope * mean_x)) / slope);
}

std::string hours_text(double hours) {
  char text[48];
  const int n = hours >= 48 ? std::snprintf(text, sizeof text, "%.1f days", hours / 24)
                            : std::snprintf(text, sizeof text, "%.1f hours", hours);
  return {text, static_cast<size_t>(n)};
}

std::string interval_text(const Forecast& f) {
  const std::string from = hours_text(f.earliest_hours.value_or(*f.time_to_exhaustion_hours));
  if (!f.latest_hours) return " (80 %: from " + from + " on, or not at all)";
  const std::string to = hours_text(*f.latest_hours);
  return from == to ? "" : " (80 %: " + from + " to " + to + ")";
}

std::string message_of(const Forecast& f, const ForecastPolicy& policy, bool calendar,
                       bool enough) {
  if (f.time_to_exhaustion_hours == 0.0) return "The error budget is exhausted.";
  if (!enough) {
    return "Not enough data for a forecast: " + std::to_string(f.data_points_used) + " of " +
           std::to_string(policy.min_points) + " points.";
  }
  const std::string basis = (f.method == ForecastMethod::seasonal
                                 ? " at the present burn rate and the usual week's course ("
                                 : " at the present burn rate (") +
                            std::string(trend_name(f.burn_rate_trend)) + ")";
  if (!f.time_to_exhaustion_hours) {
    return "The error budget lasts for the next " + format_duration_s(policy.horizon_s) +
           (calendar ? " or to the end of its window" : "") + basis + ".";
  }
  return "The error budget will be exhausted in " + hours_text(*f.time_to_exhaustion_hours) +
         interval_text(f) + basis +
         (calendar ? "." : ", counting what leaves the window until then.");
}

}  // namespace

std::string_view method_name(ForecastMethod method) noexcept {
  return method == ForecastMethod::seasonal ? "seasonal+expiry" : "regression+expiry";
}

std::string_view trend_name(Trend trend) noexcept {
  static constexpr std::string_view kNames[] = {"decreasing", "stable", "increasing"};
  return kNames[static_cast<size_t>(trend)];
}

std::string_view confidence_name(Confidence confidence) noexcept {
  static constexpr std::string_view kNames[] = {"low", "medium", "high"};
  return kNames[static_cast<size_t>(confidence)];
}

ForecastPolicy default_forecast(int64_t window_s) {
  ForecastPolicy policy;
  policy.history_s = window_s >= kDayS ? kDayS : std::max<int64_t>(window_s / 2, 12 * 60);
  policy.horizon_s = std::min(window_s, 92 * kDayS);
  policy.warn_within_s = window_s / 30;
  policy.warn_calm_s = std::clamp<int64_t>(window_s / 720, 60, 3600);
  return policy;
}

std::vector<size_t> course_leads_in_slots(size_t window_slots, int64_t step_s) {
  const auto window_s = static_cast<int64_t>(window_slots) * step_s;
  std::vector<size_t> leads;
  for (const int64_t days : {1, 3, 7}) {
    const int64_t lead_s = window_s >= kDayS ? days * kDayS : window_s * days / 30;
    leads.push_back(static_cast<size_t>(std::max<int64_t>(1, lead_s / step_s)));
    if (leads.size() > 1 && leads.back() <= leads[leads.size() - 2]) leads.pop_back();
  }
  return leads;
}

Forecast forecast(const ForecastInput& in, const ForecastPolicy& policy, const Season* season) {
  NINES_ASSERT(in.window_slots > 0 && in.window_slots <= in.slots.size() && in.step_s > 0);
  const Decimal budget = *budget_of(in.target);
  const Past past = past_of(in, budget.to_double());
  const auto most = static_cast<size_t>(policy.history_s / in.step_s);
  if (in.step_s != 3600) season = nullptr;
  const Line line = fit(past, most, season);

  Forecast f;
  f.made_at = in.end;
  f.method = season != nullptr ? ForecastMethod::seasonal : ForecastMethod::regression;
  f.data_points_used = line.n;
  f.bad_in_points = line.bad / in.scale;
  f.burn_rate_trend = line.trend;
  f.confidence = confidence_of(line, policy.min_points);
  const Ratio now = spent_of(window_sum(past, 0), in.reserve);
  const double step_hours = static_cast<double>(in.step_s) / 3600;
  const bool enough = line.n >= policy.min_points && line.n > 0;
  const auto in_hours = [&](const std::optional<double>& slots) {
    return slots ? std::optional<double>(*slots * step_hours) : std::nullopt;
  };
  Course course;
  if (enough) {
    const auto leads = course_leads_in_slots(in.window_slots, in.step_s);
    course = project(past, line, season, static_cast<size_t>(policy.horizon_s / in.step_s), leads);
    f.course = std::move(course.at);
    f.burn = std::max(0.0, line.at(0));
  }
  if (now.total > 0 && compare_burn(now, budget, {1, 0}) >= 0) {
    f.time_to_exhaustion_hours = 0;
  } else if (enough) {
    const double consumed = burn_rate(now, budget).value_or(0);
    if (*f.burn > 0) {
      f.naive_hours = (1 - consumed) / *f.burn * static_cast<double>(in.window_slots) * step_hours;
    }
    f.regression_hours = in_hours(regression(past, most, policy.min_points));
    f.time_to_exhaustion_hours = in_hours(course.exhausted);
    f.earliest_hours = in_hours(course.earliest);
    f.latest_hours = in_hours(course.latest);
  }
  if (f.time_to_exhaustion_hours) {
    // Whole seconds: more would claim what no forecast knows.
    f.projected_exhaustion_time = WallTime::from_s(
        in.end.seconds() + static_cast<int64_t>(*f.time_to_exhaustion_hours * 3600));
  }
  f.message = message_of(f, policy, in.slots_until_reset != 0, enough);
  return f;
}

}  // namespace nines::slo
