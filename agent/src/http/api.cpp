#include "http/api.hpp"

#include <string_view>

#include "http/paging.hpp"
#include "http/query.hpp"
#include "http/table_options.hpp"
#include "nines/base/json_writer.hpp"
#include "view/explain.hpp"
#include "view/incident_status.hpp"
#include "view/metrics_text.hpp"
#include "view/queries_json.hpp"
#include "view/status_json.hpp"
#include "view/status_table.hpp"

namespace nines::agent::http {
namespace {

constexpr std::string_view kSloPrefix = "/api/slo/";
constexpr std::string_view kGatePrefix = "/api/gate/";
constexpr std::string_view kExplainSuffix = "/explain";
constexpr size_t kListed = 1000;

HttpResponse text(int status, std::string body) {
  return {status, "text/plain; charset=utf-8", std::move(body), {}};
}
HttpResponse json(std::string body) { return {200, "application/json", std::move(body), {}}; }

HttpResponse one_slo(const Snapshot& snapshot, std::string_view rest) {
  const auto find = [&](std::string_view name) -> const slo::SloStatus* {
    for (const slo::SloStatus& status : snapshot.slos) {
      if (status.slo == name) return &status;
    }
    return nullptr;
  };
  if (const slo::SloStatus* status = find(rest)) {
    std::string body;
    JsonWriter out(body, 2);
    view::write_slo(out, *status);
    return json(body += '\n');
  }
  if (rest.ends_with(kExplainSuffix)) {
    rest.remove_suffix(kExplainSuffix.size());
    if (const slo::SloStatus* status = find(rest)) return text(200, view::explain_text(*status));
  }
  return problem(404, "no SLO is called '" + std::string(rest) + "'; /api/slo lists them");
}

HttpResponse slo_table(const Snapshot& snapshot, std::string_view query) {
  const view::TableOptions options = table_options(query);
  const std::string footer = view::incidents_footer(snapshot, options);
  return text(200, view::status_table(snapshot, options) + "\n" +
                       view::sources_table(snapshot, options) + (footer.empty() ? "" : "\n") +
                       footer);
}

// ?format=json (default), ndjson, csv, or table with width= and color=1, as `nines slo status`
// asks.
HttpResponse slo_list(Snapshot snapshot, const HttpRequest& request) {
  const std::string_view format = parameter(request.query, "format");
  if (format == "table") return slo_table(snapshot, request.query);
  const auto cursor = take_page(snapshot.slos, page_of(request.query, kListed),
                                [](const slo::SloStatus& s) { return s.slo; });
  if (!cursor.ok()) return problem(400, cursor.error().message);
  HttpResponse response;
  if (format.empty() || format == "json") {
    response = json(view::slos_json(snapshot));
  } else if (format == "ndjson") {
    response = {200, "application/x-ndjson", view::slos_ndjson(snapshot), {}};
  } else if (format == "csv") {
    response = {200, "text/csv; charset=utf-8", view::slos_csv(snapshot), {}};
  } else {
    return problem(400, "format=" + std::string(format) + " is not json, ndjson, csv or table");
  }
  link_next(response, request, *cursor);
  return response;
}

HttpResponse gate(const Snapshot& snapshot, std::string_view name, std::string_view query) {
  const auto found = view::gate_of(snapshot, name);
  if (!found) return problem(404, "no SLO or service is called '" + std::string(name) + "'");
  if (parameter(query, "format") == "text") return text(200, view::gate_text(*found));
  return json(view::gate_json(*found));
}

HttpResponse readiness(const Snapshot& snapshot) {
  const std::string& in_memory = snapshot.store_trouble.in_memory;
  if (snapshot.ready && !in_memory.empty()) {  // it counts and tells: no reason to restart it
    return text(200, "ready, but the state is only in memory: " + in_memory + "\n");
  }
  if (snapshot.ready) return text(200, "ready\n");
  return text(503, "not ready: " + snapshot.not_ready_reason + "\n");
}

HttpResponse unknown(const std::string& path) {
  return problem(404, "nothing is served at '" + path +
                          "' by this agent; /api/openapi.json describes all that may be");
}

}  // namespace

Handler make_api(std::function<Snapshot()> snapshot, Insight insight) {
  return [snapshot = std::move(snapshot),
          insight = std::move(insight)](const HttpRequest& request) -> HttpResponse {
    const std::string& path = request.path;
    if (path == "/healthz") return text(200, "ok\n");
    if (path == "/readyz") return readiness(snapshot());
    if (path == "/metrics") {
      const std::string more = insight.metrics ? insight.metrics() : std::string();
      return {200, view::kMetricsContentType, view::metrics_text(snapshot()) + more, {}};
    }
    if (auto found = insight_routes(request, snapshot, insight)) return std::move(*found);
    if (path == "/api/slo") return slo_list(snapshot(), request);
    if (path.starts_with(kSloPrefix)) return one_slo(snapshot(), path.substr(kSloPrefix.size()));
    if (path == "/api/gate") return gate(snapshot(), {}, request.query);
    if (path.starts_with(kGatePrefix)) {
      return gate(snapshot(), path.substr(kGatePrefix.size()), request.query);
    }
    if (path == "/api/status") return json(view::agent_json(snapshot()));
    if (path == "/api/queries") return json(view::queries_json(snapshot().queries));
    return unknown(path);
  };
}

}  // namespace nines::agent::http
