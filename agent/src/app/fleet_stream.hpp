// The fleet as a stream of NATS has it: as an agent keeps it, and read once for a command.
#pragma once

#include <string>

#include "config/config.hpp"
#include "nines/broker/fleet_stream.hpp"
#include "nines/broker/nats_client.hpp"

namespace nines::agent {

broker::NatsOptions nats_options(const UpstreamConfig& config, const std::string& who,
                                 uint64_t seed);

struct StreamView {
  // `nodes_only`: which nodes there are, not what they counted.
  explicit StreamView(const UpstreamConfig& config, bool nodes_only = false);
  // The document of /api/fleet; `self`: which node shows it, or empty.
  std::string json(const std::string& self, WallTime now) const;

  fleet::FleetState state;
  broker::FleetReader reader;
};

// Connects, reads all there is, and leaves. Errors say what NATS or its streams lack.
Result<std::string> read_fleet_stream(const UpstreamConfig& config, const Clock& clock,
                                      uint64_t seed);

}  // namespace nines::agent
