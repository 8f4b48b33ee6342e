// What a period was like for an SLO: from hourly counts, alert events and the change log. Sums of
// integers, divided once; a day or hour without events neither met nor missed its target.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "nines/slo/changes.hpp"
#include "nines/slo/engine.hpp"

namespace nines::slo {

struct Period {
  WallTime start{};
  WindowCounts counts;
  bool met = false;  // bad / total <= 1 - target, exactly; false without events
};

struct Compliance {
  int64_t met = 0, counted = 0;  // periods that met the target, of those with events
  std::optional<double> share() const;
};

struct Incident {
  std::string rule, severity;
  WallTime fired{}, resolved{};  // resolved zero: still open
};

// By rule and severity: which way it fails, how often, for how long.
struct FailureMode {
  std::string rule, severity;
  int64_t times = 0, open = 0;
  int64_t total_s = 0;  // of those resolved
};

struct Reliability {
  std::vector<Incident> incidents;  // fired within the period, oldest first
  std::vector<FailureMode> modes;   // most often first
  std::optional<int64_t> mttr_s;    // mean of resolved - fired
  std::optional<int64_t> mtbf_s;    // mean from one end to the next beginning of trouble
};
// Overlapping incidents are one stretch of trouble for MTBF: two rules that fire for the same
// outage are not two failures. Time is [from, to).
Reliability reliability_of(const std::string& slo, const std::vector<AlertEvent>& events,
                           WallTime from, WallTime to);

struct SloReport {
  std::string slo, service;
  Decimal target;
  int64_t window_s = 0;
  WindowCounts counts;  // of the whole period, as the budgeting method counts (see scale)
  std::string unit;     // what it counts: events or slices (of at most an hour, else none is whole)
  std::optional<double> sli, budget_used;
  bool met = false;
  int64_t allowed_bad = 0;  // whole events or slices
  Compliance hours, days;
  std::vector<Period> weeks;                    // by ISO week (Monday, UTC)
  std::vector<Period> worst_days, worst_hours;  // most bad events first
  Reliability reliability;
};
// [from, to): whole hours of UTC, at most 92 days back from the engine's watermark.
SloReport report_of(const SloEngine& engine, uint32_t slo, const std::vector<AlertEvent>& events,
                    WallTime from, WallTime to);

}  // namespace nines::slo
