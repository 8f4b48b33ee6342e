// Options of `nines remedy`.
#pragma once

#include "cli/commands.hpp"

namespace CLI {
class App;
}

namespace nines::agent {

// The options outlive the application.
void add_remedy(CLI::App& root, RemedyOptions& options);

}  // namespace nines::agent
