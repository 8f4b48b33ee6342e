// What the configuration and the store mean to FleetLink, and its decisions to the rest of the
// agent.
#pragma once

#include <memory>
#include <optional>

#include "app/fleet_link.hpp"
#include "app/judge.hpp"
#include "config/config.hpp"

namespace nines::agent {

// Null: nines.yaml names no peers and no brokers that are told what peers are. On the thread that
// owns `store` then.
Result<std::unique_ptr<FleetLink>> start_peers(boost::asio::io_context& io, const Clock& clock,
                                               const NodeConfig& config, const Judge& judge,
                                               store::StateStore& store, uint64_t seed,
                                               FleetLink::OnDecision decided);

// A page, or its end, that this node is to tell; nullopt: the decision is for the log only.
std::optional<slo::AlertEvent> event_of(const peer::Decision& decision);

}  // namespace nines::agent
