// Options of `nines tail` and `nines query`.
#pragma once

#include "cli/commands.hpp"

namespace CLI {
class App;
}

namespace nines::agent {

// The options outlive the application.
void add_tail(CLI::App& root, TailOptions& options);
void add_query(CLI::App& root, QueryOptions& options);
// The exit code of `nines query-node`.
int run_node_command(int argc, char** argv, const Clock& clock);

}  // namespace nines::agent
