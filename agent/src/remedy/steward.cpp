#include "remedy/steward.hpp"

#include <algorithm>
#include <utility>

#include "remedy/holds.hpp"
#include "remedy/target_name.hpp"

namespace nines::agent::remedy {
namespace {

using core::Act;
using core::GuardEvent;
using core::GuardKind;

constexpr int kMostRechecks = 3;
const std::string kDryRun = "dry-run/";

// What differs stands at the end: boot and sequence.
std::string key_of(const Act& act) {
  constexpr size_t kMost = 64;
  return act.id.substr(act.id.size() - std::min(act.id.size(), kMost));
}

WallTime after_s(WallTime at, int64_t s) { return {at.ns + s * kNsPerSecond}; }

std::string reasons_of(const std::vector<core::Refusal>& refused) {
  std::string out;
  for (const core::Refusal one : refused) {
    out.append(out.empty() ? "" : "; ").append(refusal_text(one));
  }
  return out;
}

bool shares_a_service(const Incident& a, const Incident& b) {
  return std::any_of(a.services.begin(), a.services.end(),
                     [&](const std::string& one) { return b.concerns(one); });
}

}  // namespace

Steward::Steward(core::Guard guard, Parts parts)
    : guard_(std::move(guard)), parts_(std::move(parts)) {}

void Steward::tick(WallTime now) {
  now_ = now;
  keep_heard();
  keep_all(guard_.tick(now));
  for (const Act& act : guard_.to_recheck(token(), now)) recheck(act);
  for (const Act& act : guard_.to_verify(token(), now)) verify(act);
  if (is_held()) {
    ++counters_.held;
  } else {
    look(now);
  }
  tell_others();
  forget_pruned();
}

// --- from an incident to an intent

void Steward::look(WallTime now) {
  if (guard_.rules().empty() && candidates_.empty()) return;
  const std::vector<Incident> open = parts_.open(now);
  std::erase_if(candidates_, [&](const auto& one) {
    const Candidate& candidate = one.second;
    return !candidate.busy && std::none_of(open.begin(), open.end(), [&](const Incident& incident) {
      return incident.id == candidate.incident;
    });
  });
  for (const core::RuleLife& rule : guard_.rules()) {
    if (rule.state < core::RuleState::shadow) continue;
    for (const Incident& incident : open) {
      const bool fits = (rule.signature.empty() || rule.signature == incident.signature()) &&
                        (rule.service.empty() || incident.concerns(rule.service));
      if (fits && incident.holding()) consider(rule, incident, now);
    }
  }
}

void Steward::consider(const core::RuleLife& rule, const Incident& incident, WallTime now) {
  const std::string key = rule.rule + ' ' + incident.id;
  const auto known = candidates_.find(key);
  if (known == candidates_.end() && candidates_.size() >= kMostCandidates) {
    ++counters_.beyond;
    return;
  }
  Candidate& candidate = candidates_[key];
  if (candidate.busy || now < candidate.next) return;
  candidate.rule = rule.rule;
  candidate.incident = incident.id;
  candidate.next = after_s(now, kAgainS);
  ++counters_.looked;
  auto found = parts_.find(incident, rule.action);
  if (!found) {
    candidate.why = "there is no target for it";
    return;
  }
  candidate.found = std::move(*found);
  candidate.busy = true;
  Order order;
  order.action = rule.action;
  order.target = candidate.found.object;
  order.key = kDryRun + incident.id.substr(0, 56);
  order.incident = incident.id;
  order.intended = now;
  order.mode = Mode::try_out;
  ++counters_.tried;
  parts_.carry_out(std::move(order), [this, key, alive = std::weak_ptr(alive_)](Outcome outcome) {
    if (alive.lock()) tried(key, outcome);
  });
}

void Steward::tried(const std::string& key, const Outcome& outcome) {
  const auto it = candidates_.find(key);
  if (it == candidates_.end()) return;
  Candidate& candidate = it->second;
  candidate.busy = false;
  if (outcome.became != Became::would) {
    candidate.why = outcome.text;
    return;
  }
  weigh(key, outcome);
}

void Steward::weigh(const std::string& key, const Outcome& outcome) {
  Candidate& candidate = candidates_[key];
  const auto rule = guard_.rule(candidate.rule);
  const auto incident = parts_.incident(candidate.incident, now_);
  if (!rule || !incident || incident->over()) return;
  core::Proposal proposal;
  proposal.rule = candidate.rule;
  proposal.action = rule->action;
  proposal.target = candidate.found.target;
  proposal.severity = incident->severity;
  proposal.incident = incident->id;
  proposal.facts = facts_of(*incident, outcome);
  if (proposal.target.local) proposal.facts.holds = holds_on(*incident, parts_.node);
  candidate.busy = true;
  decide(std::move(proposal), candidate.found,
         [this, key](const core::Verdict& verdict, const std::string& why) {
           weighed(key, verdict, why);
         });
}

void Steward::weighed(const std::string& key, const core::Verdict& verdict,
                      const std::string& why) {
  const auto it = candidates_.find(key);
  if (it == candidates_.end()) return;
  Candidate& candidate = it->second;
  candidate.busy = false;
  candidate.why = why;
  if (verdict.go()) return;
  if (verdict.event) {
    ++counters_.shadow_hits;
    keep(*verdict.event);
  }
  if (verdict.page && !std::exchange(candidate.paged, true)) {
    ++counters_.paged;
    const std::string text = "rule " + candidate.rule + " would do " +
                             verdict.proposal.action.key() + " to " + verdict.proposal.target.name +
                             ": " + why;
    const bool asks = verdict.refused == std::vector<core::Refusal>{core::Refusal::needs_approval};
    if (asks && parts_.ask) return parts_.ask(verdict.proposal, text);
    parts_.page(candidate.incident, text);
  }
}

// Of what nodes share all that the ledger of the lease knows counts, and the intent goes into it.
void Steward::decide(core::Proposal proposal, const Found& found, Decided decided) {
  if (is_shared(found)) {
    return parts_.lease->read([this, proposal = std::move(proposal), found,
                               decided = std::move(decided)](Result<SharedLease::Bid> bid) {
      if (bid.ok()) return decide_shared(proposal, found, *bid, decided);
      // Whoever cannot act all the same says what he would have done.
      const auto verdicts = guard_.propose({proposal}, std::nullopt, now_);
      decided(verdicts.front(), bid.error().message);
    });
  }
  const std::vector<core::Verdict> verdicts =
      guard_.propose({std::move(proposal)}, std::nullopt, now_);
  const core::Verdict& verdict = verdicts.front();
  if (verdict.go()) begin(verdict, found);
  decided(verdict, reasons_of(verdict.refused));
}

void Steward::decide_shared(core::Proposal proposal, const Found& found,
                            const SharedLease::Bid& bid, const Decided& decided) {
  bool whole = true;
  for (const GuardEvent& event : bid.ledger) whole = adopt(event) && whole;
  const auto token = whole ? std::optional(bid.token) : std::nullopt;
  const auto verdicts = guard_.propose({std::move(proposal)}, token, now_);
  const core::Verdict& verdict = verdicts.front();
  if (verdict.go()) {
    begin(verdict, found);
  } else {
    parts_.lease->leave();
  }
  decided(verdict,
          whole ? reasons_of(verdict.refused) : "the ledger of the lease has no room here");
}

// What another node decided. False: there is no room for it.
bool Steward::adopt(const GuardEvent& event) {
  const auto merged = guard_.merge(event);
  if (merged != core::Guard::Merge::news) return merged == core::Guard::Merge::known;
  kept_.insert(event.uid());
  parts_.keep({{kDocuments, event.uid(), encode_guard(event)}}, [](const Status&) {});
  return true;
}

core::Facts Steward::facts_of(const Incident& incident, const Outcome& outcome) const {
  core::Facts facts;
  facts.known = outcome.became == Became::would;
  facts.clock_set = parts_.clock_set();
  facts.isolated = parts_.isolated();
  facts.holds = incident.holding();
  const std::vector<Incident> open = parts_.open(now_);
  facts.other_incident = std::any_of(open.begin(), open.end(), [&](const Incident& other) {
    return other.id != incident.id && shares_a_service(other, incident);
  });
  // What the dry run passed is neither bare nor paused nor against a disruption budget.
  facts.budget_allows = facts.known;
  facts.ready = outcome.ready;
  facts.minimum = 1;
  return facts;
}

// --- from an intent to its result

void Steward::begin(const core::Verdict& verdict, const Found& found) {
  const std::string id = verdict.event->uid();
  ++counters_.intents;
  under_way_.insert(id);
  keep(*verdict.event, [this, id, found](const Status& written) {
    if (written.ok()) return enter(id, found);
    ++counters_.unwritten;
    if (is_shared(found)) parts_.lease->leave();
    ended(id,
          {Became::refused, "the intent could not be written: " + written.error().message, {}, {}});
  });
}

// Into the ledger, where it is shared: if anybody has written since it was read, this node lost.
void Steward::enter(const std::string& id, const Found& found) {
  if (!is_shared(found)) return act(id, found);
  parts_.lease->write(guard_.ledger(now_), [this, id, found](bool won) {
    if (won) return act(id, found);
    ended(id, {Became::refused, "another node wrote to the lease first", {}, {}});
  });
}

// What became of it, for those who take the lease next, who need not wait for it to run out when
// nothing of this node is left to be looked at.
void Steward::tell_others() {
  if (!untold_ || now_ < tell_next_ || parts_.lease == nullptr || parts_.lease->busy()) return;
  tell_next_ = after_s(now_, kAgainS);
  parts_.lease->read([this](Result<SharedLease::Bid> bid) {
    if (!bid.ok()) return;
    for (const GuardEvent& event : bid->ledger) (void)adopt(event);
    const std::vector<Act> acts = guard_.acts();
    const bool needed = std::any_of(acts.begin(), acts.end(), [&](const Act& act) {
      return !act.local && !act.over() && act.node == parts_.node;
    });
    untold_ = false;
    parts_.lease->write(
        guard_.ledger(now_), [this](bool won) { untold_ = untold_ || !won; }, !needed);
  });
}

void Steward::act(const std::string& id, const Found& found) {
  const Act* const act = guard_.find(id);
  if (act == nullptr) return;
  if (is_held() || !guard_.may_start(id, token(), now_)) {
    return ended(id, {Became::refused, "it was not begun in time, or was stopped", {}, {}});
  }
  parts_.carry_out(order_of(*act, found, Mode::act),
                   [this, id, alive = std::weak_ptr(alive_)](Outcome outcome) {
                     if (alive.lock()) ended(id, outcome);
                   });
}

Order Steward::order_of(const Act& act, const Found& found, Mode mode) const {
  Order order;
  order.action = act.action;
  order.target = found.object;
  order.target.uid = act.target_uid;
  if (order.target.ns.empty()) order.target.ns = act.namespace_;
  order.key = key_of(act);
  order.incident = act.incident;
  order.intended = act.at;
  order.mode = mode;
  return order;
}

void Steward::ended(const std::string& id, const Outcome& outcome) {
  under_way_.erase(id);
  const Act* const found = guard_.find(id);
  if (found == nullptr || found->over()) return;
  const Act act = *found;
  if (outcome.became == Became::unknown) {
    ++counters_.unknown;
    doubts_[id] = {after_s(now_, kRecheckS), 0};
    return parts_.note(act, outcome.text, false);
  }
  const bool done = outcome.became == Became::done;
  const bool failed = outcome.became == Became::failed;
  ++(done ? counters_.done : counters_.failed);
  const auto how = done     ? core::Guard::Outcome::ok
                   : failed ? core::Guard::Outcome::failed
                            : core::Guard::Outcome::not_done;
  auto result = guard_.result(id, how, outcome.text, now_);
  if (result.ok()) keep(*result);
  parts_.note(act, outcome.text, done || failed);
  keep_all(guard_.tick(now_));
  changed(act);
}

// It is told at once if nothing else is just being told.
void Steward::changed(const Act& act) {
  if (act.local) return;
  untold_ = true;
  tell_next_ = now_;
  tell_others();
}

// --- afterwards

void Steward::recheck(const Act& act) {
  if (under_way_.contains(act.id)) return;
  Doubt& doubt = doubts_[act.id];
  if (now_ < doubt.next) return;
  doubt.next = after_s(now_, kRecheckS);
  ++doubt.tries;
  const auto object = object_of(act.action.verb, act.target);
  if (!object) return rechecked(act.id, {Became::unknown, "its target is not known", {}, {}});
  under_way_.insert(act.id);
  parts_.carry_out(order_of(act, {{}, *object}, Mode::recheck),
                   [this, id = act.id, alive = std::weak_ptr(alive_)](Outcome outcome) {
                     if (alive.lock()) rechecked(id, outcome);
                   });
}

void Steward::rechecked(const std::string& id, const Outcome& outcome) {
  under_way_.erase(id);
  const Act* const found = guard_.find(id);
  if (found == nullptr || found->over()) return;
  const Act act = *found;
  // Who refuses to look (it is not configured any more, too much is under way) tells nothing.
  if (outcome.became == Became::unknown || outcome.became == Became::refused) {
    if (doubts_[id].tries < kMostRechecks) return;
    auto doubt = guard_.doubt(id, outcome.text, now_);
    if (doubt.ok()) keep(*doubt);
    doubts_.erase(id);
    return page(act, "nobody can tell whether it was done (" + outcome.text + "): look at " +
                         act.target + ", then nines remedy settle " + id);
  }
  doubts_.erase(id);
  const bool done = outcome.became == Became::done;
  auto result = guard_.result(id, done ? core::Guard::Outcome::ok : core::Guard::Outcome::not_done,
                              "found afterwards: " + outcome.text, now_);
  if (result.ok()) keep(*result);
  changed(act);
}

void Steward::verify(const Act& act) {
  if (under_way_.contains(act.id)) return;
  const auto incident = parts_.incident(act.incident, now_);
  const bool good = !incident || incident->over() || !incident->holding() ||
                    (act.local && !holds_on(*incident, parts_.node));
  const std::string text = good ? "its condition is over" : "its condition holds still";
  auto verified = guard_.verified(act.id, good, text, now_);
  if (!verified.ok()) return;
  keep(*verified);
  parts_.note(act, text, false);
  keep_all(guard_.tick(now_));
  changed(act);
  if (!good) roll_back(act.id);
}

void Steward::roll_back(const std::string& id) {
  const Act* const act = guard_.find(id);
  if (act == nullptr) return;
  auto proposal = guard_.rollback_of(id, now_);
  const auto object = proposal ? object_of(proposal->action.verb, act->target) : std::nullopt;
  if (!object) {
    if (act->undoes.empty()) page(*act, "it did not help, and nothing undoes it");
    return;
  }
  const Found found{proposal->target, *object};
  Order order;
  order.action = proposal->action;
  order.target = *object;
  order.key = key_of(*act);
  order.incident = act->incident;
  order.intended = now_;
  under_way_.insert(id);
  parts_.carry_out(order, [this, id, proposal = *proposal, found,
                           alive = std::weak_ptr(alive_)](Outcome outcome) mutable {
    if (!alive.lock()) return;
    under_way_.erase(id);
    const auto incident = parts_.incident(proposal.incident, now_);
    proposal.facts = incident ? facts_of(*incident, outcome) : core::Facts{};
    decide(proposal, found,
           [this, id, outcome](const core::Verdict& verdict, const std::string& why) {
             if (verdict.go()) {
               ++counters_.rolled_back;
               return;
             }
             const Act* const bad = guard_.find(id);
             if (bad == nullptr) return;
             page(*bad, "it did not help and is not rolled back: " +
                            (outcome.became == Became::would ? why : outcome.text));
           });
  });
}

void Steward::page(const Act& act, const std::string& text) {
  ++counters_.paged;
  parts_.page(act.incident, act.action.key() + " on " + act.target + " (" + act.id + "): " + text);
}

std::vector<Steward::Stood> Steward::stood() const {
  std::vector<Stood> out;
  for (const auto& [key, one] : candidates_) {
    out.push_back({one.rule,
                   one.incident,
                   one.found.target.name,
                   one.why,
                   {one.next.ns - kAgainS * kNsPerSecond}});
  }
  return out;
}

}  // namespace nines::agent::remedy
