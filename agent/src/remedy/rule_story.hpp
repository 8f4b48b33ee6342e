// RuleStory: the whole of a rule, for whoever has to judge it: what it does and how that is checked
// and undone, what it is known from, what was said of it, what it did and what came of that. Pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "nines/remedy/effect.hpp"
#include "nines/remedy/guard.hpp"
#include "nines/remedy/procedure.hpp"
#include "remedy/experience.hpp"

namespace nines::agent::remedy {

struct RuleStory {
  static constexpr size_t kMostActs = 10, kMostChanges = 32;

  nines::remedy::RuleLife life;
  std::optional<nines::remedy::Lesson> known;  // whatever was done by whom; nullopt: never judged
  nines::remedy::Procedure procedure;
  nines::remedy::Effect effect;
  std::vector<nines::remedy::GuardEvent> changes;  // drafted, shadowed..., the newest last
  std::vector<nines::remedy::Act> acts;            // the newest last
  size_t acts_in_all = 0;
};

// nullopt: there is no such rule.
std::optional<RuleStory> story_of(const nines::remedy::Guard& guard, const Experience& experience,
                                  const std::string& rule, WallTime now);

}  // namespace nines::agent::remedy
