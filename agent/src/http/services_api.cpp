#include "http/services_api.hpp"

#include <algorithm>
#include <memory>

#include "config/reader.hpp"
#include "http/bearer.hpp"
#include "http/paging.hpp"
#include "nines/base/json_writer.hpp"
#include "view/burn_view.hpp"
#include "view/incident_status.hpp"
#include "view/services_view.hpp"
#include "view/status_json.hpp"

namespace nines::agent::http {
namespace {

using slo::SloStatus;

constexpr std::string_view kServices = "/api/services/", kSlo = "/api/slo/", kBurn = "/api/burn/",
                           kForecast = "/api/forecast/", kRelease = "/api/release/",
                           kTargets = "/targets";
constexpr size_t kListed = 200;
constexpr int64_t kKeptS = 92 * 86400;

struct Routes {
  ServicesAccess access;
  AsyncHandler next;
  view::SpecOf specs() const {
    return [this](std::string_view slo) { return spec_of(access.book(), slo); };
  }
};

HttpResponse json_of(std::string body) { return {200, "application/json", std::move(body), {}}; }

HttpResponse unknown(std::string_view name) {
  return problem(
      404, "no service and no SLO is called '" + std::string(name) + "'; /api/services lists them");
}

// The array of what `write` makes of one page.
template <class T, class Key, class Write>
HttpResponse page(const HttpRequest& request, std::vector<T> items, Key key, Write write) {
  const auto cursor = take_page(items, page_of(request.query, kListed), key);
  if (!cursor.ok()) return problem(400, cursor.error().message);
  HttpResponse response = json_of("");
  JsonWriter json(response.body, 2);
  json.begin_array();
  for (const T& one : items) write(json, one);
  json.end_array();
  response.body += '\n';
  link_next(response, request, *cursor);
  return response;
}

HttpResponse services(const Routes& routes, const HttpRequest& request) {
  const Snapshot snapshot = routes.access.snapshot();
  return page(
      request, view::services_of(snapshot, routes.specs()),
      [](const view::ServiceShown& one) { return one.name; },
      [](JsonWriter& json, const view::ServiceShown& one) {
        json.begin_object();
        view::write_service_members(json, one);
        json.end_object();
      });
}

void write_targets(JsonWriter& json, const Routes& routes,
                   const std::vector<const SloStatus*>& slos) {
  json.begin_array();
  for (const SloStatus* s : slos) {
    const slo::SloSpec* const spec = spec_of(routes.access.book(), s->slo);
    if (spec != nullptr) view::write_target(json, *spec);
  }
  json.end_array();
}

HttpResponse service(const Routes& routes, std::string_view name) {
  const Snapshot snapshot = routes.access.snapshot();
  for (const view::ServiceShown& one : view::services_of(snapshot, routes.specs())) {
    if (one.name != name) continue;
    HttpResponse response = json_of("");
    JsonWriter json(response.body, 2);
    json.begin_object();
    view::write_service_members(json, one);
    json.key("status").begin_array();
    for (const SloStatus* s : one.slos) view::write_slo(json, *s);
    json.end_array().key("targets");
    write_targets(json, routes, one.slos);
    json.key("incidents").begin_array();
    for (const OpenIncident& incident : snapshot.incidents.open) {
      if (incident.service == name) view::write_open_incident(json, incident);
    }
    json.end_array().end_object();
    response.body += '\n';
    return response;
  }
  return problem(404, "no service is called '" + std::string(name) + "'; /api/services lists them");
}

HttpResponse targets(const Routes& routes, std::string_view name) {
  const Snapshot snapshot = routes.access.snapshot();
  const auto slos = view::slos_of(snapshot, name);
  if (slos.empty()) return unknown(name);
  HttpResponse response = json_of("");
  JsonWriter json(response.body, 2);
  write_targets(json, routes, slos);
  response.body += '\n';
  return response;
}

// nullopt: the routes of SLOs know it, or know what there is.
std::optional<HttpResponse> slo_of_service(const Routes& routes, std::string_view name) {
  const Snapshot snapshot = routes.access.snapshot();
  const auto slos = view::slos_of(snapshot, name);
  if (slos.empty() || slos.front()->slo == name) return std::nullopt;
  HttpResponse response = json_of("");
  JsonWriter json(response.body, 2);
  if (slos.size() == 1) {
    view::write_slo(json, *slos.front());
    response.body += '\n';
    return response;
  }
  response.status = 409;
  response.content_type = "application/problem+json";
  json.begin_object().member("type", "about:blank").member("title", reason_phrase(409));
  json.member("status", 409);
  json.member("detail", "the service '" + std::string(name) + "' has several SLOs: name one");
  json.key("choices").begin_array();
  for (const SloStatus* s : slos) json.value(s->slo);
  json.end_array().end_object();
  response.body += '\n';
  return response;
}

HttpResponse burns(const Routes& routes, const HttpRequest& request) {
  const Snapshot snapshot = routes.access.snapshot();
  std::vector<const SloStatus*> slos;
  for (const SloStatus& s : snapshot.slos) slos.push_back(&s);
  return page(
      request, std::move(slos), [](const SloStatus* s) { return s->slo; },
      [](JsonWriter& json, const SloStatus* s) { view::write_burn(json, *s); });
}

HttpResponse burn(const Routes& routes, std::string_view name, std::string_view query) {
  const Snapshot snapshot = routes.access.snapshot();
  const auto slos = view::slos_of(snapshot, name);
  if (slos.empty()) return unknown(name);
  int64_t length_s = 86400;
  if (const std::string given = decoded_parameter(query, "span"); !given.empty()) {
    const auto ms = config::parse_duration_ms(given);
    if (!ms || *ms < 3'600'000 || *ms > kKeptS * 1000) {
      return problem(400, "span must lie within 1h..92d, found '" + given + "'");
    }
    length_s = *ms / 1000;
  }
  const Logbook& book = routes.access.book();
  const view::Span span = view::history_span(routes.access.now(), length_s);
  return json_of(view::burn_json(book.engine(), slos, span, book.all()));
}

HttpResponse forecast(const Routes& routes, std::string_view name) {
  const Snapshot snapshot = routes.access.snapshot();
  const auto slos = view::slos_of(snapshot, name);
  return slos.empty() ? unknown(name) : json_of(view::service_forecast_json(slos));
}

HttpResponse release(const Routes& routes, std::string_view name) {
  const Snapshot snapshot = routes.access.snapshot();
  const auto slos = view::slos_of(snapshot, name);
  return slos.empty() ? unknown(name) : json_of(view::service_release_json(slos));
}

std::optional<HttpResponse> read(const Routes& routes, const HttpRequest& request) {
  std::string_view path = request.path;
  const auto below = [&](std::string_view prefix) {
    if (!path.starts_with(prefix) || path.size() == prefix.size()) return false;
    path.remove_prefix(prefix.size());
    return true;
  };
  if (path == "/api/services") return services(routes, request);
  if (path == "/api/burn") return burns(routes, request);
  if (below(kServices)) return service(routes, path);
  if (below(kBurn)) return burn(routes, path, request.query);
  if (below(kForecast)) return forecast(routes, path);
  if (below(kRelease)) return release(routes, path);
  if (!below(kSlo)) return std::nullopt;
  if (path.ends_with(kTargets) && path.size() > kTargets.size()) {
    return targets(routes, path.substr(0, path.size() - kTargets.size()));
  }
  return slo_of_service(routes, path);
}

}  // namespace

std::optional<uint32_t> place_of(const slo::SloEngine& engine, std::string_view slo) {
  for (uint32_t i = 0; i < engine.size(); ++i) {
    if (engine.has(i) && engine.spec(i).name == slo) return i;
  }
  return std::nullopt;
}

const slo::SloSpec* spec_of(const Logbook& book, std::string_view slo) {
  const auto place = place_of(book.engine(), slo);
  return place ? &book.engine().spec(*place) : nullptr;
}

AsyncHandler make_services_api(ServicesAccess access, AsyncHandler next) {
  const auto routes = std::make_shared<const Routes>(Routes{std::move(access), std::move(next)});
  return [routes](const HttpRequest& request, Reply reply) {
    if (request.method == "POST" && request.path == "/api/burn/compute") {
      if (auto refused = refusal(request, routes->access.token)) return reply(std::move(*refused));
      routes->access.read_on();
      return reply(burns(*routes, request));
    }
    // The override of a release is that of the gate.
    constexpr std::string_view kOverride = "/override";
    const bool overrides = request.method == "POST" && request.path.starts_with(kRelease) &&
                           request.path.ends_with(kOverride) &&
                           request.path.size() > kRelease.size() + kOverride.size();
    if (overrides) {
      HttpRequest of_gate = request;
      of_gate.path = "/api/gate/" + request.path.substr(kRelease.size());
      return routes->next(of_gate, std::move(reply));
    }
    if (request.method == "GET" || request.method == "HEAD") {
      if (auto answer = read(*routes, request)) return reply(std::move(*answer));
    }
    routes->next(request, std::move(reply));
  };
}

}  // namespace nines::agent::http
