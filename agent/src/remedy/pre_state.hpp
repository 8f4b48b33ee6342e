// What the target of an act was like before it, as the intent says it.
#pragma once

#include <string>

#include "nines/remedy/guard.hpp"

namespace nines::agent::remedy {

// For people: "3 pods", "revision 7", "active". Empty: nobody said.
std::string told_before(const nines::remedy::Act& act);

}  // namespace nines::agent::remedy
