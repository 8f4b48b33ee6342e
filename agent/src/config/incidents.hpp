// What `incidents:` and `narrative:` of nines.yaml name has to be there.
#pragma once

#include "config/config.hpp"
#include "config/reporter.hpp"
#include "config/yaml_tree.hpp"

namespace nines::agent::config {

// After notifiers, webhooks and chains are read. Makes paths absolute.
void check_incidents(NodeConfig& node, const YamlNode& root, Reporter& report);

}  // namespace nines::agent::config
