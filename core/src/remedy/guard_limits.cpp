#include "remedy/guard_limits.hpp"

#include <algorithm>

namespace nines::remedy {
namespace {

struct Weigher {
  const Proposal& p;
  const Scales& s;
  Weighed out{};

  void refuse_if(bool stands, Refusal why) {
    if (stands) out.refused.push_back(why);
  }
  bool person() const { return !p.who.empty(); }
  bool rollback() const { return !p.undoes.empty(); }

  void switches() {
    refuse_if(!s.limits.enabled, Refusal::disabled);
    refuse_if(!s.state.stops.empty() || s.state.tripped(s.limits, s.now), Refusal::stopped);
    refuse_if(s.full, Refusal::log_full);
    refuse_if(!s.limits.verbs.contains(p.action.verb), Refusal::verb);
    refuse_if(!person() && !rollback() && s.state.breaker_open(s.limits, s.now), Refusal::breaker);
  }

  void permission() {
    const std::string approval = s.state.approval(p, s.limits, s.now);
    const bool automatic = !person() && !rollback();
    const bool irreversible = reach_of(p.action, s.limits) == Reach::irreversible;
    if (automatic) {
      const auto found = s.state.rules.find(p.rule);
      const bool fits = found != s.state.rules.end() && found->second.action == p.action;
      const RuleState state = fits ? found->second.state : RuleState::none;
      const bool failing = fits && found->second.failures >= s.limits.failures_in_a_row;
      refuse_if(state < RuleState::approved || failing, Refusal::rule_state);
      const bool asks =
          state == RuleState::approved || (state == RuleState::automatic && irreversible);
      refuse_if(asks && approval.empty(), Refusal::needs_approval);
      if (asks) out.approval = approval;
      if (asks && approval.empty()) out.page = true;
    }
    refuse_if(rollback() && irreversible && !takes_back(), Refusal::reach);
    const bool urgent = p.severity == 0 && !approval.empty();
    if (urgent && !in_windows(s.limits.windows, s.now)) out.approval = approval;
    refuse_if(automatic && !urgent && !in_windows(s.limits.windows, s.now), Refusal::window);
  }

  void facts() {
    const Facts& f = p.facts;
    const Scope scope = scope_of(p.action.verb);
    refuse_if(!f.clock_set || s.clock_back, Refusal::clock);
    refuse_if(!f.known || p.target.name.empty() || p.target.node.empty(), Refusal::unknown_target);
    refuse_if(!f.holds && !rollback(), Refusal::over);
    refuse_if(f.other_incident.value_or(true) && !rollback() && !person(), Refusal::other_incident);
    refuse_if(s.limits.closed_namespaces.contains(p.target.namespace_), Refusal::closed_namespace);
    const bool pod = scope == Scope::pod && (f.bare || f.has_volume);
    const bool rollout =
        (p.action.verb == Verb::rollout_restart || p.action.verb == Verb::rollout_undo) && f.paused;
    const bool scaling = (p.action.verb == Verb::scale_up || p.action.verb == Verb::scale_down) &&
                         f.scaled_by_others;
    refuse_if(pod || rollout || scaling, Refusal::unsafe_target);
    const bool takes = scope == Scope::pod || p.action.verb == Verb::scale_down;
    const bool budget = scope == Scope::pod || p.action.verb == Verb::cordon;
    refuse_if((takes && f.ready - 1 < f.minimum) || (budget && !f.budget_allows), Refusal::minimum);
  }

  void reach() {
    const bool local = p.target.local && p.target.node == s.node;
    const bool mild = reach_of(p.action, s.limits) != Reach::irreversible || takes_back();
    refuse_if(!local && !s.token, Refusal::no_lease);
    refuse_if(p.facts.isolated && !(local && mild), Refusal::isolated);
  }

