#include "nines/slo/forecast.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "nines/base/contract.hpp"
#include "nines/slo/burn.hpp"

namespace nines::slo {
namespace {

struct Line {
  size_t n = 0;
  double mean = 0, slope = 0, at_end = 0;  // burn; per slot; at x = 0 (the end)
  double r2 = 0, residual = 0, slope_error = 0;
  double reach = 0;    // slots from the oldest point to the end
  double traffic = 0;  // events per slot with events
};

struct Point {
  double x, y;
};

// The last points of the input, x = 0 at the end, -1 a slot earlier.
std::vector<Point> points_of(const ForecastInput& in, size_t most, Decimal budget,
                             double& traffic) {
  std::vector<Point> points;
  double events = 0;
  const size_t n = in.slots.size();
  for (size_t i = n - std::min(n, most); i < n; ++i) {
    const ForecastSlot& slot = in.slots[i];
    const int64_t total = slot.good + slot.bad;
    if (total <= 0) continue;
    points.push_back({static_cast<double>(i) + 0.5 - static_cast<double>(n),
                      *burn_rate({slot.bad, total}, budget)});
    events += static_cast<double>(total);
  }
  if (!points.empty()) traffic = events / static_cast<double>(std::min(n, most));
  return points;
}

Line fit(const std::vector<Point>& points) {
  Line line;
  line.n = points.size();
  if (points.empty()) return line;
  const auto n = static_cast<double>(points.size());
  double mean_x = 0;
  for (const Point& p : points) {
    mean_x += p.x / n;
    line.mean += p.y / n;
  }
  double xx = 0, xy = 0, yy = 0;
  for (const Point& p : points) {
    xx += (p.x - mean_x) * (p.x - mean_x);
    xy += (p.x - mean_x) * (p.y - line.mean);
    yy += (p.y - line.mean) * (p.y - line.mean);
  }
  line.slope = xx > 0 ? xy / xx : 0;
  line.at_end = line.mean - line.slope * mean_x;
  line.reach = -points.front().x;
  const double left_over = std::max(0.0, yy - line.slope * xy);
  line.r2 = yy > 0 ? 1 - left_over / yy : 1;
  if (points.size() > 2) {
    line.residual = std::sqrt(left_over / (n - 2));
    line.slope_error = xx > 0 ? line.residual / std::sqrt(xx) : 0;
  }
  return line;
}

Trend trend_of(const Line& line) {
  const double change = line.slope * line.reach;
  const bool real = std::abs(change) > 0.1 * line.mean &&
                    std::abs(line.slope) > 2 * line.slope_error && line.n > 2;
  if (!real) return Trend::stable;
  return change > 0 ? Trend::increasing : Trend::decreasing;
}

Confidence confidence_of(const Line& line, size_t min_points) {
  const double scatter = line.mean > 0 ? line.residual / line.mean : 0;
  if (line.n >= 2 * min_points && (line.r2 >= 0.8 || scatter <= 0.25)) return Confidence::high;
  if (line.n >= min_points && (line.r2 >= 0.5 || scatter <= 1)) return Confidence::medium;
  return Confidence::low;
}

// Slots until consumed reaches 1; nullopt when it does not within `horizon` slots.
std::optional<double> project(const ForecastInput& in, const Line& line, double budget,
                              size_t horizon) {
  double bad = 0, total = 0;
  const size_t oldest = in.slots.size() - in.window_slots;
  for (size_t i = oldest; i < in.slots.size(); ++i) {
    bad += static_cast<double>(in.slots[i].bad);
    total += static_cast<double>(in.slots[i].good + in.slots[i].bad);
  }
  std::vector<double> future_bad;  // they leave in turn when the horizon is longer than the window
  double spare = budget * total - bad;
  for (size_t step = 0; step < horizon; ++step) {
    const double x = std::min(static_cast<double>(step) + 0.5, line.reach);
    const double burn = std::max(0.0, line.at_end + line.slope * x);
    future_bad.push_back(std::min(burn * budget, 1.0) * line.traffic);
    const bool known = step < in.window_slots;
    const ForecastSlot leaving = known ? in.slots[oldest + step] : ForecastSlot{};
    bad += future_bad[step] -
           (known ? static_cast<double>(leaving.bad) : future_bad[step - in.window_slots]);
    total +=
        line.traffic - (known ? static_cast<double>(leaving.good + leaving.bad) : line.traffic);
    const double spare_now = budget * total - bad;
    if (spare_now <= 0 && bad > 0) {
      return static_cast<double>(step) + spare / std::max(spare - spare_now, 1e-300);
    }
    spare = spare_now;
  }
  return std::nullopt;
}

std::string hours_text(double hours) {
  char text[48];
  const int n = hours >= 48 ? std::snprintf(text, sizeof text, "%.1f days", hours / 24)
                            : std::snprintf(text, sizeof text, "%.1f hours", hours);
  return {text, static_cast<size_t>(n)};
}

std::string message_of(const Forecast& f, const ForecastPolicy& policy, bool enough) {
  if (f.time_to_exhaustion_hours == 0.0) return "The error budget is exhausted.";
  if (!enough) {
    return "Not enough data for a forecast: " + std::to_string(f.data_points_used) + " of " +
           std::to_string(policy.min_points) + " points.";
  }
  const std::string trend(trend_name(f.burn_rate_trend));
  if (!f.time_to_exhaustion_hours) {
    return "The error budget lasts for the next " + format_duration_s(policy.horizon_s) +
           " at the present burn rate (" + trend + ").";
  }
  return "The error budget will be exhausted in " + hours_text(*f.time_to_exhaustion_hours) +
         " at the present burn rate (" + trend + "), counting what leaves the window until then.";
}

}  // namespace

std::string_view trend_name(Trend trend) noexcept {
  static constexpr std::string_view kNames[] = {"decreasing", "stable", "increasing"};
  return kNames[static_cast<size_t>(trend)];
}

std::string_view confidence_name(Confidence confidence) noexcept {
  static constexpr std::string_view kNames[] = {"low", "medium", "high"};
  return kNames[static_cast<size_t>(confidence)];
}

Forecast forecast(const ForecastInput& in, const ForecastPolicy& policy) {
  NINES_ASSERT(in.window_slots > 0 && in.window_slots <= in.slots.size() && in.step_s > 0);
  const Decimal exact_budget = *budget_of(in.target);
  const double budget = exact_budget.to_double();
  double traffic = 0;
  const auto most = static_cast<size_t>(policy.history_s / in.step_s);
  Line line = fit(points_of(in, most, exact_budget, traffic));
  line.traffic = traffic;

  Forecast f;
  f.data_points_used = line.n;
  f.burn_rate_trend = trend_of(line);
  f.confidence = confidence_of(line, policy.min_points);
  int64_t bad = 0, total = 0;
  for (size_t i = in.slots.size() - in.window_slots; i < in.slots.size(); ++i) {
    bad += in.slots[i].bad;
    total += in.slots[i].good + in.slots[i].bad;
  }
  const bool enough = line.n >= policy.min_points && line.n > 0;
  const double step_hours = static_cast<double>(in.step_s) / 3600;
  if (total > 0 && compare_burn({bad, total}, exact_budget, {1, 0}) >= 0) {
    f.time_to_exhaustion_hours = 0;
  } else if (enough) {
    const double consumed = burn_rate({bad, total}, exact_budget).value_or(0);
    const double burn = std::max(0.0, line.at_end);
    if (burn > 0)
      f.regression_hours =
          (1 - consumed) / burn * static_cast<double>(in.window_slots) * step_hours;
    const auto horizon = static_cast<size_t>(policy.horizon_s / in.step_s);
    if (const auto slots = project(in, line, budget, horizon)) {
      f.time_to_exhaustion_hours = *slots * step_hours;
    }
  }
  if (f.time_to_exhaustion_hours) {
    f.projected_exhaustion_time =
        WallTime{in.end.ns + static_cast<int64_t>(*f.time_to_exhaustion_hours * 3600e9)};
  }
  f.message = message_of(f, policy, enough);
  return f;
}

}  // namespace nines::slo
