#include "projection.hpp"

#include <algorithm>
#include <cmath>

#include "ring.hpp"

namespace nines::slo {
namespace {

constexpr double kZ = 1.2815515655446004;  // 80 % of a normal distribution lie within +- this
// Of a slope, in its standard errors. Two would be usual, but the day's own rise and fall passes
// for a trend then, and forecasts made an hour apart contradict each other.
constexpr double kFollow = 4;
constexpr int64_t kHourS = 3600;

struct Point {
  double x, y, weight;
};

// The last points, x = 0 at the end, -1 a slot earlier.
std::vector<Point> points_of(const Past& past, size_t most, const Season* season, Line& line) {
  std::vector<Point> points;
  double events = 0, usual = 0, squares = 0;
  const size_t n = past.slots.size();
  for (size_t i = n - std::min(n, most); i < n; ++i) {
    const ForecastSlot& slot = past.slots[i];
    if (slot.gap) continue;
    const auto total = static_cast<double>(slot.total());
    const int64_t k = static_cast<int64_t>(i) - static_cast<int64_t>(n);
    double shape = 1;
    if (season != nullptr) {
      const size_t cell = past.cell(k);
      shape = season->shape(cell);
      usual += season->traffic(cell);
    } else {
      usual += 1;
    }
    events += total;
    if (slot.total() <= 0) continue;
    line.bad += slot.bad;
    squares += static_cast<double>(slot.bad) * static_cast<double>(slot.bad);
    points.push_back({static_cast<double>(k) + 0.5,
                      static_cast<double>(slot.bad) / total / past.budget / shape, total * shape});
  }
  line.traffic = usual > 0 ? events / usual : 0;
  const auto bad = static_cast<double>(line.bad);
  line.spread_over = squares > 0 ? bad * bad / squares : 0;
  return points;
}

void judge_residuals(const std::vector<Point>& points, double slope, Line& line) {
  double left = 0, lagged = 0, before = 0, weight = 0, yy = 0;
  for (const Point& p : points) {
    const double r = p.y - line.mean - slope * (p.x - line.mean_x);
    left += p.weight * r * r;
    yy += p.weight * (p.y - line.mean) * (p.y - line.mean);
    lagged += p.weight * r * before;
    before = r;
    weight += p.weight;
  }
  const auto n = static_cast<double>(points.size());
  line.r2 = yy > 0 ? 1 - left / yy : 1;
  if (points.size() <= 2) return;
  line.residual = std::sqrt(left / weight * n / (n - 2));
  const double correlation = left > 0 ? std::clamp(lagged / left, 0.0, 0.8) : 0;
  line.spread = (1 + correlation) / (1 - correlation);
}

}  // namespace

size_t Past::cell(int64_t k) const noexcept {
  return Season::cell_of(floor_div(end_s + k * step_s + step_s / 2, kHourS));
}

Past past_of(const ForecastInput& in, double budget) {
  return {in.slots, in.window_slots,      in.step_s,  in.end.seconds(),
          budget,   in.slots_until_reset, in.reserve, in.reserved_ahead};
}

double Line::error_at(double x) const noexcept {
  if (n <= 2) return 0;
  const double lever = slope != 0 && xx > 0 ? (x - mean_x) * (x - mean_x) / xx : 0;
  return residual * std::sqrt(spread * (1 / static_cast<double>(n) + lever));
}

Line fit(const Past& past, size_t most, const Season* season) {
  Line line;
  const std::vector<Point> points = points_of(past, most, season, line);
  line.n = points.size();
  if (points.empty()) return line;
  double weight = 0, wx = 0, wy = 0;
  for (const Point& p : points) {
    weight += p.weight;
    wx += p.weight * p.x;
    wy += p.weight * p.y;
  }
  line.mean_x = wx / weight;
  line.mean = wy / weight;
  double xx = 0, xy = 0;
  for (const Point& p : points) {
    xx += p.weight * (p.x - line.mean_x) * (p.x - line.mean_x);
    xy += p.weight * (p.x - line.mean_x) * (p.y - line.mean);
  }
  const double slope = xx > 0 ? xy / xx : 0;
  line.xx = xx * static_cast<double>(line.n) / weight;  // as if all weights were 1
  line.reach = -points.front().x;
  judge_residuals(points, slope, line);
  const double change = slope * line.reach;
  const double slope_error = line.xx > 0 ? line.residual * std::sqrt(line.spread / line.xx) : 0;
  const bool real =
      std::abs(change) > 0.1 * line.mean && std::abs(slope) > kFollow * slope_error && line.n > 2;
  if (!real) return line;
  line.slope = slope;
  line.trend = change > 0 ? Trend::increasing : Trend::decreasing;
  return line;
}

ForecastSlot window_sum(const Past& past, size_t back) {
  ForecastSlot sum;
  const size_t end = past.slots.size() - back;
  for (size_t i = end - past.window_slots; i < end; ++i) sum += past.slots[i];
  return sum;
}

Ratio spent_of(const ForecastSlot& sum, Decimal reserve) {
  const int64_t all = sum.all();
  const int64_t held = sum.touching > 0 ? share_of(reserve, all) : 0;
  return {std::min(sum.bad + std::max(held, sum.reserved), all), all};
}

double consumed_of(const ForecastSlot& sum, const Past& past) {
  const Ratio spent = spent_of(sum, past.reserve);
  if (spent.total <= 0) return 0;
  return static_cast<double>(spent.bad) / static_cast<double>(spent.total) / past.budget;
}

namespace {

// What enters the window in one slot to come.
struct Coming {
  double total = 0, bad = 0;
  double of_line = 0;    // standard error of `bad` by the line
  double of_slot = 0;    // variance of `bad` by itself
  int64_t touching = 0;  // a reserved time
};

// The window on its way: what has entered it and has not left.
struct Sum {
  explicit Sum(const ForecastSlot& now)
      : total(static_cast<double>(now.all())),
        bad(static_cast<double>(now.bad)),
        reserved(static_cast<double>(now.reserved)),
        touching(now.touching) {}
  void enter(const Coming& c) { add(c, 1); }
  void leave(const Coming& c) { add(c, -1); }
  void leave(const ForecastSlot& slot) {
    total -= static_cast<double>(slot.all());
    bad -= static_cast<double>(slot.bad);
    reserved -= static_cast<double>(slot.reserved);
    touching -= slot.touching;
  }
  // With `share` of all events set aside, as spent_of().
  double spent(double share) const {
    return bad + (touching > 0 ? std::max(share * total, reserved) : 0);
  }
  double off() const { return kZ * std::sqrt(of_line * of_line + std::max(0.0, of_slot)); }

