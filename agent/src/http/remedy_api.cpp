#include "http/remedy_api.hpp"

#include <memory>
#include <optional>
#include <string_view>

#include "http/bearer.hpp"
#include "http/json_body.hpp"
#include "http/query.hpp"
#include "remedy/history_file.hpp"
#include "view/remedy_rule.hpp"
#include "view/remedy_view.hpp"

namespace nines::agent::http {
namespace {

namespace core = nines::remedy;

constexpr std::string_view kRemedies = "/api/remedies";

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
  if (part == "/rule") {
    const auto story = remediation.story(decoded_parameter(query, "rule"), now);
    if (!story) {
      return problem(404, "there is no rule '" + decoded_parameter(query, "rule") + "'");
    }
    return table ? as_text(view::rule_text(*story, width_of(query)))
                 : as_json(view::rule_json(*story, remediation.steward().guard()));
  }
  if (part == "/report") {
    const auto stories = remediation.stories(now);
    return table ? as_text(view::rules_report_table(stories, width_of(query)))
                 : as_json(view::rules_report_json(stories, remediation.steward().guard()));
  }
  return problem(404, "remedies have lessons, rule, report, effect and audit, not '" +
                          std::string(part) + "'");
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
    if (what == "shadow" || what == "approve" || what == "auto") return promote(what, rule, who);
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
    return Error{
        Errc::invalid_argument,
        "'do' must be draft, shadow, approve, auto, demote, remove, allow, run, settle, stop, "
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
    NINES_CHECK(remediation.check(*action));
    core::Guard& guard = remediation.steward().guard();
    NINES_TRY(core::GuardEvent drafted, guard.draft(rule, *action, signature, service, who, now));
    if (const auto life = guard.rule(rule)) remediation.warn_of(*life);
    return drafted;
  }
  core::Guard::Done promote(const std::string& what, const std::string& rule,
                            const std::string& who) const {
    core::Guard& guard = remediation.steward().guard();
    const auto becomes = what == "shadow" ? core::RuleState::shadow : core::RuleState::approved;
    if (const auto life = guard.rule(rule)) NINES_CHECK(remediation.check(*life, becomes));
    if (what == "shadow") return guard.shadow(rule, who, now);
    return what == "approve" ? guard.approve(rule, who, now) : arm(rule, who);
  }
  // By itself only what history proves.
  core::Guard::Done arm(const std::string& rule, const std::string& who) const {
    core::Guard& guard = remediation.steward().guard();
    const core::Effect effect = remediation.effect(rule, now);
    uint64_t n = effect.n;
    double low = effect.success.low;
    if (const auto story = remediation.story(rule, now); story && story->known) {
      n = story->known->n;
      low = story->known->success.low;
    }
    return guard.arm(rule, n, low, who, now);
  }
};

// A person's own run; what became of an act is told by the rule.
void run(const std::shared_ptr<const RemedyAccess>& access, const JsonBody& body, bool table,
         const Reply& reply) {
  const auto who = body.text("who"), rule = body.text("rule"), incident = body.text("incident");
  const auto dry = body.flag("dry_run");
  for (const auto* text : {&who, &rule, &incident}) {
    if (!text->ok()) return reply(answer_error(text->error()));
  }
  if (!dry.ok()) return reply(answer_error(dry.error()));
  const remedy::Steward::RunWish wish{*rule, *incident, *who, *dry};
  access->remediation().steward().run(
      wish, access->now(), [wish, table, reply](const Result<remedy::Steward::Ran>& ran) {
        if (!ran.ok()) return reply(answer_error(ran.error()));
        reply(table ? as_text(view::run_text(wish, *ran)) : as_json(view::run_json(wish, *ran)));
      });
}

void say(const std::shared_ptr<const RemedyAccess>& access, const HttpRequest& request,
         const Reply& reply) {
  const auto body =
      JsonBody::parse(request.body, {"do", "rule", "action", "signature", "service", "who", "text",
                                     "target", "incident", "act", "dry_run"});
  if (!body.ok()) return reply(answer_error(body.error()));
  const auto what = body->text("do");
  if (!what.ok()) return reply(answer_error(what.error()));
  const bool table = parameter(request.query, "format") == "table";
  if (*what == "run") return run(access, *body, table, reply);
  Remediation& remediation = access->remediation();
  auto done = Said{*body, remediation, access->now()}.run(*what);
  if (!done.ok()) return reply(answer_error(done.error()));
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

void import(const std::shared_ptr<const RemedyAccess>& access, const HttpRequest& request,
            const Reply& reply) {
  auto file = remedy::read_history_json(request.body, {});
  if (!file.ok()) return reply(answer_error(file.error()));
  access->remediation().import(
      std::move(file->records), [reply](const Result<Remediation::Imported>& done) {
        if (!done.ok()) return reply(answer_error(done.error()));
        reply(as_json("{\"new\": " + std::to_string(done->news) +
                      ", \"known\": " + std::to_string(done->known) + "}\n"));
      });
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
    if (path == "/history") return import(shared, request, reply);
    if (!path.empty()) return reply(problem(404, "there is nothing to be said to that"));
    say(shared, request, reply);
  };
}

}  // namespace nines::agent::http
