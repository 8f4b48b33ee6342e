// What the command line asks the running agent over HTTP, and what it says when that fails.
#pragma once

#include <string>

#include "cli/commands.hpp"

namespace nines::agent {

// Who gives the command, from the environment.
std::string user_name();

// --agent, else `listen` of the configuration.
std::string agent_address(const std::string& given, const std::string& config_file);

// Whether one listens there and is well enough to say so.
bool agent_answers(const std::string& address);

struct AgentCall {
  std::string command;  // "nines annotate", for messages
  std::string address, path;
  std::string method = "GET", body, token;
  std::string unknown;  // what a 404 means
};
// Exit code; the agent's API token in `token`: of --token-file, else of the state directory or the
// configuration.
struct TokenPlace {
  const CommonOptions& common;
  const std::string& token_file;
  const char* command;  // for messages
};
int find_token(const TokenPlace& place, std::string& token);
// The exit code; the body of a good answer in `body`, also of one that is not complete
// (kExitUnavailable). Failures are told on stderr.
int ask_agent(const AgentCall& call, std::string& body);
// The same, printing what comes.
int show_agent(const AgentCall& call);

}  // namespace nines::agent
