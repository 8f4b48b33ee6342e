// The entries of remotes: in nines.yaml.
#pragma once

#include <set>
#include <string>

#include "config/options.hpp"
#include "config/reporter.hpp"
#include "config/yaml_tree.hpp"

namespace nines::agent::config {

// Reads one into `draft`; files are named relative to nines.yaml and not read: who queries must be
// able to.
void read_remote(const YamlNode& node, Draft& draft, std::set<std::string>& names,
                 Reporter& report);

}  // namespace nines::agent::config
