// Options that many commands declare alike. The options outlive the application.
#pragma once

#include <string>

#include "cli/commands.hpp"

namespace CLI {
class App;
}

namespace nines::agent {

void add_output(CLI::App* app, Output& output);
void add_config(CLI::App* app, CommonOptions& common);
void add_log_root(CLI::App* app, CommonOptions& common);
void add_agent_address(CLI::App* app, CommonOptions& common, std::string& address);
// Of what tells the agent to do something: its token, and who says so.
void add_authority(CLI::App* app, CommonOptions& common, std::string& token_file, std::string& by);

template <class Options>
void add_agent_address(CLI::App* app, Options& o) {
  add_agent_address(app, o.common, o.address);
}

template <class Options>
void add_write(CLI::App* app, Options& o) {
  add_agent_address(app, o);
  add_authority(app, o.common, o.token_file, o.by);
}

}  // namespace nines::agent
