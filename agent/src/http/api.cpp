#include "http/api.hpp"

#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <string_view>

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

struct RouteDoc {
  const char* path;
  const char* operation;
  const char* summary;
  const char* content_type;
  const char* method = "get";
};

// The one list of routes: the router's 404 text and /api/openapi.json come from it.
constexpr RouteDoc kRoutes[] = {
    {"/", "dashboard", "Dashboard page for a browser", "text/html"},
    {"/metrics", "metrics", "Prometheus text format 0.0.4", "text/plain"},
    {"/healthz", "healthz", "200 while the process is alive", "text/plain"},
    {"/readyz", "readyz", "200 when counting is up to date, else 503 with the reason",
     "text/plain"},
    {"/api/slo", "list_slos", "Status of every SLO", "application/json"},
    {"/api/slo/{name}", "get_slo", "Status of one SLO", "application/json"},
    {"/api/slo/{name}/explain", "explain_slo", "Every number of one SLO with its arithmetic",
     "text/plain"},
    {"/api/slo/{name}/history", "history_of_slo",
     "Its events step by step, and the entries of the change log that fall into them",
     "application/json"},
    {"/api/slo/{name}/forecast", "forecast_of_slo", "Where the budget of one SLO goes",
     "application/json"},
    {"/api/slo/{name}/backtest", "backtest_of_slo",
     "How good its forecasts would have been over the recorded past", "application/json"},
    {"/api/forecast", "list_forecasts", "Where the budgets go; format=table for people",
     "application/json"},
    {"/api/backtest", "list_backtests", "Back-tests of all forecasts; format=table for people",
     "application/json"},
    {"/api/capacity", "capacity", "How long CPU, memory and disks of the node last",
     "application/json"},
    {"/api/gate", "gate", "Whether releases may go out, by every SLO; format=text for people",
     "application/json"},
    {"/api/gate/{name}", "gate_of", "The same of one SLO or service", "application/json"},
    {"/api/gate/{name}/override", "override_gate",
     "Opens the gate of an SLO or service for a time, or takes that back; needs the bearer token",
     "application/json", "post"},
    {"/api/changes", "list_changes", "The change log, newest first", "application/json"},
    {"/api/changes", "annotate", "Writes an entry; needs the bearer token", "application/json",
     "post"},
    {"/api/changes/{id}", "get_change", "One entry with its release watches", "application/json"},
    {"/api/changes/{id}/impact", "change_impact",
     "Before and after, against services that were left alone", "application/json"},
    {"/api/report", "report", "What a period was like; format=md for people", "application/json"},
    {"/api/status", "status", "Node, version, sources and limits of the agent", "application/json"},
    {"/api/queries", "list_queries", "Standing queries: when they ran, what they found",
     "application/json"},
    {"/api/alerts", "list_alerts", "Recent alert transitions, newest first", "application/json"},
    {"/api/timeline", "timeline",
     "What happened on all nodes, in what order as far as that is known; format=text, mermaid, svg",
     "application/json"},
    {"/api/incidents/{id}/timeline", "timeline_of_incident", "The same of an incident",
     "application/json"},
    {"/api/kb/search", "search_kb",
     "Runbooks and postmortems that fit words, template ids and a service, the best first",
     "application/json"},
    {"/api/kb/{id}", "get_article", "One of them, whole; format=text as it was written",
     "application/json"},
    {"/api/outbox", "outbox", "Who is told of alerts, how far, and what was given up",
     "application/json"},
    {"/api/oncall", "on_call", "Who is on call until when, and everybody's load",
     "application/json"},
    {"/api/oncall/route", "on_call_route",
     "Whom a page of a service would go to, and why; format=text for people", "application/json"},
    {"/api/oncall/report", "on_call_report", "How the load of being on call was shared",
     "application/json"},
    {"/api/oncall/pages", "on_call_pages", "Who was paged of what, a JSON object a line",
     "application/x-ndjson"},
    {"/api/kpis", "kpis", "How soon trouble was noticed, answered and over, of a time",
     "application/json"},
    {"/api/items", "list_items", "Action items of all incidents", "application/json"},
    {"/api/narrative", "narrative", "What goes on, in plain sentences; format=json with the facts",
     "text/plain"},
    {"/api/openapi.json", "openapi", "This description", "application/json"},
};

