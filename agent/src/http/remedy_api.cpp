#include "http/remedy_api.hpp"

#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string_view>

#include "http/bearer.hpp"
#include "http/json_body.hpp"
#include "http/query.hpp"
#include "view/remedy_view.hpp"

namespace nines::agent::http {
namespace {

namespace core = nines::remedy;
using Json = nlohmann::json;

constexpr std::string_view kRemedies = "/api/remedies";
constexpr size_t kMostImported = 16'384;

HttpResponse answer_error(const Error& error) {
  switch (error.code) {
    case Errc::invalid_argument: return problem(400, error.message);
    case Errc::not_found: return problem(404, error.message);
    default: return problem(409, error.message);
  }
}

HttpResponse as_text(std::string text) {
  return {200, "text/plain; charset=utf-8", std::move(text), {}};
}
HttpResponse as_json(std::string text) { return {200, "application/json", std::move(text), {}}; }

size_t width_of(const std::string& query) {
  size_t width = 0;
  for (const char c : parameter(query, "width")) {
    if (c < '0' || c > '9' || width > 1000) return 100;
    width = width * 10 + static_cast<size_t>(c - '0');
  }
  return width == 0 ? 100 : width;
}

HttpResponse show(const RemedyAccess& access, std::string_view part, const std::string& query) {
  Remediation& remediation = access.remediation();
  const WallTime now = access.now();
  const bool table = parameter(query, "format") == "table";
  if (part.empty()) {
    return table ? as_text(view::remedies_table(remediation.steward(), now, width_of(query)))
                 : as_json(view::remedies_json(remediation.steward(), now));
  }
  if (part == "/lessons") {
    const auto lessons = remediation.lessons(now);
    return table ? as_text(view::lessons_table(lessons, width_of(query)))
                 : as_json(view::lessons_json(lessons));
  }
  if (part == "/audit") {
    const auto& audit = remediation.steward().audit();
    const auto fault = remediation.audit_fault();
    return parameter(query, "format") == "verdict"
               ? as_text(
                     view::audit_verdict(remediation.node(), audit, fault, remediation.anchors()))
               : as_json(view::audit_json(audit, fault, remediation.anchors()));
  }
  if (part == "/effect") {
    const std::string rule = decoded_parameter(query, "rule");
    if (!remediation.steward().guard().rule(rule)) {
      return problem(404, "there is no rule '" + rule + "'");
    }
    const core::Effect effect = remediation.effect(rule, now);
    if (parameter(query, "format") == "text") return as_text(to_text(effect));
    std::string out;
    JsonWriter json(out, 2);
    write_json(json, effect);
    return as_json(out + "\n");
  }
  return problem(404, "remedies have lessons, effect and audit, not '" + std::string(part) + "'");
}

// What a person says about rules, acts and switches.
struct Said {
  const JsonBody& body;
  Remediation& remediation;
  WallTime now;

  core::Guard::Done run(const std::string& what) const {
    core::Guard& guard = remediation.steward().guard();
    NINES_TRY(const std::string who, body.text("who"));
    NINES_TRY(const std::string text, body.text("text"));
    NINES_TRY(const std::string rule, body.text("rule"));
    if (who.empty()) return Error{Errc::invalid_argument, "'who' is missing: who says so?"};
    if (what == "draft") return draft(rule, who);
    if (what == "shadow") return guard.shadow(rule, who, now);
    if (what == "approve") return guard.approve(rule, who, now);
    if (what == "auto") return arm(rule, who);
    if (what == "demote") return guard.demote(rule, who, text, now);
    if (what == "remove") return guard.remove(rule, who, now);
    if (what == "stop") return guard.stop("person", who, text, now);
    if (what == "resume") return remediation.steward().resume(who, text, now);
    NINES_TRY(const std::string target, body.text("target"));
    if (what == "unfreeze") return guard.unfreeze(target, who, now);
    if (what == "allow") {
      NINES_TRY(const std::string incident, body.text("incident"));
      return guard.allow_once(rule, target, incident, who, now);
    }
    if (what == "settle") {
      NINES_TRY(const std::string act, body.text("act"));
      return guard.settle(act, who, text, now);
    }
    return Error{Errc::invalid_argument,
                 "'do' must be draft, shadow, approve, auto, demote, remove, allow, settle, stop, "
                 "resume or unfreeze, found '" +
                     what + "'"};
  }

