// Burn rates, forecasts and releases as the platform's API has them: by service.
#pragma once

#include <string>
#include <vector>

#include "app/snapshot.hpp"
#include "nines/base/json_writer.hpp"
#include "nines/slo/changes.hpp"
#include "view/history.hpp"

namespace nines::agent::view {

// {"service_name", "slo", "burn_rate_5m", ... "timestamp"}
void write_burn(JsonWriter& json, const slo::SloStatus& status);

// Burn rate of each step, and what was left of the budget at its end. Not empty.
std::string burn_json(const slo::SloEngine& engine, const std::vector<const slo::SloStatus*>& slos,
                      const Span& span, const std::vector<slo::Change>& changes);

// What runs out first says it for all. Not empty.
std::string service_forecast_json(const std::vector<const slo::SloStatus*>& slos);
// The strictest gate decides. Not empty.
std::string service_release_json(const std::vector<const slo::SloStatus*>& slos);

}  // namespace nines::agent::view
