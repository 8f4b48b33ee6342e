// SloSamples: what metric engines are told about the SLOs, for any minute of the past that the
// engine still knows. Nothing is queued for them: the SLO engine keeps 92 days of counts anyway, so
// what was not told during an outage is computed when the link is back, at the resolution of the
// tier that still holds it (10 s for 110 minutes, a minute for 3 days, 5 minutes for 31 days, then
// an hour).
//
// Series, each with node, job="nines", instance=node and the labels of the configuration:
//   nines_slo_events_total{slo,service,group?,result}  counter: all events up to the sample's time
//   nines_slo_coverage_ratio{slo,service,group?}       of the 5 minutes before it
// and those of Sloth (recording rules of sloth.dev), with sloth_id, sloth_service, sloth_slo:
//   slo:sli_error:ratio_rate<window>{sloth_window}     5m 30m 1h 2h 6h 1d 3d and the SLO's own
//   slo:objective:ratio  slo:error_budget:ratio  slo:time_period:days
//   slo:current_burn_rate:ratio  slo:period_burn_rate:ratio
//   slo:period_error_budget_remaining:ratio  sloth_slo_info
// A ratio without events is absent, never NaN. Unlike rates that Prometheus would compute, these
// are sums of counts over exact windows, exclusions applied.
//
// Reads the engine: on its thread.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "nines/slo/engine.hpp"
#include "nines/upstream/series.hpp"

namespace nines::upstream {

struct SloTotals {
  int64_t good = 0, bad = 0;
};

class SloSamples {
 public:
  // `totals` gives all events that an SLO ever counted here. Both must outlive it. `step_s`: from
  // sample to sample, a multiple of 10 that divides an hour.
  SloSamples(const slo::SloEngine& engine, std::function<SloTotals(uint32_t slo)> totals,
             std::string node, std::vector<Label> labels, std::string version, int64_t step_s = 60);

  // Samples at every multiple of step_of(...) in [from_s, to_s), by series. `watermark`: up to
  // where the logs are read; to_s must not be behind it.
  std::vector<TimeSeries> between(int64_t from_s, int64_t to_s, WallTime watermark) const;

  // nines_canary 1: asks a receiver whether it takes a sample of that time.
  TimeSeries canary(int64_t at_s) const;

  // How far apart samples of a time are: as fine as is still known of it.
  int64_t step_of(int64_t at_s, int64_t watermark_s) const;

 private:
  void add_slo(uint32_t slo, const std::vector<int64_t>& times, WallTime watermark,
               std::vector<TimeSeries>& out) const;

  const slo::SloEngine& engine_;
  std::function<SloTotals(uint32_t)> totals_;
  std::vector<Label> common_;
  std::string version_;
  int64_t step_s_;
};

}  // namespace nines::upstream
