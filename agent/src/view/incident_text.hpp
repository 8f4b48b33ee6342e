// Incidents for people: one line each, and one in full.
#pragma once

#include <string>
#include <vector>

#include "nines/incident/incident.hpp"

namespace nines::agent::view {

std::string incidents_table(const std::vector<nines::incident::Incident>& incidents, WallTime now,
                            size_t width);
std::string incident_text(const nines::incident::Incident& incident, WallTime now);

}  // namespace nines::agent::view
