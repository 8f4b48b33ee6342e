// `nines incident ...`: what broke, as the running agent knows it, and what is done about it.
#include <cstdio>
#include <cstdlib>

#include "cli/ask.hpp"
#include "cli/terminal.hpp"
#include "http/message.hpp"
#include "nines/base/json_writer.hpp"

namespace nines::agent {
namespace {

AgentCall call_of(const IncidentOptions& o, std::string path) {
  AgentCall call;
  call.command = "nines incident";
  call.address = agent_address(o.address, o.common.config);
  call.path = std::move(path);
  call.unknown = o.id.empty() ? "that agent keeps no incidents" : "there is no such incident";
  return call;
}

std::string path_of(const IncidentOptions& o) {
  return "/api/incidents" + (o.id.empty() ? "" : "/" + http::percent_encode(o.id));
}

void append(std::string& path, const char* name, const std::string& value) {
  if (!value.empty()) path += std::string("&") + name + "=" + http::percent_encode(value);
}

std::string table_of(const IncidentOptions& o) {
  if (o.common.output == Output::json) return {};
  const Terminal terminal = terminal_of_stdout();
  return "&format=table&width=" + std::to_string(terminal.width) +
         (terminal.color ? "&color=1" : "");
}

int list(const IncidentOptions& o) {
  std::string path = "/api/incidents?limit=" + std::to_string(o.limit);
  path += o.all || !o.since.empty() ? "&state=all" : "&state=open";
  append(path, "service", o.service);
  append(path, "severity", o.severity);
  append(path, "since", o.since);
  return show_agent(call_of(o, path + table_of(o)));
}

int kpi(const IncidentOptions& o) {
  std::string path = "/api/kpis?";
  append(path, "since", o.since);
  append(path, "from", o.from);
  append(path, "to", o.to);
  return show_agent(call_of(o, path + table_of(o)));
}

int items(const IncidentOptions& o) {
  const std::string path = "/api/items?state=";
  return show_agent(call_of(o, path +
                                   (o.overdue ? "overdue"
                                    : o.all   ? "all"
                                              : "open") +
                                   table_of(o)));
}

int story(const IncidentOptions& o) {
  const std::string path = o.id.empty() ? "/api/narrative" : path_of(o) + "/narrative";
  return show_agent(call_of(o, path + (o.common.output == Output::json ? "?format=json" : "")));
}

std::string body_of(const IncidentOptions& o) {
  std::string body;
  JsonWriter json(body);
  json.begin_object();
  const auto member = [&](const char* name, const std::string& value) {
    if (!value.empty()) json.member(name, value);
  };
  if (!o.id.empty()) json.member("do", o.verb);
  json.member("who", o.by.empty() ? user_name() : o.by);
  member("text", o.text);
  member("service", o.service);
  member("severity", o.severity);
  member("role", o.role);
  member("person", o.person);
  member("item", o.item);
  member("owner", o.owner);
  member("due", o.due);
  member("priority", o.priority);
  if (o.force) json.member("force", true);
  if (!o.outcome.empty()) {
    json.key("details").begin_object().member("outcome", o.outcome).end_object();
  }
  json.end_object();
  return body;
}

}  // namespace

int run_incident(const IncidentOptions& o) {
  if (o.verb == "list") return list(o);
  if (o.verb == "kpi") return kpi(o);
  if (o.verb == "items") return items(o);
  if (o.verb == "narrative") return story(o);
  const std::string format = o.common.output == Output::json ? "" : "?format=text";
  if (o.verb == "message") {
    return show_agent(call_of(o, path_of(o) + "/message?kind=" + http::percent_encode(o.text)));
  }
  if (o.verb == "postmortem") {
    const char* const as = o.common.output == Output::json ? "?format=json" : "";
    return show_agent(call_of(o, path_of(o) + "/" + o.verb + as));
  }
  if (o.verb == "show") return show_agent(call_of(o, path_of(o) + format));
  AgentCall call = call_of(o, path_of(o) + format);
  const int found = find_token({o.common, o.token_file, "nines incident"}, call.token);
  if (found != kExitOk) return found;
  call.method = "POST";
  call.body = body_of(o);
  return show_agent(call);
}

}  // namespace nines::agent
