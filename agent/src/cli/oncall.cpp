// `nines oncall ...`: who is on call, whom a page goes to and why, how the load is shared. Answers
// from files, so without an agent and without a network; when an agent runs, with what it paged.
#include "config/oncall.hpp"

#include <algorithm>
#include <cstdio>
#include <set>

#include "cli/oncall_command.hpp"
#include "cli/terminal.hpp"
#include "config/files.hpp"
#include "config/yaml_text.hpp"
#include "config/zones.hpp"
#include "http/client.hpp"
#include "incident/page_history.hpp"
#include "nines/base/json_writer.hpp"
#include "nines/log/format.hpp"
#include "nines/log/timestamp.hpp"
#include "nines/oncall/load_report.hpp"
#include "view/oncall_view.hpp"
#include "view/table.hpp"

namespace nines::agent {

namespace oncall = nines::oncall;

namespace {

constexpr int64_t kDayS = 86400;
constexpr size_t kMaxHistory = 16 * 1024 * 1024;
constexpr int64_t kAgentMs = 2000;

int fail(const OncallOptions& o, const std::string& what, const char* hint, int code = kExitUsage) {
  std::fprintf(stderr, "nines oncall %s: %s\n", o.verb.c_str(), what.c_str());
  if (*hint != '\0') std::fprintf(stderr, "  hint: %s\n", hint);
  return code;
}

void tell(const std::vector<Diagnostic>& diagnostics) {
  for (const Diagnostic& d : diagnostics) std::fprintf(stderr, "%s\n", to_string(d).c_str());
}

bool as_json(const OncallOptions& o) {
  return o.common.output == Output::json || o.common.output == Output::ndjson;
}

void print(const std::string& json) { std::printf("%s\n", json.c_str()); }

void print(const view::Table& table) {
  const Terminal terminal = terminal_of_stdout();
  std::fputs(table.render(terminal.width, terminal.color).c_str(), stdout);
}

std::string instant_text(int64_t at_s) { return format_rfc3339(WallTime::from_s(at_s)); }

// What a command works on.
struct Desk {
  const OncallOptions& options;
  oncall::Plan plan;
  oncall::PageLedger ledger;
  int64_t now_s = 0;

