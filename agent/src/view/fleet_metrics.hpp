// What peers add to GET /metrics: every limit of theirs with the counter that says how often it was
// hit. Passes `promtool check metrics`; a fixed number of series.
#pragma once

#include <string>

#include "nines/peer/driver.hpp"

namespace nines::agent::view {

// Complete families, to stand behind those of metrics_text().
std::string fleet_metrics(const fleet::FleetState& state, const peer::PeerNode& node,
                          const peer::PeerDriver::Counters& driver, peer::Now now);

}  // namespace nines::agent::view
