// `nines timeline` and `nines incident timeline ID`: what happened on all nodes, as the running
// agent tells it.
#include "cli/ask.hpp"
#include "cli/terminal.hpp"
#include "http/message.hpp"

namespace nines::agent {

int run_timeline(const TimelineOptions& o) {
  const bool of_one = !o.id.empty();
  std::string path = of_one ? "/api/incidents/" + http::percent_encode(o.id) + "/timeline"
                            : std::string("/api/timeline");
  char joint = '?';
  const auto add = [&](const char* name, const std::string& value) {
    if (value.empty()) return;
    path += joint + std::string(name) + "=" + http::percent_encode(value);
    joint = '&';
  };
  const bool text = o.output == "table" || o.output == "text";
  add("format", text ? "text" : o.output);
  if (text) add("width", std::to_string(terminal_of_stdout().width));
  add("since", o.since);
  add("until", o.until);
  add("node", o.node);
  add("service", o.service);
  add("incident", o.incident);
  add("kind", o.kind);
  add("zone", o.zone);
  if (o.limit != 0) add("limit", std::to_string(o.limit));
  AgentCall call;
  call.command = of_one ? "nines incident timeline" : "nines timeline";
  call.address = agent_address(o.address, o.common.config);
  call.path = std::move(path);
  return show_agent(call);
}

}  // namespace nines::agent
