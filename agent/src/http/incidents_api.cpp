#include "http/incidents_api.hpp"

#include <algorithm>
#include <charconv>
#include <memory>
#include <optional>

#include "config/reader.hpp"
#include "http/bearer.hpp"
#include "http/json_body.hpp"
#include "http/paging.hpp"
#include "http/query.hpp"
#include "incident/review_facts.hpp"
#include "nines/base/json_writer.hpp"
#include "nines/incident/communication.hpp"
#include "nines/incident/narrative.hpp"
#include "nines/incident/postmortem.hpp"
#include "view/incident_text.hpp"

namespace nines::agent::http {
namespace {

namespace core = nines::incident;

constexpr std::string_view kIncidents = "/api/incidents";
constexpr std::string_view kReview = "/postmortem";
constexpr size_t kListed = 50, kMaxWidth = 1000;

HttpResponse answer_error(const Error& error) {
  switch (error.code) {
    case Errc::invalid_argument: return problem(400, error.message);
    case Errc::not_found: return problem(404, error.message);
    default: return problem(409, error.message);
  }
}

std::optional<size_t> number(std::string_view text, size_t most) {
  size_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value > most) return std::nullopt;
  return value;
}

Result<int> severity_of(const std::string& text) {
  if (text.size() == 2 && text[0] == 'P' && text[1] >= '0' && text[1] <= '3') return text[1] - '0';
  return Error{Errc::invalid_argument, "'severity' must be P0, P1, P2 or P3, found '" + text + "'"};
}

HttpResponse list(const IncidentsAccess& access, const HttpRequest& request) {
  const std::string& query = request.query;
  core::BookQuery wish;
  const std::string_view state = parameter(query, "state");
  wish.only_open = state.empty() || state == "open";
  if (!wish.only_open && state != "all") {
    wish.state = core::state_of(state);
    if (!wish.state) {
      return problem(400, "state must be open, all or the name of a state, found '" +
                              std::string(state) + "'");
    }
  }
  wish.service = decoded_parameter(query, "service");
  const WallTime now = access.now();
  int worst = 3;
  if (const std::string given(parameter(query, "severity")); !given.empty()) {
    const auto severity = severity_of(given);
    if (!severity.ok()) return answer_error(severity.error());
    worst = *severity;
  }
  if (const std::string_view since = parameter(query, "since"); !since.empty()) {
    const auto ms = config::parse_duration_ms(since);
    if (!ms || *ms <= 0) {
      return problem(400,
                     "since must be a duration such as 7d, found '" + std::string(since) + "'");
    }
    wish.from = {now.ns - *ms * kNsPerMs};
  }
  wish.limit = SIZE_MAX;  // a page of those of the wished severity
  auto incidents = access.desk().book().list(wish, now);
  std::erase_if(incidents, [&](const core::Incident& one) { return one.severity > worst; });
  const auto cursor = take_page(incidents, page_of(query, kListed),
                                [](const core::Incident& one) { return one.id; });
  if (!cursor.ok()) return problem(400, cursor.error().message);
  if (parameter(query, "format") == "table") {
    const auto width = number(parameter(query, "width"), kMaxWidth);
    return {200,
            "text/plain; charset=utf-8",
            view::incidents_table(incidents, now, width && *width > 0 ? *width : 100),
            {}};
  }
  std::string out;
  JsonWriter json(out, 2);
  json.begin_array();
  for (const core::Incident& incident : incidents) core::write_json(json, incident, now);
  json.end_array();
  HttpResponse response{200, "application/json", out + "\n", {}};
  link_next(response, request, *cursor);
  return response;
}

HttpResponse shown(const core::Incident& incident, WallTime now, std::string_view format) {
  if (format == "text") {
    return {200, "text/plain; charset=utf-8", view::incident_text(incident, now), {}};
  }
  std::string out;
  JsonWriter json(out, 2);
  core::write_json(json, incident, now);
  return {200, "application/json", out + "\n", {}};
}

HttpResponse markdown(std::string text) {
  return {200, "text/markdown; charset=utf-8", std::move(text), {}};
}

template <class Written>
HttpResponse as_json(const Written& written) {
  std::string out;
  JsonWriter json(out, 2);
  core::write_json(json, written);
  return {200, "application/json", out + "\n", {}};
}

void postmortem(const std::shared_ptr<const IncidentsAccess>& access, const std::string& id,
                const HttpRequest& request, const Reply& reply) {
  const WallTime now = access->now();
  auto incident = access->desk().book().find(id, now);
  if (!incident) return reply(problem(404, "there is no incident " + id));
  const bool json = parameter(request.query, "format") == "json";
  auto review = [access, about = *incident, now, json, reply](IncidentsAccess::Lines lines) {
    core::PostmortemFacts facts =
        incident::review_facts(access->desk().book(), about, access->changes(), now);
    facts.timeline = std::move(lines);
    const core::Postmortem told = core::postmortem_of(about, facts, now);
    reply(json ? as_json(told) : markdown(core::postmortem_markdown(told)));
  };
  if (!access->story) return review({});
  access->story(*incident, std::move(review));
}

HttpResponse message(const core::Incident& incident, WallTime now, std::string_view kind) {
  for (const auto which :
       {core::Template::initial, core::Template::update, core::Template::resolution}) {
    if (kind == core::template_name(which)) {
      return markdown(core::communication(which, incident, now));
    }
  }
  return problem(400,
                 "kind must be initial, update or resolution, found '" + std::string(kind) + "'");
}

HttpResponse narrative(const core::Incident& incident, WallTime now, std::string_view format) {
  const core::Narrative told = core::narrate(incident, now);
  if (format == "json") return as_json(told);
  return {200, "text/plain; charset=utf-8", told.text() + "\n", {}};
}

HttpResponse one(const IncidentsAccess& access, const std::string& path, const std::string& query) {
  const size_t slash = path.find('/');
  const std::string id = path.substr(0, slash);
  const std::string part = slash == std::string::npos ? "" : path.substr(slash + 1);
  const WallTime now = access.now();
  const auto incident = access.desk().book().find(id, now);
  if (!incident) return problem(404, "there is no incident " + id);
  const std::string_view format = parameter(query, "format");
  if (part.empty()) return shown(*incident, now, format);
  if (part == "message") return message(*incident, now, parameter(query, "kind"));
  if (part == "narrative") return narrative(*incident, now, format);
  return problem(404, "an incident has postmortem, message and narrative, not '" + part + "'");
}

// What a person does about the incident `id`.
struct Deed {
  const JsonBody& body;
  core::IncidentBook& book;
  const std::string& id;
  std::string who, text;
  WallTime now;

