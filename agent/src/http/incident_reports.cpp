#include "http/incident_reports.hpp"

#include <algorithm>
#include <memory>
#include <set>
#include <utility>

#include "config/reader.hpp"
#include "http/json_body.hpp"
#include "http/narrative_facts.hpp"
#include "http/query.hpp"
#include "http/table_options.hpp"
#include "nines/incident/kpi.hpp"
#include "nines/incident/narrative.hpp"
#include "view/incident_status.hpp"

namespace nines::agent::http {
namespace {

namespace core = nines::incident;

constexpr int64_t kDefaultSpanS = 30 * 86'400, kMaxSpanS = 92 * 86'400;
constexpr size_t kAll = 1'000'000;

HttpResponse text(std::string body) {
  return {200, "text/plain; charset=utf-8", std::move(body), {}};
}
HttpResponse json_text(std::string body) { return {200, "application/json", std::move(body), {}}; }

bool wants_table(const HttpRequest& request) {
  return parameter(request.query, "format") == "table";
}

// All that the book has: resolved ones, too.
std::vector<core::Incident> everything(const IncidentReportsAccess& access, WallTime now) {
  core::BookQuery all;
  all.limit = kAll;
  return access.book().list(all, now);
}

Result<WallTime> time_of(const std::string& query, const char* name, WallTime otherwise) {
  const std::string given = decoded_parameter(query, name);
  if (given.empty()) return otherwise;
  const auto time = zoned_time(given);
  if (time) return *time;
  return Error{
      Errc::invalid_argument,
      std::string(name) + " must be a time such as 2026-03-01T12:00:00Z, found '" + given + "'"};
}

Result<std::pair<WallTime, WallTime>> span_of(const std::string& query, WallTime now) {
  NINES_TRY(const WallTime to, time_of(query, "to", now));
  int64_t span_s = kDefaultSpanS;
  if (const std::string_view since = parameter(query, "since"); !since.empty()) {
    const auto ms = config::parse_duration_ms(since);
    if (!ms || *ms < 1000 || *ms > kMaxSpanS * 1000) {
      return Error{
          Errc::invalid_argument,
          "since must be a duration up to 92d, such as 30d, found '" + std::string(since) + "'"};
    }
    span_s = *ms / 1000;
  }
  NINES_TRY(const WallTime from, time_of(query, "from", WallTime{to.ns - span_s * kNsPerSecond}));
  if (from < to) return std::pair{from, to};
  return Error{Errc::invalid_argument, "from must be before to"};
}

HttpResponse kpis(const IncidentReportsAccess& access, const HttpRequest& request) {
  const WallTime now = access.now();
  const auto span = span_of(request.query, now);
  if (!span.ok()) return problem(400, span.error().message);
  const core::Kpis kpis =
      core::kpis_of(everything(access, now), access.changes(), span->first, span->second, now);
  if (wants_table(request)) return text(view::kpis_text(kpis, table_options(request.query)));
  std::string out;
  JsonWriter json(out, 2);
  core::write_json(json, kpis);
  return json_text(out + "\n");
}

HttpResponse items(const IncidentReportsAccess& access, const HttpRequest& request) {
  const std::string_view given = parameter(request.query, "state");
  const std::string_view state = given.empty() ? "open" : given;
  static constexpr std::string_view kStates[] = {"open", "overdue", "done", "all"};
  if (std::find(std::begin(kStates), std::end(kStates), state) == std::end(kStates)) {
    return problem(400,
                   "state must be open, overdue, done or all, found '" + std::string(state) + "'");
  }
  const WallTime now = access.now();
  std::vector<view::ItemShown> found;
  for (const core::Incident& incident : everything(access, now)) {
    for (const core::ActionItem& item : incident.items) {
      const bool done = item.done != WallTime{};
      const bool shown = state == "all" || (state == "open" && !done) ||
                         (state == "done" && done) || (state == "overdue" && item.overdue(now));
      if (shown) found.push_back({incident.id, item});
    }
  }
  // The first due first, then those without a date.
  std::stable_sort(found.begin(), found.end(), [](const auto& a, const auto& b) {
    const auto key = [](const view::ItemShown& one) {
      return one.item.due == WallTime{} ? INT64_MAX : one.item.due.ns;
    };
    return key(a) < key(b);
  });
  if (wants_table(request)) {
    return text(view::items_table(found, now, table_options(request.query)));
  }
  return json_text(view::items_json(found, now));
}

// What can be said of the node; `known` are the names that a rewritten text may not make up.
core::NarrativeFacts facts_of(const IncidentReportsAccess& access, WallTime now,
                              std::vector<std::string>& known) {
  const auto statuses = access.statuses();
  for (const slo::SloStatus& s : statuses) {
    known.push_back(s.slo);
    known.push_back(s.service);
  }
  auto incidents = everything(access, now);
  for (const core::Incident& one : incidents) {
    known.insert(known.end(), one.services.begin(), one.services.end());
    known.insert(known.end(), one.nodes.begin(), one.nodes.end());
  }
  std::sort(known.begin(), known.end());
  known.erase(std::unique(known.begin(), known.end()), known.end());
  return narrative_facts(statuses, std::move(incidents), access.changes(), {}, now);
}

HttpResponse story(const core::Narrative& narrative, const incident::Rewritten& told,
                   bool as_json) {
  if (!as_json) {
    const std::string note = told.note.empty() ? "" : "\n(" + told.note + ")\n";
    return text(told.text + "\n" + note);
  }
  std::string out;
  JsonWriter json(out, 2);
  json.begin_object().member("text", told.text).member("rewritten", told.rewritten);
  json.member("note", told.note).key("facts").begin_object();
  for (const core::NarrativeFact& fact : narrative.facts) json.member(fact.key, fact.value);
  json.end_object().key("sentences").begin_array();
  for (const core::Sentence& sentence : narrative.sentences) {
    json.begin_object().member("text", sentence.text).key("facts").begin_array();
    for (const std::string& fact : sentence.facts) json.value(fact);
    json.end_array().end_object();
  }
  json.end_array().end_object();
  return json_text(out + "\n");
}

void narrative(const IncidentReportsAccess& access, const HttpRequest& request, Reply reply) {
  std::vector<std::string> known;
  auto told = core::narrate(facts_of(access, access.now(), known));
  const bool as_json = parameter(request.query, "format") == "json";
  incident::Rewriter* const rewriter = access.rewriter();
  if (rewriter == nullptr) return reply(story(told, {told.text(), false, {}}, as_json));
  auto shared = std::make_shared<const core::Narrative>(std::move(told));
  rewriter->tell(*shared, std::move(known),
                 [shared, as_json, reply = std::move(reply)](const incident::Rewritten& rewritten) {
                   reply(story(*shared, rewritten, as_json));
                 });
}

}  // namespace

AsyncHandler make_incident_reports(IncidentReportsAccess access, AsyncHandler next) {
  const auto shared = std::make_shared<const IncidentReportsAccess>(std::move(access));
  return [shared, next = std::move(next)](const HttpRequest& request, Reply reply) {
    const bool reads = request.method != "POST";
    if (reads && request.path == "/api/kpis") return reply(kpis(*shared, request));
    if (reads && request.path == "/api/items") return reply(items(*shared, request));
    if (reads && request.path == "/api/narrative") {
      return narrative(*shared, request, std::move(reply));
    }
    next(request, std::move(reply));
  };
}

}  // namespace nines::agent::http
