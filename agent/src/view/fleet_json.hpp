// GET /api/fleet: the fleet as this node sees it.
#pragma once

#include <string>

#include "nines/fleet/fleet_view.hpp"
#include "nines/peer/peer_node.hpp"

namespace nines::agent::view {

// {"node", "isolated", "timestamp", "clock_offset_ms", "nodes": [...], "slos": [...], "silent":
// [...]}
std::string fleet_json(const fleet::FleetState& state, const peer::PeerNode& node, peer::Now now);

}  // namespace nines::agent::view