 private:
  core::Guard::Done draft(const std::string& rule, const std::string& who) const {
    NINES_TRY(const std::string key, body.text("action"));
    NINES_TRY(const std::string signature, body.text("signature"));
    NINES_TRY(const std::string service, body.text("service"));
    const auto action = core::Action::of_key(key);
    const bool known = action && action->verb > core::Verb::other;
    if (!known) {
      return Error{Errc::invalid_argument,
                   "'action' must be a verb and what it is done to, such as 'unit-restart "
                   "worker.service', found '" +
                       key + "'"};
    }
    if (signature.empty() && service.empty()) {
      return Error{Errc::invalid_argument, "a rule needs a 'signature' or a 'service'"};
    }
    return remediation.steward().guard().draft(rule, *action, signature, service, who, now);
  }
  // By itself only what history proves.
  core::Guard::Done arm(const std::string& rule, const std::string& who) const {
    core::Guard& guard = remediation.steward().guard();
    const core::Effect effect = remediation.effect(rule, now);
    const auto life = guard.rule(rule);
    uint64_t n = effect.n;
    double low = effect.success.low;
    for (const core::Lesson& lesson : remediation.lessons(now)) {
      if (!life || lesson.signature != life->signature || lesson.action != life->action) continue;
      n = lesson.n;
      low = lesson.success.low;
    }
    return guard.arm(rule, n, low, who, now);
  }
};

void say(const std::shared_ptr<const RemedyAccess>& access, const HttpRequest& request,
         Reply reply) {
  const auto body = JsonBody::parse(request.body, {"do", "rule", "action", "signature", "service",
                                                   "who", "text", "target", "incident", "act"});
  if (!body.ok()) return reply(answer_error(body.error()));
  const auto what = body->text("do");
  if (!what.ok()) return reply(answer_error(what.error()));
  Remediation& remediation = access->remediation();
  auto done = Said{*body, remediation, access->now()}.run(*what);
  if (!done.ok()) return reply(answer_error(done.error()));
  const bool table = parameter(request.query, "format") == "table";
  const size_t width = width_of(request.query);
  remediation.steward().did(std::move(done), [access, table, width, reply](const Status& kept) {
    if (!kept.ok()) {
      return reply(problem(503, "it counts, but is not written yet: " + kept.error().message));
    }
    const auto& steward = access->remediation().steward();
    reply(table ? as_text(view::remedies_table(steward, access->now(), width))
                : as_json(view::remedies_json(steward, access->now())));
  });
}

std::string member(const Json& of, const char* name) {
  const auto it = of.find(name);
  return it != of.end() && it->is_string() ? it->get<std::string>() : std::string();
}

// One record as other tools can write it; `number` is its place, for messages.
Result<core::Record> record_of(const Json& of, size_t number) {
  const auto bad = [&](const std::string& what) {
    return Error{Errc::invalid_argument, "record " + std::to_string(number) + ": " + what};
  };
  if (!of.is_object()) return bad("it is no object");
  core::Record out;
  out.id = member(of, "id");
  out.incident = member(of, "incident");
  out.signature = member(of, "signature");
  out.who = member(of, "who");
  out.actor = core::Actor::import;
  if (out.id.empty() || out.signature.empty()) return bad("'id' and 'signature' are needed");
  if (out.incident.empty()) out.incident = out.id;
  const std::string action = member(of, "action");
  const auto key = core::Action::of_key(action);
  out.action = key ? *key : core::action_of_text(action);
  const auto at = zoned_time(member(of, "at").empty() ? std::string_view(" ") : member(of, "at"));
  if (!at)
    return bad("'at' must be an RFC 3339 time with its zone, found '" + member(of, "at") + "'");
  out.at = *at;
  const std::string severity = member(of, "severity");
  if (severity.size() != 2 || severity[0] != 'P' || severity[1] < '0' || severity[1] > '3') {
    return bad("'severity' must be P0 to P3, found '" + severity + "'");
  }
  out.severity = severity[1] - '0';
  const std::string outcome = member(of, "outcome");
  if (outcome != "resolved" && outcome != "failed") {
    return bad("'outcome' must be resolved or failed, found '" + outcome + "'");
  }
  const bool resolved = outcome == "resolved";
  out.outcome = resolved ? core::Outcome::resolved : core::Outcome::failed;
  const auto recover = of.find("recover_s");
  const bool timed = recover != of.end() && recover->is_number_integer() && *recover >= 0;
  if (resolved && !timed) return bad("'recover_s' must be a whole number of seconds");
  if (timed) out.recover_s = recover->get<int64_t>();
  out.censored = !resolved;
  out.judged = {out.at.ns + out.recover_s * kNsPerSecond};
  return out;
}

void import(const std::shared_ptr<const RemedyAccess>& access, const HttpRequest& request,
            Reply reply) {
  const Json body = Json::parse(request.body, nullptr, false);
  const auto list = body.is_object() ? body.find("records") : body.end();
  if (!body.is_object() || list == body.end() || !list->is_array() ||
      list->size() > kMostImported) {
    return reply(problem(400, "the body must be {\"records\": [...]}, 16384 at most"));
  }
  std::vector<core::Record> records;
  for (const Json& one : *list) {
    auto record = record_of(one, records.size() + 1);
    if (!record.ok()) return reply(answer_error(record.error()));
    records.push_back(std::move(*record));
  }
  auto told = std::make_shared<Remediation::Imported>();
  const auto done =
      access->remediation().import(std::move(records), [reply, told](const Status& kept) {
        if (!kept.ok()) return reply(problem(503, "not written: " + kept.error().message));
        reply(as_json("{\"new\": " + std::to_string(told->news) +
                      ", \"known\": " + std::to_string(told->known) + "}\n"));
      });
  if (!done.ok()) return reply(answer_error(done.error()));
  *told = *done;
}

}  // namespace

AsyncHandler make_remedy_api(RemedyAccess access, AsyncHandler next) {
  const auto shared = std::make_shared<const RemedyAccess>(std::move(access));
  return [shared, next = std::move(next)](const HttpRequest& request, Reply reply) {
    std::string_view path = request.path;
    const bool ours = path.starts_with(kRemedies) &&
                      (path.size() == kRemedies.size() || path[kRemedies.size()] == '/');
    if (!ours) return next(request, std::move(reply));
    path.remove_prefix(kRemedies.size());
    if (request.method != "POST") return reply(show(*shared, path, request.query));
    if (auto refused = refusal(request, shared->token)) return reply(std::move(*refused));
    if (path == "/history") return import(shared, request, std::move(reply));
    if (!path.empty()) return reply(problem(404, "there is nothing to be said to that"));
    say(shared, request, std::move(reply));
  };
}

}  // namespace nines::agent::http
