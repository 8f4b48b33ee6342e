// What an upstream of kind nats or mqtt means to the driver of its connection.
#pragma once

#include "config/config.hpp"
#include "nines/broker/link.hpp"

namespace nines::agent {

// The login's files are read for each connection; errors name a file and never what is in it.
Result<broker::LinkSettings> link_settings(const UpstreamConfig& config, uint64_t seed);

// Of a file with a seed alone or of a .creds file.
Result<broker::Login> read_nkey(const std::string& path);

}  // namespace nines::agent
