// Capacity of the node as JSON and as text for people; the reports use it, too.
#pragma once

#include <string>
#include <vector>

#include "nines/base/json_writer.hpp"
#include "nines/slo/capacity.hpp"
#include "view/status_table.hpp"

namespace nines::agent::view {

using Capacities = std::vector<slo::CapacityForecast>;
void write_capacity(JsonWriter& json, const Capacities& vitals);  // an array
std::string capacity_json(const Capacities& vitals);
std::string capacity_table(const Capacities& vitals, const TableOptions& options);

}  // namespace nines::agent::view