HttpResponse text(int status, std::string body) {
  return {status, "text/plain; charset=utf-8", std::move(body), {}};
}
HttpResponse json(std::string body) { return {200, "application/json", std::move(body), {}}; }

void write_responses(JsonWriter& out, const RouteDoc& route) {
  const std::string_view path = route.path;
  out.key("responses").begin_object();
  const bool writes = std::string_view(route.method) == "post";
  out.key(writes ? "201" : "200").begin_object().member("description", route.summary);
  out.key("content").begin_object().key(route.content_type).begin_object().key("schema");
  out.begin_object();
  if (path == "/api/slo") {
    out.member("type", "array").key("items").begin_object();
    out.member("$ref", "#/components/schemas/SloStatus").end_object();
  } else if (path == "/api/slo/{name}") {
    out.member("$ref", "#/components/schemas/SloStatus");
  } else if (path == "/api/alerts" || path == "/api/queries" || path == "/api/forecast" ||
             path == "/api/capacity" || path == "/api/items" || path == "/api/kb/search" ||
             path.ends_with("backtest") ||
             (path == "/api/changes" && std::string_view(route.method) == "get")) {
    out.member("type", "array").key("items").begin_object().member("type", "object").end_object();
  } else {
    out.member("type",
               std::string_view(route.content_type) == "application/json" ? "object" : "string");
  }
  out.end_object().end_object().end_object().end_object();
  const auto failure = [&](const char* status, const char* why) {
    out.key(status).begin_object().member("description", why).end_object();
  };
  if (path.find("{name}") != std::string_view::npos) failure("404", "No SLO has this name");
  if (path.find("{id}") != std::string_view::npos) failure("404", "No entry has this id");
  if (writes) {
    failure("400", "The body is wrong; the message says how");
    failure("401", "No bearer token was sent");
    failure("403", "Another bearer token was sent");
    failure("413", "The body is larger than 64 KiB");
    failure("503", "It could not be kept");
  }
  if (path == "/readyz") {
    out.key("503")
        .begin_object()
        .member("description", "Not ready; the body says why")
        .end_object();
  }
  out.end_object();
}

