#include "foresight.hpp"

#include <algorithm>
#include <cstdio>

#include "projection.hpp"

namespace nines::slo {
namespace {

constexpr int64_t kHourS = 3600, kDayS = 86400;
constexpr size_t kHourTier = 3, kMinuteTier = 1;
constexpr int64_t kKeptHours = 92 * 24, kKeptMinutes = 3 * 24 * 60;

int64_t step_of(const SloSpec& spec) { return spec.window_s >= kDayS ? kHourS : 60; }

// `n` slots of `step_s` that end at end_s, a multiple of the tier's slot. Nothing of before
// `not_before` is in the first `of_window` from the newest: a calendar period begins anywhere.
struct Wanted {
  size_t tier;
  int64_t end_s, step_s;
  size_t n;
  size_t of_window = 0;
  int64_t not_before = INT64_MIN;
};
std::vector<ForecastSlot> gather(SloCounts& counts, const Wanted& wanted) {
  std::vector<ForecastSlot> slots;
  slots.reserve(wanted.n);
  for (size_t left = wanted.n; left > 0; --left) {
    int64_t from_s = wanted.end_s - static_cast<int64_t>(left) * wanted.step_s;
    const int64_t to_s = from_s + wanted.step_s;
    if (left == wanted.of_window) from_s = std::clamp(wanted.not_before, from_s, to_s);
    const WindowCounts w = counts.stretch(wanted.tier, from_s, to_s, wanted.end_s);
    ForecastSlot slot{w.good, w.bad, false, w.reserved_bad};
    slot.gap = counts.has_coverage() && slot.all() == 0 && w.covered_s == 0;
    slot.touching = counts.touches_reserved(from_s, to_s) ? 1 : 0;
    slots.push_back(slot);
  }
  return slots;
}

int64_t scale_of(const SloSpec& spec) {
  return spec.budgeting == Budgeting::ratio_timeslices ? SliceCounts::kOne : 1;
}

int64_t grid_s(const SloSpec& spec, const ForecastPolicy& policy) {
  return kTier[tier_for(std::max(spec.window_s, policy.history_s))].slot_s;
}

std::string hours_text(double hours) {
  char text[32];
  const int n = std::snprintf(text, sizeof text, "%.1f h", hours);
  return {text, static_cast<size_t>(n)};
}

std::string percent_text(const std::optional<double>& share) {
  char text[32];
  const int n = std::snprintf(text, sizeof text, "%.1f %%", 100 * share.value_or(0));
  return {text, static_cast<size_t>(n)};
}

bool worth_a_warning(const Forecast& f, const ForecastPolicy& policy) {
  const double within = static_cast<double>(policy.warn_within_s) / kHourS;
  return f.time_to_exhaustion_hours && *f.time_to_exhaustion_hours > 0 &&
         *f.time_to_exhaustion_hours <= within && f.latest_hours &&
         f.confidence != Confidence::low && f.bad_in_points >= policy.warn_min_bad;
}

// Exhausted is told by others; then there is nothing left to warn of.
bool is_exhausted(const Forecast& f) { return f.time_to_exhaustion_hours == 0.0; }

bool lasts(const Forecast& f, const ForecastPolicy& policy) {
  const double twice = 2 * static_cast<double>(policy.warn_within_s) / kHourS;
  return !f.time_to_exhaustion_hours || *f.time_to_exhaustion_hours > twice;
}

}  // namespace

History history_of(SloCounts& counts, const SloSpec& spec, int64_t end_s) {
  History out;
  const int64_t step_s = step_of(spec);
  out.input.step_s = step_s;
  out.input.target = spec.target;
  out.input.scale = scale_of(spec);
  out.input.reserve = counts.reserve();
  out.input.window_slots = static_cast<size_t>((spec.window_s + step_s - 1) / step_s);
  const bool hourly = step_s == kHourS;
  const int64_t end = floor_div(end_s, step_s) * step_s;
  out.input.end = WallTime::from_s(end);
  out.input.slots = gather(counts, {hourly ? kHourTier : kMinuteTier, end, step_s,
                                    static_cast<size_t>(hourly ? kKeptHours : kKeptMinutes)});
  auto& slots = out.input.slots;
  const auto first =
      std::find_if(slots.begin(), slots.end(), [](const ForecastSlot& s) { return s.all() > 0; });
  // Slices are not kept as long as events: what is missing there was not empty.
  const int64_t from_s = end - static_cast<int64_t>(slots.size()) * step_s;
  const Sums before = counts.sum(hourly ? kHourTier : kMinuteTier, from_s,
                                 from_s + (first - slots.begin()) * step_s);
  out.whole = first != slots.begin() && before.good <= 0 && before.bad <= 0;
  slots.erase(slots.begin(), first);
  return out;
}

// Which projection to use, once an hour.
void Foresight::learn(SloCounts& counts, int64_t end_s) {
  const int64_t hour = floor_div(end_s, kHourS);
  if (hour == season_hour_ || step_of(spec_) != kHourS) return;
  season_hour_ = hour;
  season_.reset();
  if (spec_.forecast.use == ForecastPolicy::Use::regression) return;
  const History history = history_of(counts, spec_, end_s);
  Past past = past_of(history.input, 1 - spec_.target.to_double());
  const auto points = static_cast<size_t>(spec_.forecast.history_s / kHourS);
  if (spec_.forecast.use == ForecastPolicy::Use::better && !season_was_better(past, points)) return;
  season_ =
      Season::learn(history.input.slots, hour - static_cast<int64_t>(history.input.slots.size()));
}

Forecast Foresight::look(SloCounts& counts, int64_t end_s, const ForecastPolicy& policy) const {
  ForecastInput in;
  in.step_s = step_of(spec_);
  in.target = spec_.target;
  in.scale = scale_of(spec_);
  // Slots end on the tier's own grid, at most one of its slots before the watermark.
  const size_t tier = tier_for(std::max(spec_.window_s, policy.history_s));
  const int64_t grid = kTier[tier].slot_s;
  const auto on_grid = [&](int64_t s) { return floor_div(s, grid) * grid; };
  const int64_t end = on_grid(end_s);
  in.end = WallTime::from_s(end);
  const auto slots_in = [&](int64_t s) {
    return static_cast<size_t>(std::max<int64_t>(1, (s + in.step_s - 1) / in.step_s));
  };
  in.window_slots = slots_in(spec_.window_s);
  Wanted wanted{tier, end, in.step_s, 0};
  if (const auto start_s = counts.period_start(end)) {
    wanted.not_before = on_grid(*start_s);
    in.window_slots = wanted.of_window = slots_in(end - wanted.not_before);
    const int64_t left_s = *counts.period_end(end) - end;
    in.slots_until_reset = static_cast<size_t>(std::max<int64_t>(1, left_s / in.step_s));
  }
  // As long as the regression of `consumed` looks back, if it is kept.
  const auto kept = static_cast<size_t>(kTier[tier].span_s / in.step_s);
  const auto points = static_cast<size_t>(policy.history_s / in.step_s);
  wanted.n = std::max({in.window_slots, points, std::min(in.window_slots + points, kept)});
  in.slots = gather(counts, wanted);
  in.reserve = counts.reserve();
  if (in.reserve.mantissa != 0) {
    const int64_t ahead_s = std::max(policy.horizon_s, 7 * kDayS);
    for (int64_t s = end; s < end + ahead_s; s += in.step_s) {
      in.reserved_ahead.push_back(counts.touches_reserved(s, s + in.step_s) ? 1 : 0);
    }
  }
  return forecast(in, policy, season_ ? &*season_ : nullptr);
}

void Foresight::update(SloCounts& counts, int64_t end_s, bool frozen, SloStatus& status,
                       std::vector<AlertEvent>& transitions) {
  if (!counts.ever()) return;
  const int64_t grid = std::max<int64_t>(60, grid_s(spec_, spec_.forecast));
  const int64_t due_s = floor_div(end_s, grid) * grid;
  if (due_s == made_s_) return;
  made_s_ = due_s;
  learn(counts, end_s);
  status.forecast = look(counts, end_s, spec_.forecast);
  const WallTime now = WallTime::from_s(end_s);
  if (spec_.forecast.warn_within_s > 0 && !frozen) {
    warn(status.forecast, now, status, transitions);
  }
  if (spec_.forecast.warn_within_s > 0) {
    status.forecast.warning_severity = spec_.forecast.warn_severity;
  }
  status.forecast.warning = warning_;
  status.forecast.warning_since = warning_ ? since_ : WallTime{};
}

void Foresight::warn(const Forecast& f, WallTime now, const SloStatus& status,
                     std::vector<AlertEvent>& transitions) {
  const ForecastPolicy& policy = spec_.forecast;
  const auto event = [&](AlertEvent::Kind kind, std::string summary) {
    transitions.push_back({kind, spec_.name, spec_.service, kRule, policy.warn_severity, now,
                           since_, std::move(summary), 0, 0,
                           priority_of(policy.warn_severity, spec_.tier)});
  };
  const std::string used = percent_text(status.error_budget_consumed) + " of the " +
                           status.window_name + " budget is used.";
  if (!warning_) {
    const bool cooling = last_resolved_ != WallTime{} && last_resolved_ <= now &&
                         now.ns - last_resolved_.ns < spec_.alerts.cooldown_s * kNsPerSecond;
    if (cooling || !worth_a_warning(f, policy)) return;
    warning_ = true;
    since_ = now;
    calm_since_ = {};
    event(AlertEvent::Kind::fired,
          spec_.name + " will have used up its error budget in about " +
              hours_text(*f.time_to_exhaustion_hours) +
              " if it goes on like this (80 %: " + hours_text(f.earliest_hours.value_or(0)) +
              " to " + hours_text(*f.latest_hours) + "; " + std::to_string(f.bad_in_points) +
              " events bad in " + format_duration_s(policy.history_s) + "); " + used);
    return;
  }
  if (is_exhausted(f)) {
    event(AlertEvent::Kind::resolved,
          spec_.name + " has come to what was forecast: the error budget is exhausted; " + used);
  } else {
    if (!lasts(f, policy)) {
      calm_since_ = {};
      return;
    }
    if (calm_since_ == WallTime{} || calm_since_ > now) calm_since_ = now;
    if (now.ns - calm_since_.ns < policy.warn_calm_s * kNsPerSecond) return;
    event(AlertEvent::Kind::resolved,
          spec_.name + " is no more forecast to use up its error budget soon; " + used);
  }
  warning_ = false;
  last_resolved_ = now;
}

void Foresight::save(std::vector<AlertMemory>& to) const {
  if (!warning_ && last_resolved_ == WallTime{}) return;
  const std::string& severity = spec_.forecast.warn_severity;
  to.push_back({spec_.name, kRule, warning_, 0, since_, last_resolved_, calm_since_, spec_.service,
                severity, priority_of(severity, spec_.tier)});
}

bool Foresight::restore(const AlertMemory& saved) {
  if (saved.rule != kRule || spec_.forecast.warn_within_s == 0) return false;
  warning_ = saved.firing;
  since_ = saved.since;
  last_resolved_ = saved.last_resolved;
  calm_since_ = saved.calm_at;
  return true;
}

}  // namespace nines::slo
