#include "remedy/holds.hpp"

#include <algorithm>

#include "nines/incident/incident_event.hpp"

namespace nines::agent::remedy {

using nines::incident::IncidentCondition;

bool holds_on(const nines::incident::Incident& incident, std::string_view node) {
  const std::string self = nines::incident::short_name(node, nines::incident::kMaxEventNode);
  return std::any_of(
      incident.conditions.begin(), incident.conditions.end(), [&](const IncidentCondition& one) {
        const auto& observers = one.observers;
        const bool here = std::any_of(
            observers.begin(), observers.end(), [&](const IncidentCondition::Observer& observer) {
              return observer.node == self && observer.ended == WallTime{};
            });
        return one.condition.holds && (observers.empty() || here);
      });
}

}  // namespace nines::agent::remedy
