// The document of /api/fleet for a terminal.
#pragma once

#include <cstddef>
#include <string>

#include "nines/base/result.hpp"

namespace nines::agent::view {

// A line for each SLO, and what is missing of it.
Result<std::string> fleet_status_table(const std::string& fleet_json, size_t width, bool color);
// A line for each node.
Result<std::string> fleet_nodes_table(const std::string& fleet_json, size_t width, bool color);

}  // namespace nines::agent::view
