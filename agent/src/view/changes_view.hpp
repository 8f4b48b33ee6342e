// Changes, release watches and impacts as JSON and as text for people.
#pragma once

#include <string>
#include <vector>

#include "nines/base/json_writer.hpp"
#include "nines/slo/changes.hpp"
#include "nines/slo/impact.hpp"

namespace nines::agent::view {

void write_change(JsonWriter& json, const slo::Change& change);
std::string changes_json(const std::vector<slo::Change>& changes);  // as given
std::string changes_table(const std::vector<slo::Change>& changes, size_t width);
// One entry with what its watches say.
std::string change_json(const slo::Change& change, const std::vector<slo::ReleaseWatch>& watches);
std::string change_text(const slo::Change& change, const std::vector<slo::ReleaseWatch>& watches);
std::string impact_json(const slo::Change& change, const std::vector<slo::Impact>& impacts);
std::string impact_text(const slo::Change& change, const std::vector<slo::Impact>& impacts);
void write_impact(JsonWriter& json, const slo::Impact& impact);
// "+0.12 points [-0.01, +0.25]": shares of bad events in hundredths.
std::string difference_text(const slo::Impact& impact);

}  // namespace nines::agent::view