struct ParameterDoc {
  const char* path;
  const char* name;
  const char* in;
  const char* type;
  const char* description;
};
constexpr ParameterDoc kParameters[] = {
    {"/api/slo", "format", "query", "string", "json (default), ndjson, csv or table"},
    {"/api/slo", "width", "query", "integer", "columns of the table, 40 to 400"},
    {"/api/slo", "color", "query", "string", "1: the table has ANSI colours"},
    {"/api/gate", "format", "query", "string", "json (default) or text"},
    {"/api/gate/{name}", "name", "path", "string", "of the SLO or service"},
    {"/api/gate/{name}", "format", "query", "string", "json (default) or text"},
    {"/api/gate/{name}/override", "name", "path", "string", "of the SLO or service"},
    {"/api/changes", "service", "query", "string", "only its entries"},
    {"/api/changes", "kind", "query", "string", "only such entries"},
    {"/api/changes", "limit", "query", "integer", "1 to 2000, 200 by default"},
    {"/api/changes", "format", "query", "string", "json (default) or table"},
    {"/api/changes/{id}", "id", "path", "integer", "of the entry"},
    {"/api/changes/{id}", "format", "query", "string", "json (default) or text"},
    {"/api/changes/{id}/impact", "id", "path", "integer", "of the entry"},
    {"/api/changes/{id}/impact", "window", "query", "string", "each side, 1m to 7d; 2h by default"},
    {"/api/changes/{id}/impact", "format", "query", "string", "json (default) or text"},
    {"/api/report", "month", "query", "string", "2026-11"},
    {"/api/report", "days", "query", "integer", "1 to 92; 30 by default"},
    {"/api/report", "format", "query", "string", "json (default) or md"},
    {"/api/slo/{name}", "name", "path", "string", "of the SLO"},
    {"/api/slo/{name}/explain", "name", "path", "string", "of the SLO"},
    {"/api/slo/{name}/history", "name", "path", "string", "of the SLO"},
    {"/api/slo/{name}/history", "span", "query", "string", "1h to 92d; 24h by default"},
    {"/api/slo/{name}/forecast", "name", "path", "string", "of the SLO"},
    {"/api/slo/{name}/forecast", "format", "query", "string", "json (default) or table"},
    {"/api/slo/{name}/backtest", "name", "path", "string", "of the SLO"},
    {"/api/slo/{name}/backtest", "format", "query", "string", "json (default) or table"},
    {"/api/forecast", "format", "query", "string", "json (default) or table"},
    {"/api/capacity", "format", "query", "string", "json (default) or table"},
    {"/api/backtest", "format", "query", "string", "json (default) or table"},
    {"/api/kb/search", "q", "query", "string", "words"},
    {"/api/kb/search", "service", "query", "string", "of this one first"},
    {"/api/kb/search", "template", "query", "string", "ids of message templates, by commas"},
    {"/api/kb/search", "kind", "query", "string", "runbook or postmortem"},
    {"/api/kb/search", "limit", "query", "integer", "1 to 50; 5 by default"},
    {"/api/kb/{id}", "id", "path", "string", "as search shows it, escaped"},
    {"/api/kb/{id}", "format", "query", "string", "json (default) or text"},
    {"/api/kpis", "from", "query", "string", "RFC 3339; 30 days before `to` by default"},
    {"/api/kpis", "to", "query", "string", "RFC 3339; now by default"},
    {"/api/kpis", "since", "query", "string", "instead of `from`: 1h to 92d"},
    {"/api/kpis", "format", "query", "string", "json (default) or table"},
    {"/api/items", "state", "query", "string", "open (default), overdue, done or all"},
    {"/api/items", "format", "query", "string", "json (default) or table"},
    {"/api/narrative", "format", "query", "string", "text (default) or json"},
};

struct MemberDoc {
  const char* operation;
  const char* name;
  const char* type;
};
constexpr MemberDoc kMembers[] = {
    {"annotate", "kind", "string"},        {"annotate", "service", "string"},
    {"annotate", "slo", "string"},         {"annotate", "at", "string"},
    {"annotate", "from", "string"},        {"annotate", "to", "string"},
    {"annotate", "who", "string"},         {"annotate", "text", "string"},
    {"annotate", "details", "object"},     {"override_gate", "reason", "string"},
    {"override_gate", "ttl", "string"},    {"override_gate", "by", "string"},
    {"override_gate", "revoke", "boolean"}};

void write_body(JsonWriter& out, const RouteDoc& route) {
  out.key("requestBody").begin_object().member("required", true);
  out.key("content").begin_object().key("application/json").begin_object();
  out.key("schema").begin_object().member("type", "object").key("properties").begin_object();
  for (const MemberDoc& member : kMembers) {
    if (std::string_view(member.operation) != route.operation) continue;
    out.key(member.name).begin_object().member("type", member.type).end_object();
  }
  out.end_object().end_object().end_object().end_object().end_object();
  out.key("security").begin_array().begin_object();
  out.key("bearer").begin_array().end_array().end_object().end_array();
}

