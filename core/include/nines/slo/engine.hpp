// SloEngine: counts in tiered rings, windows, burn rates, budgets, risk, alerts. Fixed memory per
// SLO, no clock, no I/O; everything that decides is integer arithmetic. Not thread-safe.
//
// What is counted where
//   Tiers: 10 s slots for windows up to 2 h, 60 s up to 3 d, 300 s up to 31 d, 3600 s up to 92 d. A
//   tier reaches back from the SLO's newest slot by the longest of its windows and 10 min, 1 h, 3
//   h, 1 d. A delta goes into each tier that still reaches back to its slot. No second is covered
//   twice: a slot takes as many covered seconds as it has left, and no more than the next finer one
//   that took the delta. A delta whose slot ended more than late_horizon_s before the end of the
//   SLO's newest slot (of earlier batches) is late: it goes into the tiers of 60 s and up only, so
//   that it can't move the windows up to 2 h. What no tier reaches back to is dropped_late.
//
// Windows, half-open [start, end)
//   end   = watermark rounded down to a multiple of 10 s.
//   tier  = the finest whose limit above is >= the window's length (and which still holds its
//   start:
//           matters only for ends in the past).
//   start = (end - length) rounded down to a multiple of that tier's slot.
//   The slots of the tier that lie wholly inside are summed; what is left before `end` is summed
//   from finer tiers. All multiples count from 1970-01-01T00:00:00Z. good and bad are >= 0: sums
//   below zero (deltas of unlike sources that have not met yet) read as 0. Slots that no tier in
//   question reaches back to any more count nothing.
//
// Calendar windows (spec.calendar)
//   start = of the period that holds `end`, in the SLO's time zone; the tier is that of the usual
//           length (1M: 30 d). At `end` = start of a period the window is empty.
//
// Slices (spec.budgeting other than Occurrences): SlicePolicy in spec.hpp says how one is judged.
//   `end` and (end - length) are rounded down to multiples of the slice, so that only closed slices
//   count, at least one; a calendar period begins with its first whole slice. good and bad are then
//   slices (RatioTimeslices: shares of slices, see WindowCounts::scale) in all that follows.
//
// Exclusions (exclusions.hpp), taken out of every window
//   drop     neither good nor bad, neither covered nor coverable
//   reserve  with r bad events in reserved times, n events and the share s of the budget set aside:
//            in an SLO window that touches such a time, R = floor(s * b * n) is charged as if it
//            were bad, and min(r, R) bad events are forgiven: they are in neither good nor bad.
//            Other windows forgive all of theirs as long as r <= R in the SLO window, else none.
//   A slice that an exclusion touches is excluded.
//
// Numbers of the status, with b = 1 - target
//   sli                    good / total; null when total = 0
//   burn_rate_x            bad / total / b over that window; null when its total = 0
//   composite_burn_rate    0.40 b5m + 0.35 b1h + 0.25 b24h, null burns as 0; null when all are null
//                          (weights and levels: GatePolicy; these are the defaults)
//   error_budget_consumed  (bad + R) / n / b over the SLO window, n = total + forgiven; 0 when
//   total = 0; null when the SLO
//                          was never covered nor counted anything at all
//   error_budget_remaining 1 - consumed, null with it
//   risk_level             of the exact composite: [0,1) SAFE, [1,1.5) OBSERVE, [1.5,2] DANGER,
//                          above FREEZE; SAFE when it is null
//   coverage               covered seconds of the SLO window / seconds of [max(start, F), end), F =
//                          start of the first 10 s slot ever covered; at most 1; 0 when F is
//                          unknown or not before end
//   p50, p95, p99          nearest rank over the 24 hours (of UTC) that end with the newest one
//   known state, the first that holds:
//     NO_DATA    nothing was ever covered or counted; or now - watermark > stale_after_s; or some
//                second was ever covered and the coverage of [end - 5 min, end), computed like
//                `coverage`, is < min_coverage
//     VIOLATED   sli < target, exactly (= consumed > 1)
//     DEGRADING  the risk level is not SAFE, or a rule fires
//     HEALTHY
//
// Alerts, each burn rule at each evaluation
//   frozen     the state is NO_DATA, or the coverage of one of its two windows, computed like
//              `coverage`, is < min_coverage (SLOs with any coverage), or the watermark lies before
//              an earlier one of this engine: the rule keeps its state.
//   order      from the most urgent rule to the least: what follows sees what the more urgent ones
//              did at this evaluation and the less urgent ones at the one before.
//   condition  burn > factor in both windows, exactly; a window with total = 0 does not exceed.
//   guard      bad >= min_bad and P(X >= bad | total, b) < significance * min(1, long / (window /
//              10)) in the long window.
//   fires      condition and guard, cooldown_s after its last resolution, and no more urgent rule
//              and none of the same severity fires. Urgency: critical, page, ticket, warning,
//              then the shorter long window. After a more urgent rule has resolved, a slower one
//              waits until its own short window lies wholly behind that resolution: one incident
//              tells once and escalates at most from ticket to page, and a burn that goes on is
//              told.
//   resolves   short-window burn <= resolve_ratio * factor, and either P(X <= bad | total, factor *
//              b) < 1 % in the short window, so that a burn like that is really over, or the burn
//              of the long window is that low too; at resolve_evaluations window ends in a row. A
//              short window without events keeps the state.
//   Budget rules tell how much of the budget is gone, whatever its pace. The same, but:
//   condition  consumed > factor, exactly, over the SLO windows that end at `end` and at end - for.
//   frozen     with NO_DATA only: what was seen to be consumed is.
//   guard      bad >= min_bad, and the share that the factor stands for is at least min_bad events
//              (factor * b * total >= min_bad) or the chance is as small as for burn rules.
//   fires      unless a more urgent budget rule fires; urgency: the larger factor.
//   resolves   consumed <= resolve_ratio * factor at resolve_evaluations window ends in a row.
//   Threshold rules warn early: of the SLI over a window of their own, whatever the budget. The
//   same as burn rules, with L = 1 - the SLI that the rule names, but:
//   condition  bad / total > L, exactly, over the windows that end at `end` and at end - for.
//   guard      bad >= min_bad, and L * total >= min_bad or the chance is as small as there.
//   fires      unless a more urgent threshold rule fires; urgency: the severity, then the lower
//   SLI. resolves   bad / total <= resolve_ratio * L at resolve_evaluations window ends in a row.
//   Rules of different kinds do not hold each other back. high_value: the guard holds nothing back.
//
//   A ticket that fires when a page joins stays and resolves by itself: each `fired` has
//   exactly one `resolved`. A watermark more than an hour before an earlier one is taken as a
//   corrected clock: rules are evaluated again from there.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "nines/base/result.hpp"
#include "nines/base/time.hpp"
#include "nines/slo/backtest.hpp"
#include "nines/slo/batch.hpp"
#include "nines/slo/burn.hpp"
#include "nines/slo/forecast.hpp"
#include "nines/slo/spec.hpp"