  double total, bad, reserved;
  int64_t touching;
  double of_line = 0, of_slot = 0;

 private:
  void add(const Coming& c, int sign) {
    total += sign * c.total;
    bad += sign * c.bad;
    of_line += sign * c.of_line;
    of_slot += sign * c.of_slot;
    touching += sign * c.touching;
  }
};

Coming coming(const Past& past, const Line& line, const Season* season, size_t step) {
  const double x = std::min(static_cast<double>(step) + 0.5, line.reach);
  double shape = 1, traffic = line.traffic;
  if (season != nullptr) {
    const size_t cell = past.cell(static_cast<int64_t>(step));
    shape = season->shape(cell);
    traffic *= season->traffic(cell);
  }
  Coming c;
  const double unit = traffic * shape * past.budget;  // bad events at a burn of 1
  c.total = traffic;
  c.bad = std::min(std::max(0.0, line.at(x)) * unit, traffic);
  c.of_line = unit * line.error_at(x);
  // The fewer events in a slot, the more it scatters: the residual is that of a mean slot.
  c.of_slot = line.traffic > 0 ? unit * line.residual * unit * line.residual * line.spread : 0;
  c.touching = step < past.reserved_ahead.size() ? past.reserved_ahead[step] : 0;
  return c;
}

// Follows one edge of the interval, or the middle, to where nothing is left.
struct Edge {
  std::optional<double> at;
  double spare = 0;
  void step(size_t n, double spare_now) {
    if (!at && spare_now <= 0) {
      const double used = spare - spare_now;
      at = static_cast<double>(n) + (used > 0 ? std::clamp(spare / used, 0.0, 1.0) : 0);
    }
    spare = spare_now;
  }
};

}  // namespace

Course project(const Past& past, const Line& line, const Season* season, size_t horizon,
               std::span<const size_t> leads) {
  const size_t oldest = past.slots.size() - past.window_slots;
  const double share = past.reserve.to_double();
  Sum sum(window_sum(past, 0));
  if (past.slots_until_reset != 0) horizon = std::min(horizon, past.slots_until_reset);
  const size_t last = std::max(horizon, leads.empty() ? size_t{0} : leads.back());
  std::vector<Coming> future;  // they leave in turn when the horizon is longer than the window
  Edge middle{{}, past.budget * sum.total - sum.spent(share)}, early = middle, late = middle;
  Course course;
  size_t lead = 0;
  for (size_t step = 0; step < last; ++step) {
    future.push_back(coming(past, line, season, step));
    sum.enter(future.back());
    if (past.slots_until_reset == 0 && step < past.window_slots) {
      sum.leave(past.slots[oldest + step]);
    } else if (past.slots_until_reset == 0) {
      sum.leave(future[step - past.window_slots]);
    }
    const double bad = sum.spent(share);
    const double off = sum.off();
    const double allowed = past.budget * sum.total;
    if (step < horizon && bad > 0) {
      middle.step(step, allowed - bad);
      early.step(step, allowed - bad - off);
      late.step(step, allowed - bad + off);
    }
    if (lead < leads.size() && leads[lead] == step + 1) {
      ++lead;
      const double unit = allowed > 0 ? 1 / allowed : 0;
      const int64_t ahead_s = static_cast<int64_t>(step + 1) * past.step_s;
      const double least = std::max(bad - sum.bad, bad - off);
      course.at.push_back({ahead_s, bad * unit, least * unit, (bad + off) * unit});
    }
    if (late.at && lead == leads.size()) break;
  }
  course.exhausted = middle.at;
  course.earliest = early.at;
  course.latest = late.at;
  return course;
}

namespace {

double actual_bad(std::span<const ForecastSlot> slots, size_t from, size_t n) {
  double bad = 0;
  for (size_t i = from; i < from + n; ++i) bad += static_cast<double>(slots[i].bad);
  return bad;
}

// Bad events to come in the first 6, 24 and 72 slots, as far as `known` reaches; the summed error.
double error_of(const Past& past, std::span<const ForecastSlot> known, size_t points,
                const Season* season) {
  const Line line = fit(past, points, season);
  double error = 0, bad = 0;
  for (size_t step = 0; step < std::min<size_t>(72, known.size()); ++step) {
    bad += coming(past, line, season, step).bad;
    if (step + 1 == 6 || step + 1 == 24 || step + 1 == 72) {
      error += std::abs(bad - actual_bad(known, 0, step + 1));
    }
  }
  return error;
}

}  // namespace

bool season_was_better(const Past& past, size_t points) {
  constexpr size_t kEvery = 6, kBack = Season::kCells;
  const size_t n = past.slots.size();
  if (n < Season::kMinHours + kBack / 2) return false;
  double flat = 0, seasonal = 0;
  size_t origins = 0;
  for (size_t back = kEvery; back <= kBack; back += kEvery) {
    if (n < back + Season::kMinHours) break;
    Past then = past;
    then.slots = past.slots.first(n - back);
    then.end_s = past.end_s - static_cast<int64_t>(back) * past.step_s;
    const int64_t first_hour =
        floor_div(then.end_s, kHourS) - static_cast<int64_t>(then.slots.size());
    const auto season = Season::learn(then.slots, first_hour);
    if (!season) continue;
    flat += error_of(then, past.slots.subspan(n - back), points, nullptr);
    seasonal += error_of(then, past.slots.subspan(n - back), points, &*season);
    ++origins;
  }
  return origins > 0 && seasonal < flat;
}

}  // namespace nines::slo
