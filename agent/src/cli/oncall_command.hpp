// Options of `nines oncall` and `nines kb`.
#pragma once

#include "cli/commands.hpp"

namespace CLI {
class App;
}

namespace nines::agent {

// The options outlive the application.
void add_oncall(CLI::App& root, OncallOptions& options);
void add_kb(CLI::App& root, KbOptions& options);

}  // namespace nines::agent
