// The `forecast` part of a SLOPolicy.
#pragma once

#include <optional>
#include <string>

#include "config/reader.hpp"
#include "nines/slo/spec.hpp"

namespace nines::agent::config {

// What a policy says; what it leaves out keeps the default of the SLO's window.
struct ForecastDraft {
  std::optional<slo::ForecastPolicy::Use> use;
  std::optional<int64_t> history_s, min_points, horizon_s, warn_within_s, warn_min_bad;
  std::optional<std::string> warn_severity;
  const YamlNode* at = nullptr;  // null: there is none
};

// {method: auto | regression+expiry | seasonal+expiry, history: 24h, minPoints: 12, horizon: 30d,
//  warning: {within: 24h, minBad: 10, severity: ticket | warning}}; within 0s: no warning.
ForecastDraft read_forecast(const YamlNode& node, const std::string& policy, Reporter& report);
void apply_forecast(const ForecastDraft& draft, slo::SloSpec& spec, Reporter& report);

}  // namespace nines::agent::config
