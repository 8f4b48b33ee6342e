// The entries of queries: in nines.yaml.
#pragma once

#include <set>
#include <string>

#include "config/options.hpp"
#include "config/reporter.hpp"
#include "config/yaml_tree.hpp"

namespace nines::agent::config {

// Reads one into `draft`, whose sources and webhooks have been read. A statement that cannot stand
// is an error at its place in the text.
void read_query(const YamlNode& node, Draft& draft, std::set<std::string>& names, Reporter& report);

}  // namespace nines::agent::config
