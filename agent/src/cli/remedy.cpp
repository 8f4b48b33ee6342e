// `nines remedy ...`: what may be done about incidents, as the running agent knows it.
#include <cstdio>
#include <nlohmann/json.hpp>
#include <span>

#include "cli/ask.hpp"
#include "cli/terminal.hpp"
#include "config/files.hpp"
#include "http/message.hpp"
#include "nines/base/json_writer.hpp"
#include "remedy/history_file.hpp"

namespace nines::agent {
namespace {

constexpr size_t kMostImported = 8 * 1024 * 1024;
constexpr size_t kMostSent = 48 * 1024;  // at once; an agent takes 64 KiB

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
  if (o.dry_run) json.member("dry_run", true);
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

// {"new": 3, "known": 1}, added up.
bool add_counts(const std::string& answer, uint64_t& news, uint64_t& known) {
  const auto tree = nlohmann::json::parse(answer, nullptr, false);
  if (!tree.is_object()) return false;
  news += tree.value("new", uint64_t{0});
  known += tree.value("known", uint64_t{0});
  return true;
}

// All of the file is right before any of it is sent, in requests as large as an agent takes them.
// What was sent already is known when it is sent again.
int import(const RemedyOptions& o) {
  const auto text = config::read_file(o.file, kMostImported);
  const auto file = !text.ok()                 ? Result<remedy::HistoryFile>(text.error())
                    : o.file.ends_with(".csv") ? remedy::read_history_csv(*text, o.file)
                                               : remedy::read_history_json(*text, o.file);
  if (!file.ok()) {
    std::fprintf(stderr, "nines remedy import: %s\n", file.error().message.c_str());
    return kExitUsage;
  }
  AgentCall call = call_of(o, "/api/remedies/history");
  const int found = find_token({o.common, o.token_file, "nines remedy"}, call.token);
  if (found != kExitOk) return found;
  call.method = "POST";
  uint64_t news = 0, known = 0;
  const std::span<const remedy::HistoryRow> rows = file->rows;
  for (size_t from = 0; from < rows.size();) {
    size_t count = 0, bytes = 0;
    while (from + count < rows.size() && (count == 0 || bytes < kMostSent)) {
      bytes += remedy::history_json(rows.subspan(from + count++, 1)).size();
    }
    if (bytes >= kMostSent && count > 1) --count;
    call.body = remedy::history_json(rows.subspan(from, count));
    std::string answer;
    if (const int code = ask_agent(call, answer); code != kExitOk) return code;
    if (!add_counts(answer, news, known)) return kExitUnavailable;
    from += count;
  }
  std::printf("{\"new\": %llu, \"known\": %llu}\n", static_cast<unsigned long long>(news),
              static_cast<unsigned long long>(known));
  return kExitOk;
}

}  // namespace

int run_remedy(const RemedyOptions& o) {
  if (o.verb == "list") return show_agent(call_of(o, "/api/remedies" + table_of(o)));
  if (o.verb == "learn") return show_agent(call_of(o, "/api/remedies/lessons" + table_of(o)));
  if (o.verb == "audit" && o.verify) return verify(o);
  if (o.verb == "audit") return show_agent(call_of(o, "/api/remedies/audit"));
  if (o.verb == "report") return show_agent(call_of(o, "/api/remedies/report" + table_of(o)));
  if (o.verb == "show") {
    const std::string table = table_of(o);
    return show_agent(call_of(o, "/api/remedies/rule" + (table.empty() ? "?" : table + "&") +
                                     "rule=" + http::percent_encode(o.rule)));
  }
  if (o.verb == "import") return import(o);
  if (o.verb == "effect") {
    const char* const as = o.common.output == Output::json ? "" : "&format=text";
    return show_agent(call_of(o, "/api/remedies/effect?rule=" + http::percent_encode(o.rule) + as));
  }
  return post(o, call_of(o, "/api/remedies" + table_of(o)), body_of(o));
}

}  // namespace nines::agent
