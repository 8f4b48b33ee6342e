// Where an incident is: several nodes may have one incident, and be ill or well each.
#pragma once

#include <string_view>

#include "nines/incident/incident.hpp"

namespace nines::agent::remedy {

// Something of it holds as `node` itself observes it; or nobody says who observed it.
bool holds_on(const nines::incident::Incident& incident, std::string_view node);

}  // namespace nines::agent::remedy
