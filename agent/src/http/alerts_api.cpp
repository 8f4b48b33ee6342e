#include "http/alerts_api.hpp"

#include <algorithm>
#include <memory>

#include "http/bearer.hpp"
#include "http/json_body.hpp"
#include "http/paging.hpp"
#include "nines/base/json_writer.hpp"

namespace nines::agent::http {
namespace {

using view::AlertLine;

constexpr std::string_view kAlerts = "/api/alerts", kAcknowledge = "/acknowledge";
constexpr size_t kListed = 200;

bool is_about(const nines::incident::Incident& incident, const slo::AlertEvent& event) {
  const std::string key = "burn/" + event.slo;
  return std::any_of(incident.conditions.begin(), incident.conditions.end(),
                     [&](const auto& condition) { return condition.condition.key == key; });
}

HttpResponse list(const AlertsAccess& access, std::string_view of, const HttpRequest& request) {
  const Snapshot snapshot = access.snapshot();
  auto lines = alerts_with_incidents(snapshot, access.desk(), access.now());
  if (!of.empty()) {
    const bool known =
        std::any_of(snapshot.slos.begin(), snapshot.slos.end(),
                    [&](const slo::SloStatus& s) { return s.service == of || s.slo == of; });
    std::erase_if(lines, [&](const AlertLine& one) {
      return one.event.service != of && one.event.slo != of;
    });
    if (lines.empty() && !known) {
      return problem(404, "no service and no SLO is called '" + std::string(of) + "'");
    }
  }
  if (parameter(request.query, "firing") == "true") {
    std::erase_if(lines, [](const AlertLine& one) {
      return !one.firing || one.event.kind != slo::AlertEvent::Kind::fired;
    });
  }
  const auto cursor = take_page(lines, page_of(request.query, kListed),
                                [](const AlertLine& one) { return one.key(); });
  if (!cursor.ok()) return problem(400, cursor.error().message);
  HttpResponse response{200, "application/json", "", {}};
  JsonWriter json(response.body, 2);
  json.begin_array();
  for (const AlertLine& one : lines) view::write_alert_line(json, one);
  json.end_array();
  response.body += '\n';
  link_next(response, request, *cursor);
  return response;
}

std::optional<AlertLine> find(const AlertsAccess& access, std::string_view id) {
  for (AlertLine& one : alerts_with_incidents(access.snapshot(), access.desk(), access.now())) {
    if (one.id == id) return std::move(one);
  }
  return std::nullopt;
}

HttpResponse shown(const AlertLine& line) {
  HttpResponse response{200, "application/json", "", {}};
  JsonWriter json(response.body, 2);
  view::write_alert_line(json, line);
  response.body += '\n';
  return response;
}

HttpResponse answer_error(const Error& error) {
  switch (error.code) {
    case Errc::invalid_argument: return problem(400, error.message);
    case Errc::not_found: return problem(404, error.message);
    default: return problem(409, error.message);
  }
}

void acknowledge(const std::shared_ptr<const AlertsAccess>& access, const std::string& id,
                 const HttpRequest& request, Reply reply) {
  if (auto refused = refusal(request, access->token)) return reply(std::move(*refused));
  const auto body = JsonBody::parse(request.body, {"who", "text"});
  if (!body.ok()) return reply(answer_error(body.error()));
  const auto who = body->text("who"), text = body->text("text");
  if (!who.ok()) return reply(answer_error(who.error()));
  if (!text.ok()) return reply(answer_error(text.error()));
  const auto line = find(*access, id);
  if (!line) return reply(problem(404, "there is no alert '" + id + "'; /api/alerts lists them"));
  incident::Desk* const desk = access->desk();
  if (line->incident.empty() || desk == nullptr) {
    return reply(problem(409, "this alert belongs to no incident that could be acknowledged"));
  }
  const auto done = desk->did(desk->book().acknowledge(line->incident, *who, *text, access->now()));
  if (!done.ok()) return reply(answer_error(done.error()));
  access->keep([access, id, reply = std::move(reply)](const Status& kept) {
    if (!kept.ok()) {
      return reply(problem(503, "done, but not written yet: " + kept.error().message));
    }
    const auto now = find(*access, id);
    reply(now ? shown(*now) : problem(404, "there is no alert '" + id + "' any more"));
  });
}

}  // namespace

std::vector<AlertLine> alerts_with_incidents(const Snapshot& snapshot, incident::Desk* desk,
                                             WallTime now) {
  auto lines = view::alerts_of(snapshot);
  if (desk == nullptr) return lines;
  nines::incident::BookQuery open;
  open.only_open = true;
  const auto incidents = desk->book().list(open, now);
  for (AlertLine& one : lines) {
    if (one.incident.empty() && one.firing) {
      const auto found =
          std::find_if(incidents.begin(), incidents.end(),
                       [&](const auto& incident) { return is_about(incident, one.event); });
      if (found != incidents.end()) one.incident = found->id;
    }
    if (one.incident.empty()) continue;
    const auto incident = desk->book().find(one.incident, now);
    if (!incident) continue;
    one.incident = incident->id;
    one.acknowledged = incident->acknowledged;
    one.acknowledged_by = incident->acknowledged_by;
  }
  return lines;
}

AsyncHandler make_alerts_api(AlertsAccess access, AsyncHandler next) {
  const auto shared = std::make_shared<const AlertsAccess>(std::move(access));
  return [shared, next = std::move(next)](const HttpRequest& request, Reply reply) {
    std::string_view path = request.path;
    const bool ours =
        path.starts_with(kAlerts) && (path.size() == kAlerts.size() || path[kAlerts.size()] == '/');
    if (!ours) return next(request, std::move(reply));
    path.remove_prefix(std::min(path.size(), kAlerts.size() + 1));
    if (request.method == "PATCH" && path.ends_with(kAcknowledge)) {
      path.remove_suffix(kAcknowledge.size());
      return acknowledge(shared, std::string(path), request, std::move(reply));
    }
    reply(list(*shared, path, request));
  };
}

}  // namespace nines::agent::http
