// What can be seen of rules before anything happens: those that may fit one incident and would undo
// each other. At run time the guard holds the later one back (Refusal::opposite); here people are
// told before they approve. Pure functions.
#pragma once

#include <string>
#include <vector>

#include "nines/remedy/guard.hpp"

namespace nines::remedy {

// Whether one incident can fit both: what either leaves open fits everything.
bool overlaps(const RuleLife& a, const RuleLife& b) noexcept;

// Those of `rules` that overlap `rule` and oppose what it does (scale-up and scale-down, a program
// and the one that takes it back), in their order; not the rule itself, nor what was removed.
std::vector<RuleLife> opposing(const RuleLife& rule, const std::vector<RuleLife>& rules,
                               const GuardLimits& limits);

}  // namespace nines::remedy
