#include "remedy/steward.hpp"

#include <algorithm>
#include <utility>

#include "nines/remedy/signature.hpp"
#include "remedy/holds.hpp"
#include "remedy/target_name.hpp"

namespace nines::agent::remedy {
namespace {

using core::Act;
using core::GuardEvent;

constexpr const char* kNoRoom = "the ledger of the lease has no room here";

// Of its candidate.
std::string key_of(const std::string& rule, const std::string& incident) {
  return rule + ' ' + incident;
}
std::string key_of(const core::Proposal& proposal) {
  return key_of(proposal.rule, proposal.incident);
}

bool shares_a_service(const Incident& a, const Incident& b) {
  return std::any_of(a.services.begin(), a.services.end(),
                     [&](const std::string& one) { return b.concerns(one); });
}

}  // namespace

std::string reasons_of(const std::vector<core::Refusal>& refused) {
  std::string out;
  for (const core::Refusal one : refused) {
    out.append(out.empty() ? "" : "; ").append(refusal_text(one));
  }
  return out;
}

Steward::Steward(core::Guard guard, Parts parts)
    : guard_(std::move(guard)), parts_(std::move(parts)) {}

void Steward::tick(WallTime now) {
  now_ = now;
  keep_heard();
  follow_up();
  watch_breaker();
  for (const Act& act : guard_.to_recheck(token(), now)) recheck(act);
  for (const Act& act : guard_.to_verify(token(), now)) verify(act);
  for (const Act& act : guard_.to_roll_back(token(), now)) roll_back(act.id);
  if (is_held()) {
    ++counters_.held;
    for (auto& [key, candidate] : candidates_) candidate.free = {};
  } else {
    propose_ready();  // what waited for a slow try-out of the look before
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
  due_.clear();
  size_t news = 0;
  ++looks_;
  for (const core::RuleLife& rule : guard_.rules()) {
    if (rule.state < core::RuleState::shadow) continue;
    for (const Incident& incident : open) {
      const bool fits =
          (rule.signature.empty() || core::covers(rule.signature, core::signature_of(incident))) &&
          (rule.service.empty() || incident.concerns(rule.service));
      if (!fits || !incident.holding() || guard_.counted(rule.rule, incident.id)) continue;
      const auto known = candidates_.find(key_of(rule.rule, incident.id));
      const bool is_new = known == candidates_.end();
      if (!is_new) known->second.look = looks_;
      if (is_new && candidates_.size() + news >= kMostCandidates) {
        ++counters_.beyond;
      } else if (is_new || (!known->second.busy && known->second.next <= now)) {
        news += is_new ? 1 : 0;
        due_.emplace_back(rule.rule, incident.id);
      }
    }
  }
  // Whoever was not looked at for the longest time comes first: where more is due than there is
  // room to try out, each has its turn.
  const auto waits_since = [&](const auto& one) {
    const auto known = candidates_.find(key_of(one.first, one.second));
    return known == candidates_.end() ? WallTime{} : known->second.next;
  };
  std::reverse(due_.begin(), due_.end());
  std::stable_sort(due_.begin(), due_.end(),
                   [&](const auto& a, const auto& b) { return waits_since(b) < waits_since(a); });
  looking_ = true;
  try_next();
  looking_ = false;
  for (auto& [key, candidate] : candidates_) {
    if (candidate.look != looks_) candidate.free = {};
  }
  if (!is_trying()) propose_ready();
}

void Steward::try_next() {
  while (!due_.empty()) {
    const auto trying = std::count_if(candidates_.begin(), candidates_.end(),
                                      [](const auto& one) { return one.second.trying; });
    if (static_cast<size_t>(trying) >= kMostTryOuts || is_held()) return;
    const auto [name, id] = std::move(due_.back());
    due_.pop_back();
    const auto rule = guard_.rule(name);
    const auto incident = parts_.incident(id, now_);
    if (rule && incident && incident->holding()) consider(*rule, *incident, now_);
  }
}

Order Steward::try_out_of(const core::Action& action, const Found& found,
                          const std::string& incident) const {
  Order order;
  order.action = action;
  order.target = found.object;
  order.key = "dry-run/" + incident.substr(0, 56);
  order.incident = incident;
  order.intended = now_;
  order.mode = Mode::try_out;
  return order;
}

void Steward::consider(const core::RuleLife& rule, const Incident& incident, WallTime now) {
  const std::string key = key_of(rule.rule, incident.id);
  Candidate& candidate = candidates_[key];
  candidate.look = looks_;
  if (candidate.busy || now < candidate.next) return;
  candidate.rule = rule.rule;
  candidate.incident = incident.id;
  candidate.at = now;
  candidate.next = after_s(now, kAgainS);
  ++counters_.looked;
  auto found = parts_.find(incident, rule.action);
  if (!found) {
    candidate.why = "there is no target for it";
    return;
  }
  candidate.found = std::move(*found);
  candidate.busy = candidate.trying = true;
  Order order = try_out_of(rule.action, candidate.found, incident.id);
  ++counters_.tried;
  parts_.carry_out(std::move(order),
                   [this, key, alive = std::weak_ptr(alive_)](const Outcome& outcome) {
                     if (!alive.lock()) return;
                     tried(key, outcome);
                     try_next();
                     if (!looking_ && !is_trying()) propose_ready();
                   });
}

// Who was asked may say when to ask again (429, 503).
void Steward::not_before(Candidate& candidate, const Outcome& outcome) const {
  if (!outcome.retry_after_ms) return;
  const int64_t wait_ms = std::clamp<int64_t>(*outcome.retry_after_ms, 0, kMostRetryS * 1000);
  candidate.next = std::max(candidate.next, WallTime{now_.ns + wait_ms * 1'000'000});
}

void Steward::tried(const std::string& key, const Outcome& outcome) {
  const auto it = candidates_.find(key);
  if (it == candidates_.end()) return;
  Candidate& candidate = it->second;
  candidate.trying = false;
  if (outcome.became == Became::would) {
    candidate.ready = outcome;
  } else {
    not_before(candidate, outcome);
    look_again_at(key, outcome.text);
  }
}

bool Steward::is_trying() const {
  return std::any_of(candidates_.begin(), candidates_.end(),
                     [](const auto& one) { return one.second.trying; });
}

void Steward::look_again_at(const std::string& key, std::string why) {
  const auto it = candidates_.find(key);
  if (it == candidates_.end()) return;
  it->second.busy = false;
  it->second.why = std::move(why);
}

std::optional<core::Proposal> Steward::proposal_of(const Candidate& candidate,
                                                   const Outcome& outcome) const {
  const auto rule = guard_.rule(candidate.rule);
  const auto incident = parts_.incident(candidate.incident, now_);
  if (!rule || !incident || incident->over()) return std::nullopt;
  core::Proposal proposal;
  proposal.rule = candidate.rule;
  proposal.action = rule->action;
  proposal.target = candidate.found.target;
  proposal.severity = incident->severity;
  proposal.incident = incident->id;
  proposal.before = outcome.before;
  proposal.facts = facts_of(*incident, outcome);
  if (proposal.target.local) proposal.facts.holds = holds_on(*incident, parts_.node);
  if (parts_.proven_low) proposal.proven_low = parts_.proven_low(*rule);
  return proposal;
}

// What was tried out in one look is proposed at once, so that the Guard's order decides who goes
// first and not the order of the answers.
void Steward::propose_ready() {
  std::vector<core::Proposal> own, shared;
  for (auto& [key, candidate] : candidates_) {
    if (!candidate.ready) continue;
    auto proposal = proposal_of(candidate, *std::exchange(candidate.ready, std::nullopt));
    if (!proposal) {
      candidate.busy = false;
    } else if (is_shared(candidate.found)) {
      shared.push_back(std::move(*proposal));
    } else if (is_its_turn(candidate, *proposal)) {
      own.push_back(std::move(*proposal));
    } else {
      look_again_at(key, "it waits for its turn among the nodes");
    }
  }
  propose_own(std::move(own));
  propose_shared(std::move(shared));
}

// Where nothing else stands against what a rule does by itself to this node: its intent is to be
// heard by the nodes after it before they begin, and those of the nodes before it here.
bool Steward::is_its_turn(Candidate& candidate, const core::Proposal& proposal) {
  const auto rule = guard_.rule(candidate.rule);
  const bool armed = rule && rule->state == core::RuleState::automatic;
  const bool waits = parts_.rank && armed && proposal.target.local &&
                     guard_.would(proposal, std::nullopt, now_).empty();
  if (!waits) candidate.free = {};
  if (!waits) return true;
  if (candidate.free == WallTime{}) candidate.free = now_;
  const Rank rank = parts_.rank();
  const auto nodes = static_cast<int64_t>(std::max<size_t>(1, rank.nodes));
  const int64_t before = std::min(static_cast<int64_t>(rank.before), nodes);
  const int64_t turn_ns = std::min(kTurnS * kNsPerSecond, kTurnsS * kNsPerSecond / nodes);
  return now_.ns - candidate.free.ns >= before * turn_ns;
}

void Steward::propose_own(std::vector<core::Proposal> proposals) {
  for (const core::Verdict& verdict : guard_.propose(std::move(proposals), std::nullopt, now_)) {
    const std::string key = key_of(verdict.proposal);
    if (verdict.go()) begin(verdict, candidates_[key].found);
    weighed(key, verdict, reasons_of(verdict.refused));
  }
}

void Steward::propose_shared(std::vector<core::Proposal> proposals) {
  if (proposals.empty()) return;
  std::stable_sort(proposals.begin(), proposals.end(), core::goes_before);
  parts_.lease->read([this, proposals = std::move(proposals),
                      alive = std::weak_ptr(alive_)](const Result<SharedLease::Bid>& bid) {
    if (alive.lock()) weigh_shared(proposals, bid);
  });
}

// One intent under one bid: the write of the next would be under a version that is gone.
void Steward::weigh_shared(const std::vector<core::Proposal>& proposals,
                           const Result<SharedLease::Bid>& bid) {
  // Whoever cannot act all the same says what he would have done.
  const auto token = bid.ok() ? adopt(*bid) : std::nullopt;
  bool begun = false;
  for (const core::Proposal& proposal : proposals) {
    const std::string key = key_of(proposal);
    if (begun) {
      look_again_at(key, "another act goes first");
      continue;
    }
    const core::Verdict verdict = guard_.propose({proposal}, token, now_).front();
    begun = verdict.go();
    if (begun) begin(verdict, candidates_[key].found);
    const std::string why = !bid.ok() ? bid.error().message
                            : token   ? reasons_of(verdict.refused)
                                      : std::string(kNoRoom);
    weighed(key, verdict, why);
  }
  if (bid.ok() && !begun) parts_.lease->leave();
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
  const auto token = adopt(bid);
  const auto verdicts = guard_.propose({std::move(proposal)}, token, now_);
  const core::Verdict& verdict = verdicts.front();
  if (verdict.go()) {
    begin(verdict, found);
  } else {
    parts_.lease->leave();
  }
  decided(verdict, token ? reasons_of(verdict.refused) : std::string(kNoRoom));
}

// The token to act under. nullopt: there is no room for all that others did.
std::optional<uint64_t> Steward::adopt(const SharedLease::Bid& bid) {
  bool whole = true;
  for (const GuardEvent& event : bid.ledger) whole = adopt(event) && whole;
  return whole ? std::optional(bid.token) : std::nullopt;
}

// What another node decided. False: there is no room for it.
bool Steward::adopt(const GuardEvent& event) {
  const auto merged = guard_.merge(event);
  if (merged != core::Guard::Merge::news) return merged == core::Guard::Merge::known;
  kept_.insert(event.uid());
  if (stream_of(event.kind) == Stream::switches) switches_.insert(event.uid());
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

std::vector<Steward::Stood> Steward::stood() const {
  std::vector<Stood> out;
  for (const auto& [key, one] : candidates_) {
    out.push_back({one.rule, one.incident, one.found.target.name, one.why, one.at});
  }
  return out;
}

}  // namespace nines::agent::remedy
