// Impact: what an incident has cost so far: bad events and budget of its SLOs (exact, from the
// counts), requests and the services that they pass, users. What is not known is said to be
// unknown. Pure functions.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "incident/facts.hpp"
#include "incident/told.hpp"
#include "nines/incident/incident.hpp"
#include "nines/slo/engine.hpp"

namespace nines::agent::incident {

// The SLOs of an incident: those that burn; if none does, those of its services.
std::vector<uint32_t> slos_of(const core::Incident& incident, const slo::SloEngine& engine);

struct ImpactQuestion {
  WallTime since{}, until{};  // [since, until): since when it is bad, up to now or its end
  std::vector<uint32_t> slos{};
  // Users that an earlier life of the node has counted, if it was restarted since and did not keep
  // who they were: then what is known now is the least that there were.
  bool restarted = false;
  uint64_t users_before = 0;
};

// Details, of the SLO that it cost most: slo, bad, all, spent (share of the budget of its window),
// consumed (by everything); and users ("123", "~1200", ">=97", ""), users_error, requests, failed
// (as followed), siblings, since, until (seconds).
Told tell_impact(const slo::SloEngine& engine, const ImpactQuestion& question, const Facts& facts);

}  // namespace nines::agent::incident
