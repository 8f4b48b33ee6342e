// The evidence of an incident as a review tells it: in words, without the numbers that only
// programs need.
#pragma once

#include <string>
#include <vector>

#include "nines/incident/postmortem.hpp"

namespace nines::incident {

// "payments: is heard after ...; uses ...".
std::string suspect_words(const Evidence& suspect);
// What counts now: what it looks like, then who is suspected, the strongest first, then the rest in
// the order of its numbers; at the end how much else there was.
std::vector<Postmortem::Finding> findings_of(const Incident& incident);

}  // namespace nines::incident