  Result<core::IncidentEvent> run(const std::string& what) const {
    if (what == "acknowledge") return book.acknowledge(id, who, text, now);
    if (what == "mitigate") return book.mitigate(id, who, text, now);
    if (what == "reopen") return book.reopen(id, who, text, now);
    if (what == "note") return book.add(id, core::EventKind::note, who, text, {}, now);
    if (what == "cause") return book.add(id, core::EventKind::cause_stated, who, text, {}, now);
    if (what == "resolve") {
      NINES_TRY(const bool force, body.flag("force"));
      return book.resolve(id, who, text, force, now);
    }
    if (what == "action") {
      NINES_TRY(core::Details details, body.details());
      return book.add(id, core::EventKind::action, who, text, std::move(details), now);
    }
    if (what == "severity") {
      NINES_TRY(const std::string given, body.text("severity"));
      NINES_TRY(const int severity, severity_of(given));
      return book.set_severity(id, severity, who, text, now);
    }
    if (what == "assign") return assign();
    if (what == "item") return item();
    if (what == "done") {
      NINES_TRY(const std::string item, body.text("item"));
      return book.finish_item(id, item, who, now);
    }
    return Error{Errc::invalid_argument,
                 "'do' must be acknowledge, mitigate, resolve, reopen, note, action, cause, "
                 "severity, assign, item or done, found '" +
                     what + "'"};
  }

