// What an SLO is counted over and in: OpenSLO's timeWindow, budgetingMethod and time slices.
#pragma once

#include <string>

#include "config/reader.hpp"
#include "nines/slo/spec.hpp"

namespace nines::agent::config {

// Sets window_s and calendar; `node` may be null (30 d rolling). False: it was reported.
bool read_time_window(const YamlNode* node, const std::string& title, slo::SloSpec& spec,
                      Reporter& report);
// Sets budgeting; `node` may be null (OpenSLO's own examples leave it out; Occurrences is meant).
void read_budgeting(const YamlNode* node, const std::string& title, slo::SloSpec& spec,
                    Reporter& report);
// timeSliceTarget and timeSliceWindow of an objective.
void read_slices(MapReader& objective, const std::string& title, slo::SloSpec& spec,
                 Reporter& report);

// What the indicator asks of the slices, after read_slices.
void apply_slice_wishes(const YamlNode& objective, const std::string& title, slo::SloSpec& spec,
                        Reporter& report);

}  // namespace nines::agent::config