namespace nines::slo {

struct WindowCounts {
  int64_t good = 0, bad = 0;  // both >= 0
  int64_t covered_s = 0;
  WallTime start{}, end{};  // half-open, as aligned
  int64_t total() const { return good + bad; }
  // good and bad are in units of 1 / scale: of events or slices; RatioTimeslices: 2^31.
  int64_t scale = 1;
  // What exclusions took out of good and bad: dropped, and bad events that the reserve pays for.
  int64_t dropped_good = 0, dropped_bad = 0, forgiven = 0;
  int64_t excluded_s = 0;  // dropped seconds that could have been covered
  // SLO windows: what the reserve takes from the budget in advance, in the same units as bad.
  int64_t reserve = 0, reserved_bad = 0;
  // For all that is decided of the budget: bad, and the reserve as if it were bad.
  Ratio spent() const {
    const int64_t all = total() + forgiven;
    return {std::min(bad + reserve, all), all};
  }
};

enum class Risk : uint8_t { safe, observe, danger, freeze };  // [0,1) [1,1.5) [1.5,2] (2,inf)
enum class State : uint8_t { healthy, degrading, violated, no_data };
std::string_view risk_name(Risk) noexcept;    // SAFE OBSERVE DANGER FREEZE
std::string_view state_name(State) noexcept;  // HEALTHY DEGRADING VIOLATED NO_DATA

struct BurnWindow {
  int64_t window_s = 0;
  WindowCounts counts;
  std::optional<double> burn;  // display; null when total == 0
};

// Why a rule fires or does not: enough to print the whole arithmetic.
struct RuleState {
  AlertRule rule;
  BurnWindow long_window, short_window;  // of rules with `for`: now, and for_s ago
  bool firing = false;
  bool frozen = false;   // NO_DATA: keeps its state
  bool guarded = false;  // both windows exceed the factor, the low-traffic guard holds it back
  std::optional<double> probability;  // of the guard
  bool inhibited = false;             // a more urgent rule of this SLO fires already
  WallTime since{};                   // of the present firing
};

// A part of a composite SLO: what its sum was made of.
struct PartStatus {
  std::string slo;
  Decimal weight, target;
  Ratio window;
  State state = State::no_data;
  std::optional<double> consumed;
};

// DESIGN 4.2. Doubles are derived from the integers beside them, for display only.
struct SloStatus {
  std::string slo, service;
  int tier = 3;
  Decimal target;
  int64_t window_s = 0;
  bool draft = false;
  WindowCounts window;
  int64_t good_total = 0, bad_total = 0;  // all events counted since the SLO began here; only grow
  std::optional<double> sli;
  BurnWindow burn_5m, burn_1h, burn_24h;
  std::optional<double> composite_burn_rate;
  std::optional<double> error_budget_consumed, error_budget_remaining;  // signed, unclamped
  Risk risk = Risk::safe;
  State state = State::no_data;
  GateDecision release;  // gate.hpp
  std::string release_reason;
  double coverage = 0;
  std::vector<RuleState> rules;
  std::optional<double> p50, p95, p99;  // of `value`, last 24 h (sketch, <= 1 % relative error)
  std::string unit;
  WallTime timestamp{};  // of this evaluation
  Budgeting budgeting = Budgeting::occurrences;
  WindowCounts events;            // Timeslices: the events in the window; else the same as `window`
  std::string window_name;        // "30d"; of the calendar "1M"
  std::string time_zone;          // of a calendar window; empty: rolling
  WallTime period_end{};          // when a calendar window starts anew
  std::string excluded_by;        // the exclusion that holds at the end of the window; empty: none
  Forecast forecast;              // of the last 5 minutes (windows below a day: of the last minute)
  std::vector<PartStatus> parts;  // of a composite: target and sli do not apply (composite.hpp)
  std::string group_of, group;    // of a row of an SLO with groups (row_of)
  GateVerdict gate;               // `release`, and what the gate keeper adds to it
  std::optional<BudgetStep> budget_step;  // of the error-budget policy, in force now
  GatePolicy policy;                      // levels and weights that risk, gate and step came from
};

// Of the values of one hour that a threshold is held against, in the unit of the SLO. Nearest rank,
// within 1 % (sketch.hpp).
struct LatencyHour {
  WallTime at{};  // when it began
  uint64_t count = 0;
  double p50 = 0, p95 = 0, p99 = 0;
};

struct AlertEvent {
  enum class Kind : uint8_t { fired, resolved, rows };  // rows: of a standing query
  Kind kind = Kind::fired;
  std::string slo, service, rule, severity;
  WallTime at{}, since{};
  std::string summary;                // one sentence with the counts it came from
  uint64_t sequence = 0;              // given by the store
  uint64_t boot = 0;                  // life of the node it happened in; 0: the present one
  int priority = 3;                   // 0..3, see priority_of()
  std::vector<std::string> notify{};  // destinations; empty: all
  // Of rows (rule names the query, since..at is what it looked at):
  std::string rows{};    // a JSON array
  uint64_t omitted = 0;  // rows that did not fit into it
  // More about it, for who is told: "incident" names the one that it belongs to. What tells of an
  // incident itself has a "transition" (opened, worse, reopened, escalated, resolved; overdue).
  std::vector<std::pair<std::string, std::string>> details{};

