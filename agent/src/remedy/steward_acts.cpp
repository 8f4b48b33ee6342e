// The Steward from an intent to its end: written, begun, looked at afterwards, rolled back.
#include <algorithm>
#include <utility>

#include "remedy/holds.hpp"
#include "remedy/pre_state.hpp"
#include "remedy/steward.hpp"
#include "remedy/target_name.hpp"

namespace nines::agent::remedy {
namespace {

using core::Act;
using core::GuardEvent;

constexpr int kMostRechecks = 3;

// What differs stands at the end: boot and sequence.
std::string key_of(const Act& act) {
  constexpr size_t kMost = 64;
  return act.id.substr(act.id.size() - std::min(act.id.size(), kMost));
}

}  // namespace

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
  if (stopped(now_)) {  // the lease was only read: it stays whose it is
    parts_.lease->leave();
    return ended(id, {Became::refused, "everything was stopped before it was begun", {}, {}});
  }
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
                   [this, id, alive = std::weak_ptr(alive_)](const Outcome& outcome) {
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
  order.before = act.before;
  if (const Act* const undone = guard_.find(act.undoes)) order.restore = undone->before;
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
  const auto candidate = candidates_.find(act.rule + ' ' + act.incident);
  if (candidate != candidates_.end()) not_before(candidate->second, outcome);
  const bool done = outcome.became == Became::done;
  const bool failed = outcome.became == Became::failed;
  ++(done ? counters_.done : counters_.failed);
  const auto how = done     ? core::Guard::Outcome::ok
                   : failed ? core::Guard::Outcome::failed
                            : core::Guard::Outcome::not_done;
  auto result = guard_.result(id, how, outcome.text, now_);
  if (result.ok()) keep(*result);
  parts_.note(act, outcome.text, done || failed);
  follow_up();
  changed(act);
  if (!done) miss_undoing(act, outcome.text);
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
                   [this, id = act.id, alive = std::weak_ptr(alive_)](const Outcome& outcome) {
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
  if (!done) miss_undoing(act, outcome.text);
}

void Steward::verify(const Act& act) {
  if (under_way_.contains(act.id)) return;
  const auto incident = parts_.incident(act.incident, now_);
  if (!incident) return cannot_verify(act);
  const bool good =
      incident->over() || !incident->holding() || (act.local && !holds_on(*incident, parts_.node));
  const std::string text = good ? "its condition is over" : "its condition holds still";
  auto verified = guard_.verified(act.id, good, text, now_);
  if (!verified.ok()) return;
  keep(*verified);
  parts_.note(act, text, false);
  follow_up();
  changed(act);
  if (good) return;
  miss_undoing(act, "its incident goes on all the same");
  roll_back(act.id);
}

// Its incident is not known here (any more, or not yet): whether it helped nobody can tell.
void Steward::cannot_verify(const Act& act) {
  Doubt& doubt = doubts_[act.id];
  if (now_ < doubt.next) return;
  doubt.next = after_s(now_, kRecheckS);
  if (++doubt.tries < kMostRechecks) return;
  doubts_.erase(act.id);
  const std::string why = "its incident is not known here";
  auto doubted = guard_.doubt(act.id, why, now_);
  if (!doubted.ok()) return;
  keep(*doubted);
  changed(act);
  page(act, "nobody can tell whether it helped (" + why + "): look at " + act.target +
                ", then nines remedy settle " + act.id);
}

// What was to take an act back is not there: nothing tries that again.
void Steward::miss_undoing(const Act& act, const std::string& text) {
  if (!act.undoes.empty())
    page(act, "it was to undo " + act.undoes + ", and did not help: " + text);
}

void Steward::roll_back(const std::string& id) {
  const Act* const act = guard_.find(id);
  if (act == nullptr || under_way_.contains(id) || !taken_back_.insert(id).second) return;
  auto proposal = guard_.rollback_of(id, now_);
  const auto object = proposal ? object_of(proposal->action.verb, act->target) : std::nullopt;
  if (!object) {
    const std::string before = told_before(*act);
    if (act->undoes.empty()) {
      page(*act, "it did not help, and nothing undoes it" +
                     (before.empty() ? before : "; before it there was: " + before));
    }
    return;
  }
  const Found found{proposal->target, *object};
  Order order;
  order.action = proposal->action;
  order.target = *object;
  order.key = key_of(*act);
  order.incident = act->incident;
  order.intended = now_;
  order.restore = act->before;
  under_way_.insert(id);
  parts_.carry_out(order, [this, id, proposal = *proposal, found,
                           alive = std::weak_ptr(alive_)](const Outcome& outcome) mutable {
    if (!alive.lock()) return;
    under_way_.erase(id);
    const auto incident = parts_.incident(proposal.incident, now_);
    proposal.before = outcome.before;
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

}  // namespace nines::agent::remedy