void write_operation(JsonWriter& out, const RouteDoc& route) {
  out.key(route.method).begin_object();
  out.member("operationId", route.operation).member("summary", route.summary);
  out.key("parameters").begin_array();
  const bool writes = std::string_view(route.method) == "post";
  for (const ParameterDoc& parameter : kParameters) {
    if (std::string_view(parameter.path) != route.path) continue;
    if (writes && std::string_view(parameter.in) == "query") continue;
    out.begin_object().member("name", parameter.name).member("in", parameter.in);
    out.member("required", std::string_view(parameter.in) == "path");
    out.member("description", parameter.description);
    out.key("schema").begin_object().member("type", parameter.type).end_object().end_object();
  }
  out.end_array();
  if (writes) write_body(out, route);
  write_responses(out, route);
  out.end_object();
}

// Routes of one path stand together.
void write_paths(JsonWriter& out) {
  std::string_view open;
  for (const RouteDoc& route : kRoutes) {
    if (open != route.path) {
      if (!open.empty()) out.end_object();
      out.key(route.path).begin_object();
      open = route.path;
    }
    write_operation(out, route);
  }
  out.end_object();
}

struct Property {
  const char* name;
  const char* type;
  bool nullable;
};
constexpr Property kSloProperties[] = {{"slo", "string", false},
                                       {"service", "string", false},
                                       {"tier", "integer", false},
                                       {"target", "number", true},
                                       {"window", "string", false},
                                       {"budgeting_method", "string", false},
                                       {"good", "integer", false},
                                       {"bad", "integer", false},
                                       {"total", "integer", false},
                                       {"sli", "number", true},
                                       {"burn_rate_5m", "number", true},
                                       {"burn_rate_1h", "number", true},
                                       {"burn_rate_24h", "number", true},
                                       {"composite_burn_rate", "number", true},
                                       {"error_budget_consumed", "number", true},
                                       {"error_budget_remaining", "number", true},
                                       {"risk_level", "string", false},
                                       {"state", "string", false},
                                       {"coverage", "number", false},
                                       {"window_start", "string", true},
                                       {"window_end", "string", true},
                                       {"alerts", "array", false},
                                       {"timestamp", "string", true},
                                       {"draft", "boolean", false},
                                       {"release", "object", false},
                                       {"forecast", "object", false},
                                       {"budget_policy", "object", true},
                                       {"windows", "object", false}};

void write_schema(JsonWriter& out) {
  out.key("components").begin_object().key("schemas").begin_object();
  out.key("SloStatus").begin_object().member("type", "object").key("properties").begin_object();
  for (const Property& property : kSloProperties) {
    out.key(property.name).begin_object().key("type");
    if (property.nullable)
      out.begin_array().value(property.type).value("null").end_array();
    else
      out.value(property.type);
    if (std::string_view(property.type) == "array") {
      out.key("items").begin_object().member("type", "object").end_object();
    }
    out.end_object();
  }
  out.end_object().key("required").begin_array();
  for (const Property& property : kSloProperties) out.value(property.name);
  out.end_array().end_object().end_object();
  out.key("securitySchemes").begin_object().key("bearer").begin_object();
  out.member("type", "http").member("scheme", "bearer").end_object().end_object().end_object();
}

std::string openapi_json(const Snapshot& snapshot) {
  std::string body;
  JsonWriter out(body, 2);
  out.begin_object().member("openapi", "3.1.0");
  out.key("info").begin_object().member("title", "Nines agent");
  out.member("version", snapshot.version).end_object();
  out.key("paths").begin_object();
  write_paths(out);
  out.end_object();
  write_schema(out);
  out.end_object();
  return body += '\n';
}

std::string csp_hash(std::string_view page, std::string_view open, std::string_view close) {
  const size_t begin = page.find(open) + open.size();
  const std::string_view code = page.substr(begin, page.find(close, begin) - begin);
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest;
  unsigned int size = 0;
  EVP_Digest(code.data(), code.size(), digest.data(), &size, EVP_sha256(), nullptr);
  std::array<unsigned char, 4 * EVP_MAX_MD_SIZE> base64;
  const int n = EVP_EncodeBlock(base64.data(), digest.data(), static_cast<int>(size));
  return "'sha256-" + std::string(base64.begin(), base64.begin() + n) + "'";
}

