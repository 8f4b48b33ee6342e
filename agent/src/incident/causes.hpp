// Causes: what may have brought an incident about, services and changes in one ranking, and what
// kind of failure it is, from what the Watcher found and what people did. Pure functions.
#pragma once

#include <set>
#include <span>
#include <string>
#include <vector>

#include "incident/node_facts.hpp"
#include "incident/told.hpp"
#include "incident/watcher.hpp"
#include "nines/incident/failure_class.hpp"
#include "nines/incident/incident.hpp"
#include "nines/incident/topology.hpp"
#include "nines/slo/engine.hpp"

namespace nines::agent::incident {

// Shares of bad events of the services that have SLOs, around their change or the onset; exact.
std::vector<core::ShareChange> slo_shares(const slo::SloEngine& engine, const FactsQuestion& asked);

struct CauseFacts {
  WallTime onset{};
  std::span<const slo::Change> changes;
  const Answer& answer;
  const Facts& facts;
  std::vector<core::ShareChange> slo_shares;  // where a service has both, these count
  std::set<std::string> services;             // of the incident: its victims compare with nobody
  const core::Topology& topology;
  NodeFacts::Trouble trouble{};  // since half an hour before the onset
};

struct Causes {
  // Details: rank, service, score, wrong_if; of a change: change (its id), kind, at.
  std::vector<Told> suspects;  // the strongest first
  std::vector<core::ChangeSuspect> changes;
};
Causes rank(const CauseFacts& facts, const std::string& node);

// Facts for the class: of the answer, the changes, restarts, kills and slow SLOs.
std::vector<core::FailureFact> class_facts(const CauseFacts& facts, const Causes& causes);
// Details: part ("class"), class, weight, why-1..., and what else it may be: "other-1"...
Told tell_class(const std::vector<core::ClassFinding>& found);

}  // namespace nines::agent::incident
