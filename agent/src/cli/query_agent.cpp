// `nines query` of the logs that the running agent knows.
#include <unistd.h>

#include <array>
#include <nlohmann/json.hpp>

#include "cli/ask.hpp"
#include "cli/commands.hpp"
#include "cli/terminal.hpp"

namespace nines::agent {
namespace {

constexpr std::array kNames = {"table", "json", "ndjson", "csv", "raw"};  // as query::Format

}  // namespace

int ask_agent_to_query(const QueryOptions& options) {
  AgentCall call;
  call.command = "nines query";
  call.address = agent_address(options.address, options.common.config);
  call.path = "/api/query";
  call.method = "POST";
  const int found = find_token({options.common, options.token_file, "nines query"}, call.token);
  if (found != kExitOk) return found;
  const Terminal terminal = terminal_of_stdout();
  nlohmann::json body = {{"sql", options.sql},
                         {"output", kNames[static_cast<size_t>(options.output)]},
                         {"color", terminal.color}};
  if (!options.nodes.empty()) body["nodes"] = options.nodes;
  if (::isatty(STDOUT_FILENO) != 0) body["width"] = terminal.width;
  call.body = body.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  return show_agent(call);
}

}  // namespace nines::agent
