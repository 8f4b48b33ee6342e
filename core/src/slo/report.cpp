#include "nines/slo/report.hpp"

#include <algorithm>

#include "nines/base/int128.hpp"
#include "nines/slo/burn.hpp"

namespace nines::slo {
namespace {

constexpr int64_t kHourS = 3600, kDayS = 86400, kWeekS = 7 * kDayS;
constexpr int64_t kFirstMondayS = 4 * kDayS;  // 1970-01-05
constexpr size_t kWorst = 5;

int64_t floor_to(int64_t t, int64_t step, int64_t origin = 0) {
  const int64_t rest = ((t - origin) % step + step) % step;
  return t - rest;
}

void add(WindowCounts& sum, const WindowCounts& w) {
  sum.good += w.good;
  sum.bad += w.bad;
  sum.covered_s += w.covered_s;
  sum.forgiven += w.forgiven;
  sum.excluded_s += w.excluded_s;
  sum.scale = w.scale;
}

bool met(const WindowCounts& w, Decimal budget) {
  return w.total() > 0 && compare_burn(w.spent(), budget, {1, 0}) <= 0;
}

// Hours summed to longer periods that start at multiples of `step` from `origin`.
std::vector<Period> gather(const std::vector<Period>& hours, int64_t step, int64_t origin,
                           Decimal budget) {
  std::vector<Period> out;
  for (const Period& hour : hours) {
    const WallTime start = WallTime::from_s(floor_to(hour.start.seconds(), step, origin));
    if (out.empty() || out.back().start != start) out.push_back({start, {}, false});
    add(out.back().counts, hour.counts);
  }
  for (Period& p : out) p.met = met(p.counts, budget);
  return out;
}

Compliance compliance_of(const std::vector<Period>& periods) {
  Compliance out;
  for (const Period& p : periods) {
    out.counted += p.counts.total() > 0;
    out.met += p.met;
  }
  return out;
}

std::vector<Period> worst_of(std::vector<Period> periods) {
  std::erase_if(periods, [](const Period& p) { return p.counts.bad == 0; });
  std::stable_sort(periods.begin(), periods.end(),
                   [](const auto& a, const auto& b) { return a.counts.bad > b.counts.bad; });
  if (periods.size() > kWorst) periods.resize(kWorst);
  return periods;
}

void add_event(const AlertEvent& event, std::vector<Incident>& out) {
  if (event.kind == AlertEvent::Kind::fired) {
    out.push_back({event.rule, event.severity, event.at, {}});
    return;
  }
  const auto open = std::find_if(out.rbegin(), out.rend(), [&](const Incident& i) {
    return i.rule == event.rule && i.resolved == WallTime{};
  });
  if (open != out.rend()) open->resolved = event.at;
}

std::optional<int64_t> mean_repair_s(const std::vector<Incident>& incidents) {
  int64_t sum = 0, n = 0;
  for (const Incident& i : incidents) {
    if (i.resolved == WallTime{}) continue;
    sum += i.resolved.seconds() - i.fired.seconds();
    ++n;
  }
  if (n == 0) return std::nullopt;
  return sum / n;
}

// From the end of one stretch of trouble to the beginning of the next.
std::optional<int64_t> mean_between_s(const std::vector<Incident>& incidents) {
  int64_t sum = 0, n = 0;
  std::optional<WallTime> end;
  for (const Incident& i : incidents) {
    if (end && i.fired > *end) {
      sum += i.fired.seconds() - end->seconds();
      ++n;
    }
    if (i.resolved == WallTime{}) break;
    end = std::max(end.value_or(i.resolved), i.resolved);
  }
  if (n == 0) return std::nullopt;
  return sum / n;
}

std::vector<FailureMode> modes_of(const std::vector<Incident>& incidents) {
  std::vector<FailureMode> out;
  for (const Incident& i : incidents) {
    auto mode = std::find_if(out.begin(), out.end(), [&](const FailureMode& m) {
      return m.rule == i.rule && m.severity == i.severity;
    });
    if (mode == out.end()) mode = out.insert(out.end(), {i.rule, i.severity, 0, 0, 0});
    ++mode->times;
    if (i.resolved == WallTime{}) {
      ++mode->open;
    } else {
      mode->total_s += i.resolved.seconds() - i.fired.seconds();
    }
  }
  std::stable_sort(out.begin(), out.end(),
                   [](const auto& a, const auto& b) { return a.times > b.times; });
  return out;
}

// floor(total * (1 - target))
int64_t allowed(int64_t total, Decimal budget) {
  Int128 product = Int128{total} * budget.mantissa;
  for (int e = budget.exponent; e < 0; ++e) product /= 10;
  return static_cast<int64_t>(product);
}

}  // namespace

std::optional<double> Compliance::share() const {
  if (counted == 0) return std::nullopt;
  return static_cast<double>(met) / static_cast<double>(counted);
}

Reliability reliability_of(const std::string& slo, const std::vector<AlertEvent>& events,
                           WallTime from, WallTime to) {
  std::vector<AlertEvent> own;
  for (const AlertEvent& event : events) {
    if (event.slo == slo) own.push_back(event);
  }
  std::stable_sort(own.begin(), own.end(),
                   [](const auto& a, const auto& b) { return a.at < b.at; });
  Reliability out;
  for (const AlertEvent& event : own) add_event(event, out.incidents);
  std::erase_if(out.incidents, [&](const Incident& i) { return i.fired < from || i.fired >= to; });
  out.modes = modes_of(out.incidents);
  out.mttr_s = mean_repair_s(out.incidents);
  out.mtbf_s = mean_between_s(out.incidents);
  return out;
}

SloReport report_of(const SloEngine& engine, uint32_t slo, const std::vector<AlertEvent>& events,
                    WallTime from, WallTime to) {
  const SloSpec& spec = engine.spec(slo);
  const Decimal budget = *budget_of(spec.target);
  SloReport out;
  out.slo = spec.name;
  out.service = spec.service;
  out.target = spec.target;
  out.window_s = spec.window_s;
  std::vector<Period> hours;
  for (int64_t t = floor_to(from.seconds(), kHourS); t < to.seconds(); t += kHourS) {
    const WindowCounts counts = engine.window(slo, WallTime::from_s(t + kHourS), kHourS);
    hours.push_back({WallTime::from_s(t), counts, met(counts, budget)});
    add(out.counts, counts);
  }
  out.counts.start = from;
  out.counts.end = to;
  const Ratio whole{out.counts.bad, out.counts.total()};
  out.unit = spec.budgeting == Budgeting::occurrences ? "events" : "slices";
  if (whole.total > 0) {
    out.sli = static_cast<double>(out.counts.good) / static_cast<double>(whole.total);
    out.budget_used = burn_rate(whole, budget);
  }
  out.met = met(out.counts, budget);
  out.allowed_bad = allowed(whole.total, budget) / out.counts.scale;
  const auto days = gather(hours, kDayS, 0, budget);
  out.hours = compliance_of(hours);
  out.days = compliance_of(days);
  out.weeks = gather(hours, kWeekS, kFirstMondayS, budget);
  out.worst_days = worst_of(days);
  out.worst_hours = worst_of(hours);
  out.reliability = reliability_of(spec.name, events, from, to);
  return out;
}

}  // namespace nines::slo