// Only the page's own style and script run, and it talks to its own agent only.
HttpResponse dashboard() {
  static const std::string policy =
      "default-src 'none'; connect-src 'self'; img-src 'self'; base-uri 'none'; form-action "
      "'none'; "
      "frame-ancestors 'none'; style-src " +
      csp_hash(kDashboardHtml, "<style>", "</style>") + "; script-src " +
      csp_hash(kDashboardHtml, "<script>", "</script>");
  return {200,
          "text/html; charset=utf-8",
          kDashboardHtml,
          {{"Content-Security-Policy", policy},
           {"X-Frame-Options", "DENY"},
           {"Referrer-Policy", "no-referrer"}}};
}

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
  return json_error(404, "no SLO is called '" + std::string(rest) + "'; /api/slo lists them");
}

// ?format=json (default), ndjson, csv, or table with width= and color=1, as `nines slo status`
// asks.
HttpResponse slo_list(const Snapshot& snapshot, std::string_view query) {
  const std::string_view format = parameter(query, "format");
  if (format.empty() || format == "json") return json(view::slos_json(snapshot));
  if (format == "ndjson") return {200, "application/x-ndjson", view::slos_ndjson(snapshot), {}};
  if (format == "csv") return {200, "text/csv; charset=utf-8", view::slos_csv(snapshot), {}};
  if (format != "table") {
    return json_error(400, "format=" + std::string(format) + " is not json, ndjson, csv or table");
  }
  const view::TableOptions options = table_options(query);
  const std::string footer = view::incidents_footer(snapshot, options);
  return text(200, view::status_table(snapshot, options) + "\n" +
                       view::sources_table(snapshot, options) + (footer.empty() ? "" : "\n") +
                       footer);
}

HttpResponse gate(const Snapshot& snapshot, std::string_view name, std::string_view query) {
  const auto found = view::gate_of(snapshot, name);
  if (!found) return json_error(404, "no SLO or service is called '" + std::string(name) + "'");
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
  std::string paths;
  for (const RouteDoc& route : kRoutes) {
    if (std::string_view(route.method) != "get") continue;
    paths += std::string(paths.empty() ? "" : ", ") + route.path;
  }
  return json_error(404, "nothing is served at '" + path + "'; there are " + paths);
}

}  // namespace

Handler make_api(std::function<Snapshot()> snapshot, Insight insight) {
  return [snapshot = std::move(snapshot),
          insight = std::move(insight)](const HttpRequest& request) -> HttpResponse {
    const std::string& path = request.path;
    if (path == "/healthz") return text(200, "ok\n");
    if (path == "/") return dashboard();
    if (path == "/readyz") return readiness(snapshot());
    if (path == "/metrics") {
      return {200, view::kMetricsContentType, view::metrics_text(snapshot()), {}};
    }
    if (auto found = insight_routes(request, snapshot, insight)) return std::move(*found);
    if (path == "/api/slo") return slo_list(snapshot(), request.query);
    if (path.starts_with(kSloPrefix)) return one_slo(snapshot(), path.substr(kSloPrefix.size()));
    if (path == "/api/gate") return gate(snapshot(), {}, request.query);
    if (path.starts_with(kGatePrefix)) {
      return gate(snapshot(), path.substr(kGatePrefix.size()), request.query);
    }
    if (path == "/api/status") return json(view::agent_json(snapshot()));
    if (path == "/api/queries") return json(view::queries_json(snapshot().queries));
    if (path == "/api/alerts") return json(view::alerts_json(snapshot()));
    if (path == "/api/openapi.json") return json(openapi_json(snapshot()));
    return unknown(path);
  };
}

}  // namespace nines::agent::http
