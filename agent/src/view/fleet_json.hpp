// GET /api/fleet: the fleet as this node sees it.
#pragma once

#include <string>

#include "nines/broker/fleet_stream.hpp"
#include "nines/fleet/fleet_view.hpp"
#include "nines/peer/peer_node.hpp"

namespace nines::agent::view {

// {"node", "isolated", "timestamp", "clock_offset_ms", "nodes": [...], "slos": [...], "silent":
// [...]}
std::string fleet_json(const fleet::FleetState& state, const peer::PeerNode& node, peer::Now now);

// The same of a stream of NATS, read by `self` (empty: by none of its nodes). A node whose last
// message the stream took more than 150 s ago is suspect, after 5 minutes silent.
std::string fleet_json(const fleet::FleetState& state, const broker::FleetReader& reader,
                       const std::string& self, WallTime now);

}  // namespace nines::agent::view
