// `nines fleet status|nodes`: the whole fleet, as the running agent sees it.
#include <cstdio>

#include "cli/ask.hpp"
#include "cli/terminal.hpp"
#include "view/fleet_table.hpp"

namespace nines::agent {

int run_fleet(const FleetOptions& options) {
  AgentCall call;
  call.command = options.nodes ? "nines fleet nodes" : "nines fleet status";
  call.address = agent_address(options.address, options.common.config);
  call.path = "/api/fleet";
  call.unknown = "that agent has no peers";
  if (options.common.output != Output::table && options.common.output != Output::json) {
    std::fprintf(stderr, "%s: -o table or json\n", call.command.c_str());
    return kExitUsage;
  }
  std::string body;
  const int code = ask_agent(call, body);
  if (code != kExitOk) return code;
  if (options.common.output == Output::json) {
    std::printf("%s\n", body.c_str());
    return kExitOk;
  }
  const auto terminal = terminal_of_stdout();
  const auto text = options.nodes ? view::fleet_nodes_table(body, terminal.width, terminal.color)
                                  : view::fleet_status_table(body, terminal.width, terminal.color);
  if (!text.ok()) {
    std::fprintf(stderr, "%s: %s\n", call.command.c_str(), text.error().message.c_str());
    return kExitUnavailable;
  }
  std::fwrite(text->data(), 1, text->size(), stdout);
  return kExitOk;
}

}  // namespace nines::agent
