// peers: of nines.yaml.
#pragma once

#include "config/config.hpp"
#include "config/reporter.hpp"
#include "config/yaml_tree.hpp"

namespace nines::agent::config {

// Checks what was read; `map` is peers:. Files are named relative to nines.yaml and read when they
// are used.
void check_peers(PeersConfig& peers, const YamlNode& map, Reporter& report);

}  // namespace nines::agent::config