  void target() {
    const auto all = s.state.of_target(p.target.name);
    const bool open = std::any_of(all.begin(), all.end(), [](const Act* a) { return !a->over(); });
    const bool of_rule = !p.rule.empty() && !rollback() &&
                         std::any_of(s.state.acts.begin(), s.state.acts.end(),
                                     [&](const Act& a) { return a.rule == p.rule && !a.over(); });
    refuse_if(open || of_rule, Refusal::busy);
    const bool frozen = s.state.frozen(p.target.name, s.limits, s.now);
    refuse_if(frozen, Refusal::frozen);
    if (frozen) out.page = true;
    if (rollback()) return undone();
    if (person() || !s.state.cooling(p.target.name, s.limits, s.now)) return;
    out.refused.push_back(Refusal::cool_down);
    if (opposes(all.back()->action, p.action, s.limits)) {
      out.refused.push_back(Refusal::opposite);
      out.page = true;
    }
  }

  // It is what the configuration, or its verb, says of the act that it undoes.
  bool takes_back() const {
    const Act* const bad = s.state.find(p.undoes);
    const auto inverse = bad == nullptr ? std::nullopt : inverse_of(bad->action, s.limits);
    return inverse && inverse->verb == p.action.verb &&
           (inverse->parameter.empty() || inverse->parameter == p.action.parameter);
  }

  void undone() {
    const Act* const bad = s.state.find(p.undoes);
    const bool fits = bad != nullptr && bad->phase == Phase::failed && !bad->rolled_back &&
                      bad->target == p.target.name && bad->undoes.empty() && takes_back();
    refuse_if(!fits, Refusal::rolled_back);
  }

  void rates() {
    const auto begun = [&](bool (*counts)(const Act&, const std::string&),
                           const std::string& name) {
      return s.state.begun_within_hour(s.now, counts, name);
    };
    using Text = const std::string;
    const int of_rule =
        begun([](const Act& a, Text& n) { return a.rule == n && a.undoes.empty(); }, p.rule);
    const int of_node = begun([](const Act& a, Text& n) { return a.node == n; }, p.target.node);
    const int of_namespace =
        begun([](const Act& a, Text& n) { return a.namespace_ == n; }, p.target.namespace_);
    const int of_cluster = begun([](const Act& a, Text&) { return !a.local; }, {});
    const auto most = s.limits.per_hour.find(p.action);
    const int of_action =
        begun([](const Act& a, Text& n) { return a.action.key() == n; }, p.action.key());
    refuse_if(most != s.limits.per_hour.end() && !rollback() && of_action >= most->second,
              Refusal::action_rate);
    refuse_if(!p.rule.empty() && !rollback() && of_rule >= s.limits.rule_per_hour,
              Refusal::rule_rate);
    refuse_if(of_node >= s.limits.node_per_hour, Refusal::node_rate);
    refuse_if(!p.target.namespace_.empty() && of_namespace >= s.limits.namespace_per_hour,
              Refusal::namespace_rate);
    if (p.target.local) return;
    refuse_if(of_cluster >= s.limits.cluster_per_hour, Refusal::cluster_rate);
    std::set<std::string> nodes{p.target.node};
    for (const Act& a : s.state.acts) {
      if (!a.local && !a.over()) nodes.insert(a.node);
    }
    refuse_if(static_cast<int>(nodes.size()) > s.limits.nodes_at_once, Refusal::nodes_at_once);
  }
};

}  // namespace

std::optional<Action> inverse_of(const Action& action, const GuardLimits& limits) {
  if (const auto verb = inverse_of(action.verb)) return Action{*verb, {}};
  const auto said = limits.undone_by.find(action);
  return said == limits.undone_by.end() ? std::nullopt : std::optional(said->second);
}

Reach reach_of(const Action& action, const GuardLimits& limits) {
  return limits.undone_by.contains(action) ? Reach::reversible : reach_of(action.verb);
}

bool opposes(const Action& a, const Action& b, const GuardLimits& limits) {
  const auto undoes = [&](const Action& x, const Action& y) {
    const auto said = limits.undone_by.find(x);
    return said != limits.undone_by.end() && said->second == y;
  };
  return opposes(a.verb, b.verb) || undoes(a, b) || undoes(b, a);
}

Weighed weigh(const Proposal& proposal, const Scales& scales) {
  Weigher weigher{proposal, scales};
  weigher.switches();
  weigher.permission();
  weigher.facts();
  weigher.reach();
  weigher.target();
  weigher.rates();
  return std::move(weigher.out);
}

}  // namespace nines::remedy
