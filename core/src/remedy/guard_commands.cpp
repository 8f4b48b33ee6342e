// What people say: rules, approvals, switches.
#include "remedy/guard_impl.hpp"

namespace nines::remedy {
namespace {

Error no_name() { return {Errc::invalid_argument, "who? A decision needs a name"}; }

}  // namespace

std::string_view rule_state_name(RuleState state) noexcept {
  switch (state) {
    case RuleState::draft: return "draft";
    case RuleState::shadow: return "shadow";
    case RuleState::approved: return "approved";
    case RuleState::automatic: return "auto";
    default: return "none";
  }
}

std::string_view refusal_text(Refusal refusal) noexcept {
  switch (refusal) {
    case Refusal::disabled: return "remediation is not enabled";
    case Refusal::stopped: return "the kill switch is on";
    case Refusal::log_full: return "the log has no room for another act";
    case Refusal::verb: return "the verb is not on the allow-list";
    case Refusal::reach: return "it cannot be undone, and is nothing that takes an act back";
    case Refusal::rule_state: return "the rule may not act";
    case Refusal::needs_approval: return "a person has to approve it";
    case Refusal::clock: return "the clock of the node is not set";
    case Refusal::unknown_target: return "what the target is like is not known";
    case Refusal::over: return "what it is against is over";
    case Refusal::other_incident: return "another incident is open on the service, or may be";
    case Refusal::isolated: return "most peers are silent: only mild acts on the node itself";
    case Refusal::no_lease: return "the lease is not held";
    case Refusal::closed_namespace: return "the namespace is closed to remediation";
    case Refusal::unsafe_target: return "bare pod, volume, paused rollout or autoscaler";
    case Refusal::minimum: return "too few replicas would be left";
    case Refusal::window: return "outside of the windows";
    case Refusal::cool_down: return "the target cools down";
    case Refusal::frozen: return "the target is frozen after a to and fro";
    case Refusal::busy: return "an act on it, or of the rule, is not over";
    case Refusal::rule_rate: return "the rule has acted often enough this hour";
    case Refusal::node_rate: return "enough was done to the node this hour";
    case Refusal::namespace_rate: return "enough was done to the namespace this hour";
    case Refusal::cluster_rate: return "enough was done to the cluster this hour";
    case Refusal::nodes_at_once: return "acts on another node are not over";
    case Refusal::breaker: return "the breaker is open: too many of the last acts failed";
    case Refusal::opposite: return "it would undo what was just done";
    case Refusal::rolled_back: return "there is nothing to roll back, or it was tried";
    case Refusal::action_rate: return "it was done often enough this hour";
  }
  return "";
}

Result<const GuardState::Life*> Guard::Impl::life(std::string_view rule) const {
  const auto found = state.rules.find(rule);
  if (found != state.rules.end() && found->second.state != RuleState::none) return &found->second;
  return Error{Errc::not_found, "no rule '" + std::string(rule) + "'"};
}

Guard::Done Guard::Impl::promote(std::string_view rule, GuardKind kind, RuleState from,
                                 std::string_view who, WallTime now) {
  if (who.empty()) return no_name();
  NINES_TRY(const GuardState::Life* const one, life(rule));
  if (one->state != from) {
    return Error{Errc::invalid_argument, "rule " + one->rule + " is in state " +
                                             std::string(rule_state_name(one->state)) +
                                             ", not in " + std::string(rule_state_name(from))};
  }
  GuardEvent e = draft(kind, one->changed, now);
  e.rule = one->rule;
  e.who = who;
  e.details = {{"draft", one->draft}, {"seen", std::to_string(one->demotions)}};
  return keep(std::move(e));
}

Guard::Done Guard::draft(std::string_view rule, const Action& action, std::string_view signature,
                         std::string_view service, std::string_view who, WallTime now,
                         std::string_view procedure) {
  if (rule.empty() || rule.size() > kMaxGuardName) {
    return Error{Errc::invalid_argument, "a rule needs a name of at most 128 bytes"};
  }
  if (action.verb == Verb::nothing || action.verb == Verb::other) {
    return Error{Errc::invalid_argument, "no executor knows '" + action.key() + "'"};
  }
  const auto old = impl_->state.rules.find(rule);
  const WallTime after = old == impl_->state.rules.end() ? WallTime{} : old->second.changed;
  GuardEvent e = impl_->draft(GuardKind::rule_drafted, after, now);
  e.rule = rule;
  e.who = who;
  e.details = {{"action", action.key()},
               {"signature", std::string(signature)},
               {"service", std::string(service)}};
  if (!procedure.empty()) e.details.emplace_back("procedure", procedure);
  return impl_->keep(std::move(e));
}

Guard::Done Guard::shadow(std::string_view rule, std::string_view who, WallTime now) {
  return impl_->promote(rule, GuardKind::rule_shadowed, RuleState::draft, who, now);
}

Guard::Done Guard::approve(std::string_view rule, std::string_view who, WallTime now) {
  NINES_TRY(const GuardState::Life* const one, impl_->life(rule));
  if (one->hits < impl_->limits.shadow_hits) {
    return Error{Errc::invalid_argument,
                 "rule " + one->rule + " would have acted in " + std::to_string(one->hits) +
                     " incidents, " + std::to_string(impl_->limits.shadow_hits) + " are needed"};
  }
  return impl_->promote(rule, GuardKind::rule_approved, RuleState::shadow, who, now);
}

Guard::Done Guard::arm(std::string_view rule, uint64_t n, double proven_low, std::string_view who,
                       WallTime now) {
  NINES_TRY(const GuardState::Life* const one, impl_->life(rule));
  if (reach_of(one->action, impl_->limits) == Reach::irreversible) {
    return Error{Errc::invalid_argument,
                 one->action.key() + " cannot be undone: a person each time"};
  }
  if (n < impl_->limits.auto_n || !(proven_low >= impl_->limits.auto_low)) {
    return Error{Errc::invalid_argument, "to act by itself a rule needs " +
                                             std::to_string(impl_->limits.auto_n) +
                                             " judged cases and a lower bound of success of 60 %"};
  }
  return impl_->promote(rule, GuardKind::rule_armed, RuleState::approved, who, now);
}

Guard::Done Guard::demote(std::string_view rule, std::string_view who, std::string_view why,
                          WallTime now) {
  NINES_TRY(const GuardState::Life* const one, impl_->life(rule));
  GuardEvent e = impl_->draft(GuardKind::rule_demoted, one->changed, now);
  e.rule = one->rule;
  e.who = who;
  e.text = why;
  return impl_->keep(std::move(e));
}

Guard::Done Guard::remove(std::string_view rule, std::string_view who, WallTime now) {
  NINES_TRY(const GuardState::Life* const one, impl_->life(rule));
  GuardEvent e = impl_->draft(GuardKind::rule_removed, one->changed, now);
  e.rule = one->rule;
  e.who = who;
  return impl_->keep(std::move(e));
}

Guard::Done Guard::allow_once(std::string_view rule, std::string_view target,
                              std::string_view incident, std::string_view who, WallTime now) {
  if (who.empty()) return no_name();
  NINES_TRY(const GuardState::Life* const one, impl_->life(rule));
  GuardEvent e = impl_->draft(GuardKind::approval, {}, now);
  e.rule = one->rule;
  e.who = who;
  e.details = {{"target", std::string(target)}, {"incident", std::string(incident)}};
  return impl_->keep(std::move(e));
}

Guard::Done Guard::stop(std::string_view source, std::string_view who, std::string_view why,
                        WallTime now) {
  GuardEvent e = impl_->draft(GuardKind::stop, {}, now);
  e.who = who;
  e.text = why;
  e.details = {{"source", std::string(source)}};
  return impl_->keep(std::move(e));
}

Guard::Done Guard::resume(std::string_view who, std::string_view why, WallTime now,
                          const std::set<std::string>& unread) {
  if (who.empty()) return no_name();
  GuardEvent e = impl_->draft(
      GuardKind::resume, impl_->events.empty() ? WallTime{} : impl_->events.rbegin()->order(), now);
  e.who = who;
  const auto lift = [&](const std::string& uid) {
    if (e.details.size() == kMostLifted) return;
    e.details.emplace_back(std::to_string(e.details.size() + 1), uid);
    if (encode_guard(e).size() > kMaxGuardBytes) e.details.pop_back();
  };
  for (const auto& [uid, stop] : impl_->state.stops) lift(uid);
  for (const std::string& uid : unread) lift(uid);
  e.text = why;  // cut where there is no room beside them
  return impl_->keep(std::move(e));
}

Guard::Done Guard::unfreeze(std::string_view target, std::string_view who, WallTime now) {
  if (who.empty()) return no_name();
  GuardEvent e =
      impl_->draft(GuardKind::unfreeze,
                   impl_->events.empty() ? WallTime{} : impl_->events.rbegin()->order(), now);
  e.who = who;
  e.details = {{"target", std::string(target)}};
  return impl_->keep(std::move(e));
}

std::optional<RuleLife> Guard::rule(std::string_view name) const {
  const auto found = impl_->state.rules.find(name);
  if (found == impl_->state.rules.end() || found->second.state == RuleState::none) {
    return std::nullopt;
  }
  return found->second;
}

bool Guard::counted(std::string_view rule, const std::string& incident) const {
  const auto found = impl_->state.rules.find(rule);
  return found != impl_->state.rules.end() && found->second.state == RuleState::shadow &&
         found->second.hit.contains(incident);
}

std::vector<RuleLife> Guard::rules() const {
  std::vector<RuleLife> out;
  for (const auto& [name, life] : impl_->state.rules) {
    if (life.state != RuleState::none) out.push_back(life);
  }
  return out;
}

}  // namespace nines::remedy
