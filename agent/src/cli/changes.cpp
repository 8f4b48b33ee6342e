// `nines annotate`, `nines changes`, `nines gate override`, `nines slo report`.
#include <cstdio>

#include "cli/ask.hpp"
#include "cli/terminal.hpp"
#include "config/config.hpp"
#include "http/message.hpp"
#include "nines/base/json_writer.hpp"

namespace nines::agent {
namespace {

AgentCall call_of(const ChangeOptions& o, const char* command, std::string path) {
  AgentCall call;
  call.command = command;
  call.address = agent_address(o.address, o.common.config);
  call.path = std::move(path);
  return call;
}

int post(const ChangeOptions& o, const char* command, std::string path, std::string body,
         std::string& answer) {
  AgentCall call = call_of(o, command, std::move(path));
  const int found = find_token({o.common, o.token_file, command}, call.token);
  if (found != kExitOk) return found;
  call.method = "POST";
  call.body = std::move(body);
  return ask_agent(call, answer);
}

bool split_detail(const std::string& text, std::string& key, std::string& value) {
  const size_t equals = text.find('=');
  if (equals == 0 || equals == std::string::npos) return false;
  key = text.substr(0, equals);
  value = text.substr(equals + 1);
  return true;
}

}  // namespace

int run_annotate(const ChangeOptions& o) {
  std::string body;
  JsonWriter json(body);
  json.begin_object().member("kind", o.kind).member("service", o.service).member("slo", o.slo);
  json.member("at", o.at).member("from", o.from).member("to", o.to);
  json.member("who", o.by.empty() ? user_name() : o.by).member("text", o.text);
  json.key("details").begin_object();
  for (const std::string& detail : o.details) {
    std::string key, value;
    if (!split_detail(detail, key, value)) {
      std::fprintf(stderr, "nines annotate: a detail must be KEY=VALUE, found '%s'\n",
                   detail.c_str());
      return kExitUsage;
    }
    json.member(key, value);
  }
  json.end_object().end_object();
  std::string answer;
  const int code = post(o, "nines annotate", "/api/changes", std::move(body), answer);
  if (code == kExitOk) std::fwrite(answer.data(), 1, answer.size(), stdout);
  return code;
}

int run_changes(const ChangeOptions& o) {
  const bool json = o.common.output == Output::json;
  std::string path = "/api/changes";
  if (!o.id.empty()) {
    path += "/" + http::percent_encode(o.id) + (o.impact ? "/impact" : "") +
            (json ? "?" : "?format=text");
    if (o.impact && !o.window.empty()) path += "&window=" + http::percent_encode(o.window);
    return show_agent(call_of(o, "nines changes", path));
  }
  path += "?limit=" + std::to_string(o.limit);
  if (!o.service.empty()) path += "&service=" + http::percent_encode(o.service);
  if (!o.kind.empty()) path += "&kind=" + http::percent_encode(o.kind);
  if (!json) path += "&format=table&width=" + std::to_string(terminal_of_stdout().width);
  return show_agent(call_of(o, "nines changes", path));
}

int run_gate_override(const ChangeOptions& o) {
  std::string body;
  JsonWriter json(body);
  json.begin_object().member("reason", o.text).member("ttl", o.ttl);
  json.member("by", o.by.empty() ? user_name() : o.by).member("revoke", o.revoke).end_object();
  std::string answer;
  const std::string path = "/api/gate/" + http::percent_encode(o.service) + "/override";
  const int code = post(o, "nines gate override", path, std::move(body), answer);
  if (code != kExitOk) return code;
  return show_agent(call_of(o, "nines gate override",
                            "/api/gate/" + http::percent_encode(o.service) + "?format=text"));
}

int run_slo_report(const ChangeOptions& o) {
  std::string path = std::string("/api/report?format=") + (o.markdown ? "md" : "json");
  if (!o.month.empty()) path += "&month=" + http::percent_encode(o.month);
  if (!o.days.empty()) path += "&days=" + http::percent_encode(o.days);
  return show_agent(call_of(o, "nines slo report", path));
}

}  // namespace nines::agent