  const std::string* detail(std::string_view name) const noexcept {
    for (const auto& [key, value] : details) {
      if (key == name) return &value;
    }
    return nullptr;
  }
};

// What must survive a restart so that nothing is told twice. Serialised by the store.
struct AlertMemory {
  std::string slo, rule;
  bool firing = false;
  int calm_evaluations = 0;
  WallTime since{}, last_resolved{}, calm_at{};
  // Of the rule when it fired, for its end to be told alike once it is configured no more.
  std::string service{}, severity{};
  int priority = 3;
};

class SloEngine {
 public:
  explicit SloEngine(size_t max_slos = 64);
  ~SloEngine();
  SloEngine(SloEngine&&) noexcept;
  SloEngine& operator=(SloEngine&&) noexcept;

  // Returns the index used in batches. exhausted beyond max_slos; invalid_argument for what can't
  // be computed exactly or never happens: a name twice, a target outside (0, 1) or of more than 18
  // places, a window outside [1 min, 92 d] or not a multiple of 10 s, a burn factor above
  // 1/(1-target). The parts of a composite must have been added before, with the same window.
  Result<uint32_t> add(SloSpec spec);
  // Takes a row (row_of) out: its counts are gone, its rules that fire are resolved at the next
  // evaluate(), batches that name it count as unknown, and a later add() may get its index.
  void remove(uint32_t slo);
  size_t size() const noexcept;           // indices given so far
  bool has(uint32_t slo) const noexcept;  // false: removed; what follows must not be asked of it
  const SloSpec& spec(uint32_t slo) const;

