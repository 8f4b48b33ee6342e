// What the files of the fold share: parts of an incident, found by name.
#pragma once

#include <algorithm>
#include <string_view>

#include "nines/incident/incident.hpp"

namespace nines::incident {

inline IncidentCondition* find_condition(Incident& incident, std::string_view key) {
  const auto found = std::find_if(incident.conditions.begin(), incident.conditions.end(),
                                  [&](const auto& c) { return c.condition.key == key; });
  return found == incident.conditions.end() ? nullptr : &*found;
}

inline IncidentCondition::Observer* find_observer(IncidentCondition& c, std::string_view node) {
  const auto found = std::find_if(c.observers.begin(), c.observers.end(),
                                  [&](const auto& o) { return o.node == node; });
  return found == c.observers.end() ? nullptr : &*found;
}

// Two stories of one incident become one; `from` is used up.
void join(Incident& into, Incident& from, const struct BookLimits& limits);

}  // namespace nines::incident
