#include "remedy/guard_state.hpp"

#include <algorithm>
#include <charconv>

namespace nines::remedy {
namespace {

uint64_t number_in(const std::string& text) {
  uint64_t out = 0;
  std::from_chars(text.data(), text.data() + text.size(), out);
  return out;
}

}  // namespace

const Act* GuardState::find(std::string_view id) const {
  const auto found = by_id_.find(id);
  return found == by_id_.end() ? nullptr : &acts[found->second];
}

Act* GuardState::act(const GuardEvent& event) {
  const auto found = by_id_.find(event.detail("act"));
  return found == by_id_.end() ? nullptr : &acts[found->second];
}

void GuardState::begin(const GuardEvent& e) {
  Act a;
  a.id = e.uid();
  a.rule = e.rule;
  a.writer = e.node;
  a.boot = e.boot;
  // A verb of a later version is something that nobody here would do.
  a.action = Action::of_key(e.detail("action")).value_or(Action{Verb::other, {}});
  a.target = e.detail("target");
  a.namespace_ = e.detail("namespace");
  a.node = e.detail("node");
  a.target_uid = e.detail("uid");
  a.service = e.detail("service");
  a.incident = e.detail("incident");
  a.undoes = e.detail("undoes");
  a.approval = e.detail("approval");
  a.before = e.detail("before");
  a.token = number_in(e.detail("token"));
  a.local = e.detail("local") == "1" && a.node == e.node;  // of itself, not of another
  a.who = e.who;
  a.by_person = !e.who.empty();
  a.at = e.order();
  a.written = e.at;
  if (const auto undone = by_id_.find(a.undoes); undone != by_id_.end()) {
    acts[undone->second].rolled_back = true;
  }
  if (!a.approval.empty()) used_.insert(a.approval);
  by_id_.emplace(a.id, acts.size());
  acts.push_back(std::move(a));
}

void GuardState::end(Act& a, Phase phase, const GuardEvent& e) {
  const bool failed_before = a.phase == Phase::failed;
  a.phase = phase;
  a.ended = e.order();
  const auto rule = rules.find(a.rule);
  // What a person lets it do is his own, as in history: the rule is not judged by it.
  if (rule == rules.end() || !a.undoes.empty() || a.by_person) return;
  if (phase == Phase::good) rule->second.failures = 0;
  if (phase == Phase::failed && !failed_before) ++rule->second.failures;
}

// Two who looked may differ: what was done outweighs what was not, what failed outweighs both.
void GuardState::apply_act(const GuardEvent& e) {
  Act* const a = act(e);
  if (a == nullptr || (a->local && e.node != a->writer && e.kind != GuardKind::settled)) return;
  const bool open = a->phase == Phase::intended || a->phase == Phase::in_doubt;
  if (e.kind == GuardKind::doubt) {
    const bool of_verdict = e.detail("of") == "verdict" && a->phase == Phase::done;
    if (a->phase == Phase::intended || of_verdict) a->phase = Phase::in_doubt;
  } else if (e.kind == GuardKind::settled) {
    if (!a->over()) end(*a, Phase::settled, e);
  } else if (e.kind == GuardKind::verified) {
    if (e.detail("verdict") != "good") {
      a->judged_bad = true;
      return end(*a, Phase::failed, e);
    }
    if (open || a->phase == Phase::done) end(*a, Phase::good, e);
  } else if (e.detail("outcome") == "ok") {
    if (open || a->phase == Phase::not_done) a->phase = Phase::done;
  } else if (e.detail("outcome") == "not-done") {
    if (open) end(*a, Phase::not_done, e);
  } else if (a->phase != Phase::good) {
    end(*a, Phase::failed, e);
  }
}

// What nodes learn each for itself, cut off from each other, is one draft: it begins nothing anew,
// whichever of them a person went on with.
void GuardState::draft_again(Life& life, const GuardEvent& e) {
  life.drafts.insert(e.uid());
  if (life.state != RuleState::draft) return;
  life.procedure = e.detail("procedure");
  life.since = e.order();
}

void GuardState::draft(Life& life, const GuardEvent& e) {
  const bool same = life.state != RuleState::none && life.action.key() == e.detail("action") &&
                    life.signature == e.detail("signature") && life.service == e.detail("service");
  if (e.who.empty() && same) return draft_again(life, e);
  const uint64_t demotions = life.demotions;
  life = {};
  life.rule = e.rule;
  life.demotions = demotions;
  life.changed = life.began = e.order();
  life.anew = !e.who.empty();
  const auto action = Action::of_key(e.detail("action"));
  if (!action) return;  // of a later version: it stays without a state
  life.state = RuleState::draft;
  life.action = *action;
  life.signature = e.detail("signature");
  life.service = e.detail("service");
  life.procedure = e.detail("procedure");
  life.since = e.order();
  life.draft = e.uid();
  life.drafts = {e.uid()};
}

void GuardState::apply_rule(const GuardEvent& e) {
  Life& life = rules[e.rule];
  life.rule = e.rule;
  if (e.kind != GuardKind::shadow_hit) life.changed = e.order();
  const uint64_t seen = number_in(e.detail("seen"));
  const bool of_this = life.drafts.contains(e.detail("draft"));
  const auto promote = [&](RuleState from, RuleState to) {
    if (of_this && seen == life.demotions && life.state == from) {
      life.state = to;
      life.since = e.order();
    }
    // Its writer knew of a demotion that has not come here yet.
    if (of_this && seen > life.demotions) life.state = std::min(life.state, RuleState::shadow);
  };
  switch (e.kind) {
    case GuardKind::rule_drafted: return draft(life, e);
    case GuardKind::rule_shadowed: return promote(RuleState::draft, RuleState::shadow);
    case GuardKind::rule_approved: return promote(RuleState::shadow, RuleState::approved);
    case GuardKind::rule_armed: return promote(RuleState::approved, RuleState::automatic);
    case GuardKind::shadow_hit:
      if (life.state == RuleState::shadow && life.hit.insert(e.detail("incident")).second) {
        life.hits = life.hit.size();
      }
      return;
    case GuardKind::rule_removed: life.state = RuleState::none; [[fallthrough]];
    default:  // rule_demoted
      if (life.state > RuleState::shadow) {
        life.state = RuleState::shadow;
        life.since = e.order();
      }
      ++life.demotions;
      life.hits = 0;
      life.failures = 0;
      life.hit.clear();
  }
}

void GuardState::apply(const GuardEvent& e) {
  switch (e.kind) {
    case GuardKind::intent: return begin(e);
    case GuardKind::result:
    case GuardKind::verified:
    case GuardKind::doubt:
    case GuardKind::settled: return apply_act(e);
    case GuardKind::approval:
      approvals_[e.uid()] = {e.rule, e.detail("target"), e.detail("incident"), e.at, e.order()};
      return;
    case GuardKind::stop:
      if (!lifted_.contains(e.uid())) stops.emplace(e.uid(), e);
      return;
    case GuardKind::resume:
      for (const auto& [key, uid] : e.details) {
        lifted_.insert(uid);
        stops.erase(uid);
      }
      resumed_ = std::max(resumed_, e.order());
      return;
    case GuardKind::unfreeze: unfrozen_[e.detail("target")] = e.order(); return;
    default: apply_rule(e);
  }
}

std::vector<const Act*> GuardState::of_target(std::string_view target) const {
  std::vector<const Act*> out;
  for (const Act& a : acts) {
    if (a.target == target) out.push_back(&a);
  }
  return out;
}

int GuardState::begun_within_hour(WallTime now, bool (*counts)(const Act&, const std::string&),
                                  const std::string& name) const {
  return static_cast<int>(std::count_if(acts.begin(), acts.end(), [&](const Act& a) {
    return within(a.at, now, kHourS) && counts(a, name);
  }));
}

int64_t GuardState::cool_down_s(std::string_view target, const GuardLimits& limits) const {
  int64_t pause = 0;
  WallTime last{};
  for (const Act* a : of_target(target)) {
    const bool in_a_row = pause > 0 && within(last, a->at, pause + limits.cool_down_most_s);
    pause = std::min(in_a_row ? 2 * pause : limits.cool_down_s, limits.cool_down_most_s);
    last = a->at;
  }
  return pause;
}

bool GuardState::cooling(std::string_view target, const GuardLimits& limits, WallTime now) const {
  const auto all = of_target(target);
  return !all.empty() && within(all.back()->at, now, cool_down_s(target, limits));
}

bool GuardState::frozen(std::string_view target, const GuardLimits& limits, WallTime now) const {
  const auto all = of_target(target);
  const auto thawed = unfrozen_.find(target);
  std::vector<WallTime> turns;
  for (size_t i = 1; i < all.size(); ++i) {
    if (thawed != unfrozen_.end() && all[i]->at <= thawed->second) continue;
    if (opposes(all[i - 1]->action, all[i]->action, limits) &&
        within(all[i - 1]->at, all[i]->at, kHourS)) {
      turns.push_back(all[i]->at);
    }
  }
  const auto most = static_cast<size_t>(std::max(0, limits.alternations));
  for (size_t i = most; i < turns.size(); ++i) {
    const bool fast = within(turns[i - most], turns[i], kHourS);
    if (fast && within(turns[i], now, limits.freeze_s)) return true;
  }
  return false;
}

bool GuardState::tripped(const GuardLimits& limits, WallTime now) const {
  const auto failed = std::count_if(acts.begin(), acts.end(), [&](const Act& a) {
    return a.phase == Phase::failed && a.ended > resumed_ && within(a.ended, now, kHourS);
  });
  return failed >= limits.trip_failures;
}

bool GuardState::breaker_open(const GuardLimits& limits, WallTime now) const {
  std::vector<std::pair<WallTime, bool>> results;
  for (const Act& a : acts) {
    const bool judged = a.phase == Phase::good || a.phase == Phase::failed;
    if (judged && a.ended > resumed_ && within(a.ended, now, limits.breaker_s)) {
      results.emplace_back(a.ended, a.phase == Phase::failed);
    }
  }
  std::sort(results.begin(), results.end());
  const auto most = static_cast<size_t>(std::max(1, limits.breaker_of));
  const size_t from = results.size() > most ? results.size() - most : 0;
  size_t failed = 0;
  for (size_t i = from; i < results.size(); ++i) failed += results[i].second ? 1 : 0;
  return failed * 2 > most;
}

std::string GuardState::approval(const Proposal& p, const GuardLimits& limits, WallTime now) const {
  constexpr int64_t kAheadS = 60;  // of clocks; beyond that nobody knows when it runs out
  for (const auto& [uid, one] : approvals_) {
    const bool fits = !used_.contains(uid) && one.rule == p.rule && one.target == p.target.name &&
                      one.incident == p.incident;
    const bool fresh = within(one.at, now, limits.approval_s) && age_s(now, one.at) <= kAheadS;
    if (fits && fresh) return uid;
  }
  return {};
}

WallTime GuardState::order_of_approval(const std::string& uid) const {
  const auto found = approvals_.find(uid);
  return found == approvals_.end() ? WallTime{} : found->second.order;
}

}  // namespace nines::remedy
