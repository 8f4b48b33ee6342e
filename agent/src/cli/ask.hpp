// Asking the running agent, for the commands that only show what it says.
#pragma once

#include <string>

#include "cli/commands.hpp"

namespace nines::agent {

// HOST:PORT from the options, else from the configuration.
std::string address_of(const SloOptions& options);
// Prints the body of GET http://address/path and leaves it in `body`; the exit code of the command.
int show(const std::string& address, const std::string& path, std::string* body = nullptr);

}  // namespace nines::agent
