// SloEngine: counts in tiered rings, windows, burn rates, budgets, risk, alerts. Fixed memory per
// SLO, no clock, no I/O; everything that decides is integer arithmetic. Not thread-safe.
//
// Tiers (facts: 10 s x 2 h, 60 s x 3 d, 300 s x 31 d, 3600 s x 92 d): every event is added to each
// tier that still reaches back to it. A window [left, end) is answered by the finest tier that holds
// it: left is aligned down to that tier's slot, end is a multiple of 10 s; the part of the newest
// coarse slot behind `end` is excluded by using finer slots there.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "nines/base/result.hpp"
#include "nines/base/time.hpp"
#include "nines/slo/batch.hpp"
#include "nines/slo/spec.hpp"

namespace nines::slo {

struct WindowCounts {
  int64_t good = 0, bad = 0;   // both >= 0
  int64_t covered_s = 0;
  WallTime start{}, end{};     // half-open, as aligned
  int64_t total() const { return good + bad; }
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
  BurnRule rule;
  BurnWindow long_window, short_window;
  bool firing = false;
  bool frozen = false;       // NO_DATA: keeps its state
  bool guarded = false;      // both windows exceed the factor, the low-traffic guard holds it back
  std::optional<double> probability;  // of the guard
  bool inhibited = false;    // a more urgent rule of this SLO fires already
  WallTime since{};          // of the present firing
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
  std::optional<double> composite_burn_rate;  // 0.40 b5m + 0.35 b1h + 0.25 b24h; a window without
                                              // traffic burns nothing; null when all are empty
  std::optional<double> error_budget_consumed, error_budget_remaining;  // signed, unclamped
  Risk risk = Risk::safe;
  State state = State::no_data;
  double coverage = 0;        // covered share of the window since the SLO began
  std::vector<RuleState> rules;
  std::optional<double> p50, p95, p99;  // of `value`, last 24 h (sketch, <= 1 % relative error)
  std::string unit;
  WallTime timestamp{};       // of this evaluation
};

struct AlertEvent {
  enum class Kind : uint8_t { fired, resolved };
  Kind kind = Kind::fired;
  std::string slo, service, rule, severity;
  WallTime at{}, since{};
  std::string summary;        // one sentence with the counts it came from
  uint64_t sequence = 0;      // given by the store
  uint64_t boot = 0;          // generation of the node's life it happened in; 0: the present one
};

// What must survive a restart so that nothing is told twice. Serialised by the store.
struct AlertMemory {
  std::string slo, rule;
  bool firing = false;
  int calm_evaluations = 0;
  WallTime since{}, last_resolved{};
};

class SloEngine {
 public:
  explicit SloEngine(size_t max_slos = 64);
  ~SloEngine();

  // exhausted beyond max_slos. Returns the index used in batches.
  Result<uint32_t> add(SloSpec spec);
  size_t size() const noexcept;
  const SloSpec& spec(uint32_t slo) const;

  // Adds counts. Slots outside every tier are counted as dropped. Used for live batches and for
  // restoring the journal alike.
  void apply(const Batch& batch);

  // Evaluates all SLOs at `watermark` (event time up to which all logs are read; aligned down to
  // 10 s inside) and appends alert transitions. `now` is only for staleness: watermark older than
  // stale_after_s means NO_DATA, which freezes alerts.
  void evaluate(WallTime watermark, WallTime now, std::vector<AlertEvent>& transitions);

  // As of the last evaluate().
  const SloStatus& status(uint32_t slo) const;
  // Any window ending at `end` (at most 92 days back).
  WindowCounts window(uint32_t slo, WallTime end, int64_t window_s) const;

  std::vector<AlertMemory> save_alerts() const;
  void restore_alerts(const std::vector<AlertMemory>& saved);

  struct Counters {
    uint64_t late = 0, dropped_late = 0, skewed = 0, saturated = 0;
  };
  Counters counters() const noexcept;
  size_t memory_bytes() const noexcept;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace nines::slo
