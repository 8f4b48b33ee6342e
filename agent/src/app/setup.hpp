// Setup: from command line and files to what an agent shall watch. With no SLO configured at all it
// looks at the node's logs and drafts some (zero configuration).
#pragma once

#include <string>
#include <vector>

#include "cli/commands.hpp"
#include "config/config.hpp"
#include "nines/collector/discover.hpp"
#include "nines/slo/spec.hpp"

namespace nines::agent {

struct Setup {
  NodeConfig config;
  std::vector<slo::SloSpec> slos;
  bool drafted = false;  // zero configuration: look again from time to time
  collector::Discovered discovered;
};

// Prints every diagnostic on stderr; `invalid_argument` when one of them is an error.
Result<Setup> make_setup(const CommonOptions& options, const Clock& clock);
// Drafts for what the logs show now (configured sources if there are any, else the node's logs).
std::vector<slo::SloSpec> draft(const NodeConfig& config, const std::string& log_root,
                                const Clock& clock, collector::Discovered& discovered);
std::string host_name();

}  // namespace nines::agent
