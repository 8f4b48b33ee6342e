#include "http/summary_api.hpp"

#include <memory>

#include "http/narrative_facts.hpp"
#include "nines/base/json_writer.hpp"

namespace nines::agent::http {
namespace {

namespace core = nines::incident;

constexpr std::string_view kSummary = "/api/summary", kHeatmap = "/api/summary/heatmap";

HttpResponse json_of(std::string body) { return {200, "application/json", std::move(body), {}}; }

core::Narrative story(const SummaryAccess& access, const Snapshot& snapshot,
                      std::string_view service) {
  const WallTime now = access.now();
  std::vector<core::Incident> incidents;
  if (const core::IncidentBook* const book = access.book()) {
    core::BookQuery wish;
    wish.from = {now.ns - 86400 * kNsPerSecond};
    incidents = book->list(wish, now);
  }
  return core::narrate(
      narrative_facts(snapshot.slos, std::move(incidents), access.changes(), service, now));
}

HttpResponse summary(const SummaryAccess& access) {
  const Snapshot snapshot = access.snapshot();
  const core::Narrative told = story(access, snapshot, {});
  const auto [nodes, alive] = access.nodes();
  return json_of(view::summary_json(
      snapshot, access.specs,
      {told.sentences.empty() ? "" : told.sentences.front().text, nodes, alive}));
}

HttpResponse of_service(const SummaryAccess& access, std::string_view name) {
  const Snapshot snapshot = access.snapshot();
  const auto slos = view::slos_of(snapshot, name);
  if (slos.empty()) {
    return problem(404, "no service and no SLO is called '" + std::string(name) +
                            "'; /api/services lists them");
  }
  const std::string service = slos.front()->service;
  for (const view::ServiceShown& one : view::services_of(snapshot, access.specs)) {
    if (one.name != service) continue;
    HttpResponse response = json_of("");
    const core::Narrative told = story(access, snapshot, service);
    JsonWriter json(response.body, 2);
    json.begin_object().member("service_name", service);
    json.member("risk_level", slo::risk_name(one.risk));
    json.member("state", slo::state_name(one.state)).member("text", told.text());
    json.key("sentences").begin_array();
    for (const core::Sentence& sentence : told.sentences) {
      json.begin_object().member("text", sentence.text).key("facts").begin_array();
      for (const std::string& fact : sentence.facts) json.value(fact);
      json.end_array().end_object();
    }
    json.end_array().key("facts").begin_object();
    for (const core::NarrativeFact& fact : told.facts) json.member(fact.key, fact.value);
    json.end_object().end_object();
    response.body += '\n';
    return response;
  }
  return problem(404, "no service is called '" + service + "'");
}

}  // namespace

AsyncHandler make_summary_api(SummaryAccess access, AsyncHandler next) {
  const auto shared = std::make_shared<const SummaryAccess>(std::move(access));
  return [shared, next = std::move(next)](const HttpRequest& request, Reply reply) {
    std::string_view path = request.path;
    if (path == kSummary) return reply(summary(*shared));
    if (path == kHeatmap) {
      return reply(json_of(view::heatmap_json(shared->snapshot(), shared->specs)));
    }
    if (!path.starts_with(kSummary) || path.size() < kSummary.size() + 2 ||
        path[kSummary.size()] != '/') {
      return next(request, std::move(reply));
    }
    path.remove_prefix(kSummary.size() + 1);
    reply(of_service(*shared, path));
  };
}

}  // namespace nines::agent::http
