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

ForecastSlot slot_of_sums(const Sums& s, bool tells_coverage) {
  const bool empty = s.good <= 0 && s.bad <= 0;
  return {std::max<int64_t>(s.good, 0), std::max<int64_t>(s.bad, 0),
          tells_coverage && empty && s.covered_s == 0};
}

// `n` slots of `step_s` that end at end_s, a multiple of the tier's slot.
std::vector<ForecastSlot> gather(const SloCounts& counts, size_t tier, int64_t end_s,
                                 int64_t step_s, size_t n) {
  std::vector<ForecastSlot> slots;
  slots.reserve(n);
  for (size_t i = 0; i < n; ++i) {
    const int64_t from_s = end_s - static_cast<int64_t>(n - i) * step_s;
    slots.push_back(slot_of_sums(counts.sum(tier, from_s, from_s + step_s), counts.has_coverage()));
  }
  return slots;
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

History history_of(const SloCounts& counts, const SloSpec& spec, int64_t end_s) {
  History out;
  out.input.step_s = step_of(spec);
  out.input.target = spec.target;
  out.input.window_slots =
      static_cast<size_t>((spec.window_s + out.input.step_s - 1) / out.input.step_s);
  const bool hourly = out.input.step_s == kHourS;
  const int64_t end = floor_div(end_s, out.input.step_s) * out.input.step_s;
  out.input.end = WallTime::from_s(end);
  out.input.slots = gather(counts, hourly ? kHourTier : kMinuteTier, end, out.input.step_s,
                           static_cast<size_t>(hourly ? kKeptHours : kKeptMinutes));
  auto& slots = out.input.slots;
  const auto first =
      std::find_if(slots.begin(), slots.end(), [](const ForecastSlot& s) { return s.total() > 0; });
  out.whole = first != slots.begin();
  slots.erase(slots.begin(), first);
  return out;
}

// Which projection to use, once an hour.
void Foresight::learn(const SloCounts& counts, int64_t end_s) {
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

Forecast Foresight::look(const SloCounts& counts, int64_t end_s,
                         const ForecastPolicy& policy) const {
  ForecastInput in;
  in.step_s = step_of(spec_);
  in.target = spec_.target;
  // Slots end on the tier's own grid, at most one of its slots before the watermark.
  const size_t tier = tier_for(std::max(spec_.window_s, policy.history_s));
  const int64_t grid = kTier[tier].slot_s;
  const int64_t end = floor_div(end_s, grid) * grid;
  in.end = WallTime::from_s(end);
  in.window_slots = static_cast<size_t>((spec_.window_s + in.step_s - 1) / in.step_s);
  // As long as the regression of `consumed` looks back, if it is kept.
  const auto kept = static_cast<size_t>(kTier[tier].span_s / in.step_s);
  const auto points = static_cast<size_t>(policy.history_s / in.step_s);
  const size_t n = std::max({in.window_slots, points, std::min(in.window_slots + points, kept)});
  in.slots = gather(counts, tier, end, in.step_s, n);
  return forecast(in, policy, season_ ? &*season_ : nullptr);
}

void Foresight::update(const SloCounts& counts, int64_t end_s, bool frozen, SloStatus& status,
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
                           since_, std::move(summary), 0});
  };
  const std::string used = percent_text(status.error_budget_consumed) + " of the " +
                           format_duration_s(spec_.window_s) + " budget is used.";
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
  to.push_back({spec_.name, kRule, warning_, 0, since_, last_resolved_, calm_since_});
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
