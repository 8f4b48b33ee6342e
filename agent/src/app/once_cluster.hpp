// What the Kubernetes API can tell in a moment, for a run that does not stay to follow it
// (`agent --once`, by the clock): how the pods of this node are, their restarts and kills, Events
// of the last hour, and rollouts, where an earlier life has kept what ran before.
#pragma once

#include <cstdint>
#include <string>

#include "incident/node_facts.hpp"
#include "k8s/settings.hpp"
#include "nines/base/time.hpp"
#include "nines/store/state_store.hpp"

namespace nines::agent {

// Adds it to `facts`. Waits `within_ms` at most: what has not come by then is not known, which the
// log says. Nothing where there is no API to ask. `store` (may be null) is read and not written.
void ask_cluster(const k8s::Settings& settings, const std::string& node, const Clock& clock,
                 store::StateStore* store, incident::NodeFacts& facts, int64_t within_ms = 5'000);

}  // namespace nines::agent
