// What tests of the Steward act on: an incident of one service, and a unit of the node pi-1.
#pragma once

#include <string>

#include "nines/incident/incident.hpp"
#include "remedy/steward.hpp"
#include "remedy/target_name.hpp"

namespace nines::test {

// By one condition, which holds or is over as of `now`.
inline nines::incident::Incident incident_of(
    const std::string& id, const std::string& service, bool holds, WallTime now,
    nines::incident::ConditionKind kind = nines::incident::ConditionKind::crash_loop) {
  nines::incident::Incident out;
  out.id = id;
  out.severity = 1;
  out.service = service;
  out.services = {service};
  nines::incident::IncidentCondition one;
  one.condition.kind = kind;
  one.condition.service = service;
  one.condition.holds = holds;
  if (!holds) one.over = now;
  out.conditions.push_back(one);
  return out;
}

// The unit that the action names.
inline agent::remedy::Found found_unit(const nines::remedy::Action& action) {
  agent::remedy::Found out;
  out.object.name = action.parameter;
  out.target.name = agent::remedy::target_name(action.verb, "pi-1", out.object);
  out.target.node = "pi-1";
  out.target.service = "worker";
  out.target.local = true;
  return out;
}

}  // namespace nines::test
