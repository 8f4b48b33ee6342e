// What can be told of services in sentences, from what is known of them.
#pragma once

#include <string_view>
#include <vector>

#include "nines/incident/narrative.hpp"
#include "nines/slo/engine.hpp"

namespace nines::agent::http {

// Of one service, or (empty) of all that are watched. `incidents`: open ones, and older ones, of
// which those of the last day are told; so are `changes`.
nines::incident::NarrativeFacts narrative_facts(const std::vector<slo::SloStatus>& statuses,
                                                std::vector<nines::incident::Incident> incidents,
                                                std::vector<slo::Change> changes,
                                                std::string_view service, WallTime now);

}  // namespace nines::agent::http