  // Adds counts, for live batches and for restoring the journal alike: applying the same batches in
  // the same order gives the same engine. Within one batch nothing is late against the rest of it.
  //
  // Slots ahead of time would empty the rings, so a slot is taken only if the SLO has not been
  // evaluated yet (restoring what was once accepted) or has counted nothing, or it is not newer
  // than batch.max_event_time (the maker of the batch vouches for that after clamping; gaps of days
  // in replayed logs are legal that way), or at most a day newer than the newest slot or watermark
  // known. Others are `skewed`. Deltas of an unknown SLO are ignored and counted as `unknown`.
  void apply(const Batch& batch);

  // Evaluates all SLOs at `watermark` (event time up to which all logs are read; aligned down to
  // 10 s inside) and appends alert transitions, at = the aligned watermark. `now` is only for
  // staleness: watermark older than stale_after_s means NO_DATA, which freezes alerts.
  void evaluate(WallTime watermark, WallTime now, std::vector<AlertEvent>& transitions);

  // As of the last evaluate().
  const SloStatus& status(uint32_t slo) const;
  // Any window ending at `end` (at most 92 days back). For ends in the past that the fine tiers
  // have left behind, `end` is rounded down to what is still kept: see start and end of the result.
  WindowCounts window(uint32_t slo, WallTime end, int64_t window_s) const;
  // The events of that window, whatever the budgeting method counts.
  WindowCounts events(uint32_t slo, WallTime end, int64_t window_s) const;
  // The last 24 hours, those with values, the oldest first; empty where there is no threshold.
  std::vector<LatencyHour> latency(uint32_t slo) const;
  // Where the budget goes from the last evaluate() on.
  Forecast forecast(uint32_t slo, const ForecastPolicy& policy = {}) const;
  // How good forecasts like it would have been over the recorded past. Some milliseconds.
  BacktestReport backtest(uint32_t slo) const;

  // All rules that fire or have fired. Restoring it, after the SLOs are added, neither repeats nor
  // loses a transition: a firing rule that is configured no more is resolved at the next
  // evaluate().
  std::vector<AlertMemory> save_alerts() const;
  void restore_alerts(const std::vector<AlertMemory>& saved);

  struct Counters {
    uint64_t late = 0, dropped_late = 0, skewed = 0, unknown = 0;  // events
    uint64_t saturated = 0;  // additions that hit the limit of a slot (2^31 events)
  };
  Counters counters() const noexcept;
  size_t memory_bytes() const noexcept;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace nines::slo
