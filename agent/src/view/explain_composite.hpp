// The arithmetic of a composite SLO: which sums of its parts decide.
#pragma once

#include <string>

#include "nines/slo/engine.hpp"

namespace nines::agent::view {

// REQUIRES status.parts not to be empty.
std::string explain_composite(const slo::SloStatus& status);

}  // namespace nines::agent::view
