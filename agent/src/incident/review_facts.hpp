// What the review of an incident is written from beside the incident: the changes around it and the
// like of it before.
#pragma once

#include <vector>

#include "nines/incident/incident_book.hpp"
#include "nines/incident/postmortem.hpp"

namespace nines::agent::incident {

// `changes`: the log of changes. The timeline is left to who has it.
nines::incident::PostmortemFacts review_facts(const nines::incident::IncidentBook& book,
                                              const nines::incident::Incident& incident,
                                              std::vector<slo::Change> changes, WallTime now);

}  // namespace nines::agent::incident
