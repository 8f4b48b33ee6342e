// The entries of upstream: in nines.yaml.
#pragma once

#include <set>
#include <string>

#include "config/options.hpp"
#include "config/reporter.hpp"
#include "config/yaml_tree.hpp"

namespace nines::agent::config {

// Reads one into `draft`; files are named relative to nines.yaml and read when they are used.
void read_upstream(const YamlNode& node, Draft& draft, std::set<std::string>& names,
                   Reporter& report);

}  // namespace nines::agent::config
