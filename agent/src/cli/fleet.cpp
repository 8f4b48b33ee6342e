// `nines fleet status|nodes`: the whole fleet, as the running agent sees it, or as a stream of NATS
// has it.
#include <algorithm>
#include <cstdio>

#include "app/fleet_stream.hpp"
#include "cli/ask.hpp"
#include "cli/terminal.hpp"
#include "view/fleet_table.hpp"

namespace nines::agent {

namespace {

// The upstream of that name, with its login, or one that has only an address.
UpstreamConfig stream_of(const FleetOptions& options) {
  const NodeConfig node = load_config(options.common.config, {}).node;
  const auto found =
      std::find_if(node.upstream.begin(), node.upstream.end(), [&](const UpstreamConfig& one) {
        return one.kind == UpstreamConfig::Kind::nats &&
               (one.name == options.nats || one.url == options.nats);
      });
  UpstreamConfig upstream;
  upstream.kind = UpstreamConfig::Kind::nats;
  upstream.url = options.nats;
  if (found != node.upstream.end()) upstream = *found;
  if (upstream.cluster.empty()) upstream.cluster = node.peers.cluster;
  if (!options.cluster.empty()) upstream.cluster = options.cluster;
  return upstream;
}

int show(const FleetOptions& options, const std::string& command, const std::string& body) {
  if (options.common.output == Output::json) {
    std::printf("%s\n", body.c_str());
    return kExitOk;
  }
  const auto terminal = terminal_of_stdout();
  const auto text = options.nodes ? view::fleet_nodes_table(body, terminal.width, terminal.color)
                                  : view::fleet_status_table(body, terminal.width, terminal.color);
  if (!text.ok()) {
    std::fprintf(stderr, "%s: %s\n", command.c_str(), text.error().message.c_str());
    return kExitUnavailable;
  }
  std::fwrite(text->data(), 1, text->size(), stdout);
  return kExitOk;
}

}  // namespace

int run_fleet(const FleetOptions& options, const Clock& clock, uint64_t seed) {
  AgentCall call;
  call.command = options.nodes ? "nines fleet nodes" : "nines fleet status";
  call.address = agent_address(options.address, options.common.config);
  call.path = "/api/fleet";
  call.unknown = "that agent has no peers";
  if (options.common.output != Output::table && options.common.output != Output::json) {
    std::fprintf(stderr, "%s: -o table or json\n", call.command.c_str());
    return kExitUsage;
  }
  if (!options.nats.empty()) {
    const auto fleet = read_fleet_stream(stream_of(options), clock, seed);
    if (fleet.ok()) return show(options, call.command, *fleet);
    std::fprintf(stderr, "%s: %s\n", call.command.c_str(), fleet.error().message.c_str());
    return kExitUnavailable;
  }
  std::string body;
  const int code = ask_agent(call, body);
  return code == kExitOk ? show(options, call.command, body) : code;
}

}  // namespace nines::agent
