#include "nines/remedy/guard.hpp"

#include <algorithm>
#include <tuple>

#include "remedy/guard_impl.hpp"

namespace nines::remedy {
namespace {

// Beyond kMaxEvents only what closes something, or stops, still has a place.
constexpr size_t kReserve = 256;
constexpr size_t kEventsOfAnAct = 6;
// What was done by a clock that is set right later would look long past.
constexpr int64_t kBackS = 60;

bool is_of_act(GuardKind kind) {
  return kind >= GuardKind::shadow_hit && kind <= GuardKind::settled;
}

bool is_urgent(GuardKind kind) {
  return kind == GuardKind::stop || kind == GuardKind::resume || kind == GuardKind::rule_demoted ||
         kind == GuardKind::rule_removed ||
         (kind >= GuardKind::result && kind <= GuardKind::settled);
}

}  // namespace

bool goes_before(const Proposal& a, const Proposal& b) noexcept {
  const auto key = [](const Proposal& p) {
    return std::tuple(p.who.empty(), p.severity, scope_of(p.action.verb), -p.proven_low);
  };
  const auto first = key(a), second = key(b);
  if (first != second) return first < second;
  return std::tie(a.rule, a.target.name, a.action, a.incident, a.who) <
         std::tie(b.rule, b.target.name, b.action, b.incident, b.who);
}

bool Guard::Impl::full() const noexcept { return events.size() + kEventsOfAnAct > kMaxEvents; }

bool Guard::Impl::clock_back(WallTime now) {
  latest = std::max(latest, now);
  return is_back(now);
}

bool Guard::Impl::is_back(WallTime now) const noexcept {
  return latest.ns - now.ns > kBackS * kNsPerSecond;
}

Weighed Guard::Impl::weighed(const Proposal& p, std::optional<uint64_t> token, bool back,
                             WallTime now) const {
  const bool too_many = !p.target.local && ledger(now).size() + kEventsOfAnAct > kMaxGuardLedger;
  return weigh(p, {state, limits, identity.node, full() || too_many, back, token, now});
}

void Guard::Impl::refold() {
  state = {};
  for (const GuardEvent& e : events) state.apply(e);
  stale = false;
  ++counters.refolds;
}

bool Guard::Impl::take(const GuardEvent& event) {
  const bool next = !stale && (events.empty() || comes_before(*events.rbegin(), event));
  if (!events.insert(event).second) return false;
  uids.insert(event.uid());
  if (event.node == identity.node && event.boot == identity.boot) {
    sequence = std::max(sequence, event.sequence);
  }
  stale = !next;
  if (next) state.apply(event);
  return true;
}

// Two events of one name: a state directory that was copied, or a peer that lies. All nodes keep
// the same one of them, a stop before anything else.
bool Guard::Impl::replace(const GuardEvent& event) {
  const std::string uid = event.uid();
  const auto known = std::find_if(events.begin(), events.end(),
                                  [&](const GuardEvent& one) { return one.uid() == uid; });
  if (known == events.end() || *known == event) return false;
  ++counters.conflicts;
  const bool stops = event.kind == GuardKind::stop;
  const bool better = stops != (known->kind == GuardKind::stop)
                          ? stops
                          : encode_guard(event) < encode_guard(*known);
  if (!better) return false;
  events.erase(known);
  events.insert(event);
  stale = true;
  return true;
}

GuardEvent Guard::Impl::draft(GuardKind kind, WallTime after, WallTime now) {
  GuardEvent e;
  e.node = identity.node;
  e.boot = identity.boot;
  e.sequence = sequence + 1;
  e.at = now;
  if (after != WallTime{}) e.after = WallTime{after.ns + 1};  // behind it, whoever wrote it
  e.kind = kind;
  return e;
}

Guard::Done Guard::Impl::keep(GuardEvent event) {
  fit(event);
  const size_t room = kMaxEvents + (is_urgent(event.kind) ? kReserve : 0);
  if (events.size() >= room) {
    return Error{Errc::exhausted,
                 "the log of remediation is full (" + std::to_string(events.size()) + " events)"};
  }
  take(event);
  return event;
}

GuardEvent Guard::Impl::about(const Act& act, GuardKind kind, std::string_view text, WallTime now) {
  GuardEvent e = draft(kind, std::max(act.at, act.ended), now);
  e.rule = act.rule;
  e.text = text;
  e.details.emplace_back("act", act.id);
  return e;
}

GuardEvent Guard::Impl::intent(const Proposal& p, const Weighed& weighed,
                               std::optional<uint64_t> token, WallTime now) {
  const Act* const undone = state.find(p.undoes);
  // Behind what allows it and what it undoes, whoever wrote that: a fold that met the intent first
  // would take the approval for one that nobody has used.
  const WallTime allowed = state.order_of_approval(weighed.approval);
  const WallTime after = std::max(allowed, undone == nullptr ? WallTime{} : undone->ended);
  GuardEvent e = draft(GuardKind::intent, after, now);
  e.rule = p.rule;
  e.who = p.who;
  const auto add = [&](const char* key, std::string value) {
    if (!value.empty()) e.details.emplace_back(key, std::move(value));
  };
  // What limits are counted from goes first: what does not fit is cut at the end.
  add("action", p.action.key());
  add("target", p.target.name);
  add("node", p.target.node);
  add("namespace", p.target.namespace_);
  add("local", p.target.local ? "1" : "");
  add("token", token && !p.target.local ? std::to_string(*token) : "");
  add("undoes", p.undoes);
  add("approval", weighed.approval);
  add("incident", p.incident);
  add("uid", p.target.uid);
  add("service", p.target.service);
  add("before", p.before);
  return e;
}

// What is over goes after a week, or, where a fleet does so much that there is no room for a week,
// once no limit looks back so far.
void Guard::Impl::prune(WallTime now) {
  const int64_t least =
      std::max({limits.breaker_s, limits.freeze_s, 2 * limits.cool_down_most_s, kHourS});
  for (const int64_t kept_s : {kKeepS, std::min(kKeepS, least)}) {
    if (events.size() < kMaxEvents * 3 / 4) return;
    prune_before({now.ns - kept_s * kNsPerSecond});
  }
}

// Without it all is as it is: a stop that was lifted by name, a promotion of a rule that a person
// drafted anew since. Not what was drafted: it tells what is not to be drafted again.
//
// Nor demotions and removals, at any age. State is a fold over what all nodes have, and a promotion
// is worth something exactly where as many demotions are known as its writer names. Say that a rule
// was promoted (naming 0), and demoted. A node that let go of the demotion has the set of one that
// never heard of it: the promotion, which no age ends since rules act for years, names 0 of 0 and
// the rule acts again. Letting the promotion and the draft go with it does not help: who was away
// for as long still has both, tells them, and never heard of the demotion. Refusing all that is so
// old would take from a new node, or one that lost its disk, rules that act everywhere else. And
// what is written after it names fewer demotions than others count: void there, not here.
// They are few: a person has to promote a rule before it is demoted again. `kMaxEvents` and
// `kReserve` bound them, beyond which they are refused, and who has too many begins nothing.
bool Guard::Impl::is_superseded(const GuardEvent& e, WallTime horizon) const {
  switch (e.kind) {
    case GuardKind::stop: return state.lifted(e.uid());
    case GuardKind::rule_shadowed:
    case GuardKind::rule_approved:
    case GuardKind::rule_armed: {
      const auto rule = state.rules.find(e.rule);
      return rule != state.rules.end() && rule->second.anew && rule->second.began < horizon &&
             e.order() < rule->second.began;
    }
    default: return false;
  }
}

void Guard::Impl::prune_before(WallTime horizon) {
  const size_t before = events.size();
  std::erase_if(events, [&](const GuardEvent& e) {
    if (e.order() >= horizon) return false;
    if (!is_of_act(e.kind)) {
      const bool gone = is_superseded(e, horizon);
      if (gone) uids.erase(e.uid());
      return gone;
    }
    const Act* const act = state.find(e.kind == GuardKind::intent ? e.uid() : e.detail("act"));
    const bool open = act != nullptr && (!act->over() || act->ended >= horizon);
    if (!open) uids.erase(e.uid());
    return !open;
  });
  if (events.size() == before) return;
  floor = std::max(floor, horizon);
  counters.pruned += before - events.size();
  refold();
}

Guard::Guard(GuardIdentity identity, GuardLimits limits) : impl_(std::make_unique<Impl>()) {
  impl_->identity = std::move(identity);
  impl_->limits = std::move(limits);
}
Guard::~Guard() = default;
Guard::Guard(Guard&&) noexcept = default;
Guard& Guard::operator=(Guard&&) noexcept = default;

Guard::Folded::Folded(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Guard::Folded::~Folded() = default;
Guard::Folded::Folded(Folded&&) noexcept = default;
Guard::Folded& Guard::Folded::operator=(Folded&&) noexcept = default;
Guard::Impl* Guard::Folded::operator->() const {
  if (impl_->stale) impl_->refold();
  return impl_.get();
}

Guard::Merge Guard::merge(const GuardEvent& event) {
  Impl* const impl = impl_.as_it_is();
  if (impl->uids.contains(event.uid())) {
    const bool replaced = impl->replace(event);
    return replaced ? Merge::news : (++impl->counters.known, Merge::known);
  }
  const bool old = event.order() < impl->floor &&
                   (is_of_act(event.kind) || impl_->is_superseded(event, impl->floor));
  const size_t room = kMaxEvents + (is_urgent(event.kind) ? kReserve : 0);
  impl->counters.old += old ? 1 : 0;
  if (old || impl->events.size() >= room) return ++impl->counters.refused, Merge::refused;
  impl->take(event);
  ++impl->counters.merged;
  return Merge::news;
}

bool Guard::has(const GuardEvent& event) const {
  const auto& events = impl_.as_it_is()->events;
  const auto found = events.find(event);
  return found != events.end() && *found == event;
}

bool Guard::is_lifted(const std::string& uid) const { return impl_->state.lifted(uid); }

std::vector<Verdict> Guard::propose(std::vector<Proposal> proposals, std::optional<uint64_t> token,
                                    WallTime now) {
  std::stable_sort(proposals.begin(), proposals.end(), goes_before);
  std::vector<Verdict> out;
  const bool back = impl_->clock_back(now);
  for (Proposal& p : proposals) {
    p.target.local = p.target.local && p.target.node == impl_->identity.node;
    const Weighed weighed = impl_->weighed(p, token, back, now);
    Verdict& verdict = out.emplace_back();
    verdict.refused = weighed.refused;
    verdict.page = weighed.page;
    const auto found = impl_->state.rules.find(p.rule);
    const bool shadowed = p.who.empty() && p.undoes.empty() && found != impl_->state.rules.end() &&
                          found->second.state == RuleState::shadow;
    if (verdict.refused.empty()) {
      GuardEvent intent = impl_->intent(p, weighed, token, now);
      GuardEvent fitted = intent;
      fit(fitted);
      // Names so long that limits could not be counted by them.
      if (fitted.details != intent.details || fitted.rule != intent.rule) {
        verdict.refused.push_back(Refusal::unknown_target);
      } else if (Done kept = impl_->keep(std::move(intent))) {
        verdict.event = *kept;
      } else {
        verdict.refused.push_back(Refusal::log_full);
      }
    } else if (shadowed && verdict.refused == std::vector{Refusal::rule_state} &&
               !found->second.hit.contains(p.incident)) {
      GuardEvent hit = impl_->draft(GuardKind::shadow_hit, found->second.changed, now);
      hit.rule = p.rule;
      hit.details = {{"incident", p.incident}, {"target", p.target.name}};
      if (Done kept = impl_->keep(std::move(hit))) verdict.event = *kept;
    }
    verdict.proposal = std::move(p);
  }
  return out;
}

std::vector<Refusal> Guard::would(const Proposal& proposal, std::optional<uint64_t> token,
                                  WallTime now) const {
  Proposal p = proposal;
  p.target.local = p.target.local && p.target.node == impl_->identity.node;
  return impl_->weighed(p, token, impl_->is_back(now), now).refused;
}

bool Guard::may_start(std::string_view act, std::optional<uint64_t> token, WallTime now) const {
  const Act* const a = impl_->state.find(act);
  if (a == nullptr || a->phase != Phase::intended || stopped(now)) return false;
  const bool mine = a->writer == impl_->identity.node && a->boot == impl_->identity.boot;
  // By its own clock: what it follows (an approval, an act that it undoes) may be ahead of that.
  const bool ahead = now < a->written;
  const bool in_time = !ahead && within(a->written, now, impl_->limits.start_within_s);
  return mine && in_time && (a->local || (token && *token == a->token));
}

Result<const Act*> Guard::Impl::open_act(std::string_view id) const {
  const Act* const act = state.find(id);
  if (act == nullptr) return Error{Errc::not_found, "no act '" + std::string(id) + "'"};
  if (act->over()) return Error{Errc::invalid_argument, "act " + act->id + " is over"};
  return act;
}

Guard::Done Guard::result(std::string_view act, Outcome outcome, std::string_view text,
                          WallTime now) {
  NINES_TRY(const Act* const a, impl_->open_act(act));
  GuardEvent e = impl_->about(*a, GuardKind::result, text, now);
  const char* const name = outcome == Outcome::ok       ? "ok"
                           : outcome == Outcome::failed ? "failed"
                                                        : "not-done";
  e.details.emplace_back("outcome", name);
  return impl_->keep(std::move(e));
}

Guard::Done Guard::verified(std::string_view act, bool good, std::string_view text, WallTime now) {
  NINES_TRY(const Act* const a, impl_->open_act(act));
  GuardEvent e = impl_->about(*a, GuardKind::verified, text, now);
  e.details.emplace_back("verdict", good ? "good" : "bad");
  return impl_->keep(std::move(e));
}

Guard::Done Guard::doubt(std::string_view act, std::string_view text, WallTime now) {
  NINES_TRY(const Act* const a, impl_->open_act(act));
  GuardEvent e = impl_->about(*a, GuardKind::doubt, text, now);
  if (a->phase == Phase::done) e.details.emplace_back("of", "verdict");
  return impl_->keep(std::move(e));
}

Guard::Done Guard::settle(std::string_view act, std::string_view who, std::string_view text,
                          WallTime now) {
  NINES_TRY(const Act* const a, impl_->open_act(act));
  if (who.empty()) return Error{Errc::invalid_argument, "only a person settles what is in doubt"};
  GuardEvent e = impl_->about(*a, GuardKind::settled, text, now);
  e.who = who;
  return impl_->keep(std::move(e));
}

std::optional<Proposal> Guard::rollback_of(std::string_view act, WallTime) const {
  const Act* const a = impl_->state.find(act);
  if (a == nullptr || a->phase != Phase::failed || a->rolled_back || !a->undoes.empty()) {
    return std::nullopt;
  }
  const auto inverse = inverse_of(a->action, impl_->limits);
  if (!inverse) return std::nullopt;
  Proposal p;
  p.rule = a->rule;
  p.action = *inverse;
  p.target = {a->target, a->namespace_, a->node, a->service, a->target_uid, a->local};
  p.incident = a->incident;
  p.undoes = a->id;
  return p;
}

std::vector<Act> Guard::to_recheck(std::optional<uint64_t> token, WallTime now) const {
  std::vector<Act> out;
  for (const Act& a : impl_->state.acts) {
    if (a.phase != Phase::intended) continue;
    const bool mine = a.writer == impl_->identity.node;
    const bool earlier = mine && a.boot != impl_->identity.boot;
    const bool late = mine && !within(a.at, now, impl_->limits.start_within_s);
    const bool taken_over = !mine && !a.local && token && *token > a.token &&
                            !within(a.at, now, impl_->limits.start_within_s);
    if (earlier || late || taken_over) out.push_back(a);
  }
  return out;
}

std::vector<Act> Guard::to_verify(std::optional<uint64_t> token, WallTime now) const {
  std::vector<Act> out;
  for (const Act& a : impl_->state.acts) {
    const bool ours = a.writer == impl_->identity.node || (!a.local && token && *token > a.token);
    if (a.phase == Phase::done && ours && !within(a.at, now, impl_->limits.post_check_s)) {
      out.push_back(a);
    }
  }
  return out;
}

std::vector<Act> Guard::to_roll_back(std::optional<uint64_t> token, WallTime now) const {
  std::vector<Act> out;
  for (const Act& a : impl_->state.acts) {
    const bool ours = a.writer == impl_->identity.node || (!a.local && token && *token > a.token);
    const bool bad = a.phase == Phase::failed && a.judged_bad;
    if (ours && bad && within(a.ended, now, kRollBackWithinS) && rollback_of(a.id, now)) {
      out.push_back(a);
    }
  }
  return out;
}

// What follows from the newest act that failed (of a rule, or of all).
bool Guard::Impl::is_ours_to_say(std::string_view rule, WallTime now) const {
  const Act* newest = nullptr;
  for (const Act& a : state.acts) {
    if (a.phase != Phase::failed || (!rule.empty() && a.rule != rule)) continue;
    if (newest == nullptr || newest->ended < a.ended) newest = &a;
  }
  return newest == nullptr || newest->writer == identity.node ||
         !within(newest->ended, now, kOthersWaitS);
}

std::vector<GuardEvent> Guard::tick(WallTime now) {
  if (!impl_->clock_back(now)) impl_->prune(now);
  std::vector<GuardEvent> out;
  const auto keep = [&](Done done) {
    if (done) out.push_back(std::move(*done));
  };
  for (const RuleLife& rule : rules()) {
    if (rule.state > RuleState::shadow && rule.failures >= impl_->limits.failures_in_a_row &&
        impl_->is_ours_to_say(rule.rule, now)) {
      keep(demote(rule.rule, {}, std::to_string(rule.failures) + " failures in a row", now));
    }
  }
  const auto& stops = impl_->state.stops;
  const bool told = std::any_of(stops.begin(), stops.end(), [](const auto& one) {
    return one.second.detail("source") == "trip";
  });
  if (!told && impl_->state.tripped(impl_->limits, now) && impl_->is_ours_to_say({}, now)) {
    keep(stop("trip", {}, std::to_string(impl_->limits.trip_failures) + " acts failed in an hour",
              now));
  }
  return out;
}

bool Guard::stopped(WallTime now) const {
  return !impl_->limits.enabled || !impl_->state.stops.empty() ||
         impl_->state.tripped(impl_->limits, now);
}
std::vector<GuardEvent> Guard::stops() const {
  std::vector<GuardEvent> out;
  for (const auto& [uid, stop] : impl_->state.stops) out.push_back(stop);
  return out;
}
bool Guard::breaker_open(WallTime now) const {
  return impl_->state.breaker_open(impl_->limits, now);
}
bool Guard::frozen(std::string_view target, WallTime now) const {
  return impl_->state.frozen(target, impl_->limits, now);
}

std::vector<GuardEvent> Guard::Impl::ledger(WallTime now) const {
  const int64_t horizon = std::max({2 * limits.cool_down_most_s, kHourS, int64_t{3 * kHourS}});
  std::vector<GuardEvent> out;
  for (const GuardEvent& e : events) {
    bool wanted = state.stops.contains(e.uid());
    if (e.kind == GuardKind::resume || e.kind == GuardKind::rule_demoted) {
      wanted = within(e.order(), now, 86'400);
    } else if (is_of_act(e.kind) && e.kind != GuardKind::shadow_hit) {
      const Act* const act = state.find(e.kind == GuardKind::intent ? e.uid() : e.detail("act"));
      wanted = act != nullptr && !act->local && (!act->over() || within(act->at, now, horizon));
    }
    if (wanted) out.push_back(e);
  }
  return out;
}

std::vector<GuardEvent> Guard::ledger(WallTime now) const { return impl_->ledger(now); }

std::vector<GuardEvent> Guard::events() const {
  const Impl* const impl = impl_.as_it_is();
  return {impl->events.begin(), impl->events.end()};
}
std::vector<Act> Guard::acts() const { return impl_->state.acts; }
const Act* Guard::find(std::string_view act) const { return impl_->state.find(act); }
const Guard::Counters& Guard::counters() const noexcept { return impl_.as_it_is()->counters; }
const GuardLimits& Guard::limits() const noexcept { return impl_.as_it_is()->limits; }

}  // namespace nines::remedy
