// `nines remedy ...`: what may be done about incidents, as the running agent knows it.
#include <cstdio>

#include "cli/ask.hpp"
#include "cli/terminal.hpp"
#include "config/files.hpp"
#include "http/message.hpp"
#include "nines/base/json_writer.hpp"

namespace nines::agent {
namespace {

constexpr size_t kMostImported = 8 * 1024 * 1024;

AgentCall call_of(const RemedyOptions& o, std::string path) {
  AgentCall call;
  call.command = "nines remedy";
  call.address = agent_address(o.address, o.common.config);
  call.path = std::move(path);
  call.unknown = o.rule.empty() ? "that agent keeps no incidents" : "there is no such rule";
  return call;
}

std::string table_of(const RemedyOptions& o) {
  if (o.common.output == Output::json) return {};
  return "?format=table&width=" + std::to_string(terminal_of_stdout().width);
}

std::string body_of(const RemedyOptions& o) {
  std::string body;
  JsonWriter json(body);
  json.begin_object();
  const auto member = [&](const char* name, const std::string& value) {
    if (!value.empty()) json.member(name, value);
  };
  json.member("do", o.verb == "revoke" ? std::string("demote") : o.verb);
  json.member("who", o.by.empty() ? user_name() : o.by);
  member("rule", o.rule);
  member("action", o.action);
  member("signature", o.signature);
  member("service", o.service);
  member("target", o.target);
  member("incident", o.incident);
  member("act", o.act);
  member("text", o.text);
  json.end_object();
  return body;
}

int post(const RemedyOptions& o, AgentCall call, std::string body) {
  const int found = find_token({o.common, o.token_file, "nines remedy"}, call.token);
  if (found != kExitOk) return found;
  call.method = "POST";
  call.body = std::move(body);
  return show_agent(call);
}

int verify(const RemedyOptions& o) {
  std::string said;
  const int code = ask_agent(call_of(o, "/api/remedies/audit?format=verdict"), said);
  std::fputs(said.c_str(), stdout);
  return code == kExitOk && !said.starts_with("whole") ? kExitNo : code;
}

int import(const RemedyOptions& o) {
  auto text = config::read_file(o.file, kMostImported);
  if (!text.ok()) {
    std::fprintf(stderr, "nines remedy import: %s\n", text.error().message.c_str());
    return kExitUsage;
  }
  return post(o, call_of(o, "/api/remedies/history"), std::move(*text));
}

}  // namespace

int run_remedy(const RemedyOptions& o) {
  if (o.verb == "list") return show_agent(call_of(o, "/api/remedies" + table_of(o)));
  if (o.verb == "learn") return show_agent(call_of(o, "/api/remedies/lessons" + table_of(o)));
  if (o.verb == "audit" && o.verify) return verify(o);
  if (o.verb == "audit") return show_agent(call_of(o, "/api/remedies/audit"));
  if (o.verb == "import") return import(o);
  if (o.verb == "effect") {
    const char* const as = o.common.output == Output::json ? "" : "&format=text";
    return show_agent(call_of(o, "/api/remedies/effect?rule=" + http::percent_encode(o.rule) + as));
  }
  return post(o, call_of(o, "/api/remedies" + table_of(o)), body_of(o));
}

}  // namespace nines::agent
