// `nines slo explain`: every number of one SLO with its arithmetic, from the integer counts up, so
// that a verdict can be checked with pencil and paper (law 5).
#pragma once

#include <string>

#include "nines/slo/engine.hpp"

namespace nines::agent::view {

std::string explain_text(const slo::SloStatus& status);

}  // namespace nines::agent::view
