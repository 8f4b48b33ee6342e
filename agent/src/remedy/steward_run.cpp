// What a person lets a rule do now, or only wants to see: the same try-out, Guard, intent, act and
// look afterwards as when a rule acts by itself.
#include <utility>

#include "nines/base/json_writer.hpp"
#include "remedy/holds.hpp"
#include "remedy/steward.hpp"

namespace nines::agent::remedy {

struct Steward::Run {
  RunWish wish;
  core::RuleLife rule;
  Found found;
  Ran ran;
  std::function<void(Result<Ran>)> done;
};

void Steward::run(RunWish wish, WallTime now, std::function<void(Result<Ran>)> done) {
  now_ = std::max(now_, now);
  const auto rule = guard_.rule(wish.rule);
  const auto incident = parts_.incident(wish.incident, now_);
  if (!rule) return done(Error{Errc::not_found, "there is no rule '" + wish.rule + "'"});
  if (!incident)
    return done(Error{Errc::not_found, "there is no incident '" + wish.incident + "'"});
  if (wish.who.empty()) return done(Error{Errc::invalid_argument, "who? A run needs a name"});
  if (running_ >= kMostRuns) {
    ++counters_.runs_refused;
    return done(Error{Errc::exhausted, "too many runs are under way"});
  }
  auto found = parts_.find(*incident, rule->action);
  if (!found) {
    return done(Error{Errc::invalid_argument, "rule " + rule->rule + " finds no target in " +
                                                  incident->id + " on this node"});
  }
  auto run = std::make_shared<Run>();
  run->wish = std::move(wish);
  run->wish.incident = incident->id;
  run->rule = *rule;
  run->found = std::move(*found);
  run->done = std::move(done);
  ++(run->wish.dry ? counters_.dry_runs : counters_.runs);
  ++running_;
  Order order = try_out_of(run->rule.action, run->found, incident->id);
  parts_.carry_out(std::move(order), [this, run, alive = std::weak_ptr(alive_)](Outcome outcome) {
    if (alive.lock()) run_tried(run, std::move(outcome));
  });
}

void Steward::run_tried(const RunPtr& run, Outcome outcome) {
  const auto incident = parts_.incident(run->wish.incident, now_);
  core::Proposal proposal;
  proposal.rule = run->rule.rule;
  proposal.action = run->rule.action;
  proposal.target = run->found.target;
  proposal.incident = run->wish.incident;
  proposal.before = outcome.before;
  if (incident) {
    proposal.severity = incident->severity;
    proposal.facts = facts_of(*incident, outcome);
    if (proposal.target.local) proposal.facts.holds = holds_on(*incident, parts_.node);
  }
  Ran& ran = run->ran;
  ran.target = run->found.target.name;
  ran.tried = std::move(outcome);
  ran.held = is_held();
  ran.by_lease = is_shared(run->found);
  // The lease is taken when it is run: what is asked here is all else.
  const auto lease = ran.by_lease ? std::optional(token().value_or(0)) : std::nullopt;
  ran.as_rule = guard_.would(proposal, lease, now_);
  proposal.who = run->wish.who;
  ran.as_person = guard_.would(proposal, lease, now_);
  if (run->wish.dry) return run_over(run, "dry_run");
  run_for_good(run, std::move(proposal));
}

void Steward::run_for_good(const RunPtr& run, core::Proposal proposal) {
  Ran& ran = run->ran;
  if (ran.tried.became != Became::would) {
    ran.why = ran.tried.text;
  } else if (ran.held) {
    ran.why = "it is held: the stop file is there, or the log is damaged";
  }
  if (!ran.why.empty()) return run_over(run, "run_refused");
  decide(std::move(proposal), run->found,
         [this, run, alive = std::weak_ptr(alive_)](const core::Verdict& verdict,
                                                    const std::string& why) {
           if (!alive.lock()) return;
           if (verdict.go()) {
             run->ran.act = verdict.event->uid();
             --running_;
             return run->done(std::move(run->ran));
           }
           run->ran.why = why;
           run_over(run, "run_refused");
         });
}

// Nothing was begun; that it was asked for is in the log before anybody is answered.
void Steward::run_over(const RunPtr& run, const char* what) {
  const Ran& ran = run->ran;
  std::string body;
  JsonWriter json(body);
  json.begin_object().member("at", format_rfc3339(now_)).member("what", what);
  json.member("rule", run->rule.rule).member("who", run->wish.who);
  json.member("incident", run->wish.incident).member("target", ran.target);
  json.member("action", run->rule.action.key());
  json.member("tried", became_name(ran.tried.became)).member("text", ran.tried.text);
  if (!ran.why.empty()) json.member("why", ran.why);
  json.member("guard", reasons_of(ran.as_rule)).end_object();
  note_down(std::move(body), [this, run](const Status& written) {
    --running_;
    if (!written.ok()) return run->done(written.error());
    run->done(std::move(run->ran));
  });
}

}  // namespace nines::agent::remedy