 private:
  Result<core::IncidentEvent> assign() const {
    NINES_TRY(const std::string name, body.text("role"));
    NINES_TRY(const std::string person, body.text("person"));
    const auto role = core::role_of(name);
    if (!role) {
      return Error{
          Errc::invalid_argument,
          "'role' must be commander, resolver, communications or expert, found '" + name + "'"};
    }
    return book.assign(id, *role, person, who, now);
  }
  Result<core::IncidentEvent> item() const {
    NINES_TRY(const std::string owner, body.text("owner"));
    NINES_TRY(const std::string priority, body.text("priority"));
    NINES_TRY(const WallTime due, body.time("due"));
    return book.add_item(id, text, owner, due, priority, who, now);
  }
};

Result<core::IncidentEvent> act(const IncidentsAccess& access, const std::string& id,
                                const std::string& text) {
  NINES_TRY(const JsonBody body,
            JsonBody::parse(text, {"do", "who", "text", "severity", "role", "person", "item",
                                   "owner", "due", "priority", "force", "details"}));
  NINES_TRY(const std::string what, body.text("do"));
  NINES_TRY(const std::string who, body.text("who"));
  NINES_TRY(const std::string said, body.text("text"));
  return Deed{body, access.desk().book(), id, who, said, access.now()}.run(what);
}

Result<core::IncidentEvent> declare(const IncidentsAccess& access, const std::string& text) {
  NINES_TRY(const JsonBody body, JsonBody::parse(text, {"service", "severity", "who", "text"}));
  NINES_TRY(const std::string service, body.text("service"));
  NINES_TRY(const std::string given, body.text("severity"));
  NINES_TRY(const std::string who, body.text("who"));
  NINES_TRY(const std::string said, body.text("text"));
  NINES_TRY(const int severity, severity_of(given.empty() ? "P2" : given));
  return access.desk().book().declare(service, severity, said, who, access.now());
}

// Answered when it is written: what was acknowledged stays so after a power cut.
void post(const std::shared_ptr<const IncidentsAccess>& access, const std::string& id,
          const HttpRequest& request, Reply reply) {
  if (auto refused = refusal(request, access->token)) return reply(std::move(*refused));
  const auto done = access->desk().did(id.empty() ? declare(*access, request.body)
                                                  : act(*access, id, request.body));
  if (!done.ok()) return reply(answer_error(done.error()));
  access->keep([access, id = id.empty() ? done->id : id,
                format = std::string(parameter(request.query, "format")),
                reply = std::move(reply)](const Status& kept) {
    if (!kept.ok()) {
      return reply(problem(503, "done, but not written yet: " + kept.error().message));
    }
    const WallTime now = access->now();
    const auto incident = access->desk().book().find(id, now);
    reply(incident ? shown(*incident, now, format) : problem(404, "there is no incident " + id));
  });
}

}  // namespace

AsyncHandler make_incidents_api(IncidentsAccess access, AsyncHandler next) {
  const auto shared = std::make_shared<const IncidentsAccess>(std::move(access));
  return [shared, next = std::move(next)](const HttpRequest& request, Reply reply) {
    std::string_view path = request.path;
    if (!path.starts_with(kIncidents)) return next(request, std::move(reply));
    path.remove_prefix(kIncidents.size());
    if (!path.empty() && path[0] != '/') return next(request, std::move(reply));
    const std::string id(path.empty() ? path : path.substr(1));
    if (request.method == "POST") return post(shared, id, request, std::move(reply));
    if (id.ends_with(kReview)) {
      return postmortem(shared, id.substr(0, id.size() - kReview.size()), request, reply);
    }
    reply(id.empty() ? list(*shared, request) : one(*shared, id, request.query));
  };
}

}  // namespace nines::agent::http