  std::string id(uint32_t person) const {
    return person == oncall::kNobody ? "" : plan.roster->people[person].id;
  }
};

// "2026-03-03T12:00:00Z", "2026-03-03 12:00+01:00"; without a zone UTC. Empty: `fallback`.
std::optional<int64_t> time_of(const OncallOptions& o, const std::string& text, int64_t fallback) {
  if (text.empty()) return fallback;
  const auto parsed = log::parse_iso_time(text.size() == 10 ? text + "T00:00:00" : text, {});
  if (parsed && parsed->length >= text.size()) return parsed->ts.seconds();
  fail(o, "'" + text + "' is no time", "like 2026-03-01T22:00:00Z or 2026-03-01");
  return std::nullopt;
}

bool chosen(const Desk& desk, const oncall::Schedule& schedule) {
  return desk.options.schedule.empty() || desk.options.schedule == schedule.name();
}

int who(const Desk& desk) {
  const auto at = time_of(desk.options, desk.options.at, desk.now_s);
  if (!at) return kExitUsage;
  view::Table table({{"SCHEDULE"}, {"PERSON"}, {"UNTIL"}, {"WHY", false, 1}});
  std::string text;
  JsonWriter json(text);
  json.begin_array();
  bool gap = false;
  for (const oncall::Schedule& schedule : desk.plan.schedules) {
    if (!chosen(desk, schedule)) continue;
    const auto shifts = schedule.shifts(*at, *at + 90 * kDayS);
    if (!shifts.ok()) return fail(desk.options, shifts.error().message, "");
    const oncall::Shift& now = shifts->front();
    const std::string until = shifts->size() > 1 ? instant_text(now.span.to_s) : "";
    gap = gap || now.duty.person == oncall::kNobody;
    table.add({{schedule.name()},
               {desk.id(now.duty.person)},
               {until.empty() ? "beyond 90 days" : until},
               {view::why_on_duty(schedule, now.duty)}});
    json.begin_object().member("schedule", schedule.name());
    json.key("person");
    now.duty.person == oncall::kNobody ? json.null() : json.value(desk.id(now.duty.person));
    json.key("until");
    until.empty() ? json.null() : json.value(until);
    json.member("why", view::why_on_duty(schedule, now.duty)).end_object();
  }
  json.end_array();
  as_json(desk.options) ? print(text) : print(table);
  return gap ? kExitNo : kExitOk;
}

int shifts(const Desk& desk) {
  const auto from = time_of(desk.options, desk.options.from, desk.now_s);
  if (!from) return kExitUsage;
  const auto to = time_of(desk.options, desk.options.to, *from + 14 * kDayS);
  if (!to) return kExitUsage;
  view::Table table({{"SCHEDULE"}, {"FROM"}, {"TO"}, {"PERSON"}, {"WHY", false, 1}});
  std::string text, overlaps;
  JsonWriter json(text);
  json.begin_array();
  for (const oncall::Schedule& schedule : desk.plan.schedules) {
    if (!chosen(desk, schedule)) continue;
    const auto all = schedule.shifts(*from, *to);
    const auto found = schedule.check(*from, *to);
    if (!all.ok() || !found.ok()) {
      return fail(desk.options, (all.ok() ? found.error() : all.error()).message, "");
    }
    for (const oncall::Shift& one : *all) {
      table.add({{schedule.name()},
                 {instant_text(one.span.from_s)},
                 {instant_text(one.span.to_s)},
                 {desk.id(one.duty.person), one.duty.person == oncall::kNobody ? "31" : ""},
                 {view::why_on_duty(schedule, one.duty)}});
      json.begin_object().member("schedule", schedule.name());
      json.member("from", instant_text(one.span.from_s)).member("to", instant_text(one.span.to_s));
      json.key("person");
      one.duty.person == oncall::kNobody ? json.null() : json.value(desk.id(one.duty.person));
      json.member("why", view::why_on_duty(schedule, one.duty)).end_object();
    }
    for (const oncall::ScheduleFinding& one : *found) {
      if (one.kind != oncall::ScheduleFinding::Kind::overlap) continue;
      overlaps += "overlap in " + schedule.name() + ": " + desk.id(one.first) + " and " +
                  desk.id(one.second) + " from " + instant_text(one.span.from_s) + " to " +
                  instant_text(one.span.to_s) + "\n";
    }
  }
  json.end_array();
  as_json(desk.options) ? print(text) : print(table);
  std::fputs(overlaps.c_str(), stderr);
  return kExitOk;
}

int route(const Desk& desk) {
  const OncallOptions& o = desk.options;
  oncall::Request request;
  const auto at = time_of(o, o.at, desk.now_s);
  if (!at) return kExitUsage;
  request.at_s = *at;
  request.severity = o.severity[1] - '0';
  request.service = o.service;
  request.signature = o.signature;
  for (const std::string& id : o.told) {
    const auto person = desk.plan.roster->find(id);
    if (!person) return fail(o, "nobody is called '" + id + "'", "--told takes ids of people");
    request.told.push_back(*person);
  }
  const oncall::Route decided = oncall::route(desk.plan, desk.ledger, request);
  if (as_json(o)) {
    std::string text;
    JsonWriter json(text);
    oncall::write_json(json, desk.plan, request, decided);
    print(text);
  } else if (o.explain) {
    std::fputs(oncall::explain(desk.plan, request, decided).c_str(), stdout);
  } else {
    view::Table table({{"AT"}, {"PERSON"}, {"NOTIFY"}});
    for (const oncall::Step& step : decided.chain) {
      std::string notify;
      for (const std::string& name : desk.plan.roster->people[step.person].notify) {
        notify += (notify.empty() ? "" : ", ") + name;
      }
      table.add({{instant_text(step.at_s)}, {desk.id(step.person)}, {notify}});
    }
    print(table);
    if (decided.digest_s) std::printf("digest of %s\n", instant_text(*decided.digest_s).c_str());
    if (decided.hold_s) std::printf("held until %s\n", instant_text(*decided.hold_s).c_str());
  }
  return decided.chain.empty() && !decided.digest_s && !decided.hold_s ? kExitNo : kExitOk;
}

std::string seconds_text(const std::optional<int64_t>& seconds) {
  return seconds ? format_duration_s(*seconds) : "";
}

void print_report(const Desk& desk, const oncall::LoadReport& report) {
  std::printf("%s to %s: %lld pages, %lld at night, acknowledged after %s (median)\n",
              instant_text(report.span.from_s).c_str(), instant_text(report.span.to_s).c_str(),
              static_cast<long long>(report.pages), static_cast<long long>(report.night_pages),
              report.median_ack_s ? seconds_text(report.median_ack_s).c_str() : "?");
  std::printf("Gini (0: all have the same): pages %s, at night %s, hours on call %s\n",
              oncall::milli_text(report.gini_pages_milli).c_str(),
              oncall::milli_text(report.gini_nights_milli).c_str(),
              oncall::milli_text(report.gini_hours_milli).c_str());
  view::Table table({{"PERSON"},
                     {"HOURS", true},
                     {"PAGES", true},
                     {"NIGHT", true},
                     {"ACK", true, 3},
                     {"MEDIAN", true, 2},
                     {"A DAY", true, 4},
                     {"FATIGUE", true, 1}});
  for (const oncall::PersonLoad& one : report.people) {
    table.add({{desk.id(one.person)},
               {std::to_string(one.on_call_s / 3600)},
               {std::to_string(one.pages)},
               {std::to_string(one.night_pages)},
               {std::to_string(one.acknowledged)},
               {seconds_text(one.median_ack_s)},
               {std::to_string(one.most_in_a_day)},
               {oncall::milli_text(one.fatigue_milli)}});
  }
  print(table);
  for (const oncall::NoisyRule& rule : report.rules) {
    std::printf("noisy: %s: %s\n", rule.signature.c_str(), rule.hint.c_str());
  }
}

int report(const Desk& desk) {
  const auto to = time_of(desk.options, desk.options.to, desk.now_s + 1);  // with this second
  if (!to) return kExitUsage;
  const auto from = time_of(desk.options, desk.options.from, *to - 28 * kDayS);
  if (!from) return kExitUsage;
  const auto made = oncall::load_report(desk.plan, desk.ledger, {*from, *to});
  if (!made.ok()) return fail(desk.options, made.error().message, "");
  if (!as_json(desk.options)) {
    print_report(desk, *made);
    return kExitOk;
  }
  std::string text;
  JsonWriter json(text);
  oncall::write_json(json, desk.plan, *made);
  print(text);
  return kExitOk;
}

// A calendar as the schedule that reads it, with a name to fill in for each that occurs in it.
int import(const OncallOptions& o) {
  auto zone = config::load_time_zone(o.zone);
  if (!zone.ok()) return fail(o, zone.error().message, "--zone Europe/Berlin");
  std::vector<Diagnostic> diagnostics;
  config::Reporter reporter(diagnostics);
  const auto calendar =
      config::load_calendar(o.path, std::make_shared<const TimeZone>(std::move(*zone)), reporter);
  tell(diagnostics);
  if (!calendar) return kExitUsage;
  std::set<std::string> names;
  for (const oncall::CalendarEvent& event : calendar->events()) names.insert(event.summary);
  std::printf("# %zu events\nschedules:\n  - name: imported\n    time_zone: %s\n    layers:\n",
              calendar->events().size(), o.zone.c_str());
  std::printf("      - calendar: %s\n        names:\n", config::quoted(o.path).c_str());
  for (const std::string& name : names) {
    std::string person = "PERSON";
    for (const std::string& given : o.people) {
      const size_t equals = given.rfind('=');
      if (equals != std::string::npos && given.substr(0, equals) == name) {
        person = given.substr(equals + 1);
      }
    }
    std::printf("          %s: %s\n", config::quoted(name).c_str(), person.c_str());
  }
  return kExitOk;
}

void tell_strangers(uint64_t strangers, const std::string& where) {
  if (strangers == 0) return;
  std::fprintf(stderr, "%s: %llu pages of people who are not in the on-call document\n",
               where.c_str(), static_cast<unsigned long long>(strangers));
}

// An empty history is no error where nothing names a file.
Status read_history(const OncallOptions& o, const NodeConfig& node, oncall::PageLedger& ledger) {
  const std::string& given = o.history.empty() ? node.oncall.history : o.history;
  const std::string state = o.common.state.empty() ? kDefaultState : o.common.state;
  const std::string path = given.empty() ? state + "/oncall-pages.ndjson" : given;
  const auto text = config::read_file(path, kMaxHistory);
  if (!text.ok()) return given.empty() ? Status(Ok{}) : Status(text.error());
  const auto history = incident::read_page_history(*text, ledger.roster());
  if (!history.ok()) return Error{history.error().code, path + ": " + history.error().message, 0};
  for (const oncall::Page& page : history->pages) ledger.add(page);
  tell_strangers(history->strangers, path);
  return Ok{};
}

// What the running agent has paged, beside what the files tell. Without one: the files alone.
void ask_agent_for_pages(const NodeConfig& node, oncall::PageLedger& ledger) {
  http::ClientRequest request;
  request.url = "http://" + node.listen + "/api/oncall/pages";
  request.timeout_ms = kAgentMs;
  const auto answer = http::fetch(request);
  if (!answer.ok() || answer->status != 200) return;
  const auto history = incident::read_page_history(answer->body, ledger.roster());
  if (!history.ok()) {
    std::fprintf(stderr, "pages of the agent at %s: %s\n", node.listen.c_str(),
                 history.error().message.c_str());
    return;
  }
  for (const oncall::Page& page : history->pages) ledger.add(page);
  tell_strangers(history->strangers, "the agent at " + node.listen);
}

}  // namespace

int run_oncall(const OncallOptions& o, const Clock& clock) {
  if (o.verb == "import") return import(o);
  const Loaded loaded = load_config(o.common.config, {});
  const std::string& file = o.file.empty() ? loaded.node.oncall.file : o.file;
  if (!loaded.ok()) {
    tell(loaded.diagnostics);
    return kExitUsage;
  }
  if (file.empty()) {
    return fail(o, "no on-call document is configured",
                "oncall: {file: oncall.yaml} in nines.yaml, or --file; packaging/examples has one");
  }
  std::vector<Diagnostic> diagnostics;
  auto plan = config::load_oncall(file, diagnostics);
  tell(diagnostics);
  if (!plan) return kExitUsage;
  if (!o.schedule.empty() && plan->schedule_named(o.schedule) == nullptr) {
    return fail(o, "there is no schedule '" + o.schedule + "'", "nines oncall who lists them");
  }
  oncall::PageLedger ledger(plan->roster);
  const auto read = read_history(o, loaded.node, ledger);
  if (!read.ok()) return fail(o, read.error().message, "", kExitUnavailable);
  // Whoever names the files asks about those.
  const bool files_only = !o.file.empty() || !o.history.empty();
  if (!files_only && (o.verb == "route" || o.verb == "report")) {
    ask_agent_for_pages(loaded.node, ledger);
  }
  const Desk desk{o, std::move(*plan), std::move(ledger), clock.wall().seconds()};
  if (o.verb == "who") return who(desk);
  if (o.verb == "shifts") return shifts(desk);
  if (o.verb == "route") return route(desk);
  return report(desk);
}

}  // namespace nines::agent
