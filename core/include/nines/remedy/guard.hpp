// Guard: whether something may be done now, and what becomes of what was begun. It keeps a set of
// events; state is a pure function of the set and the time asked for, so it survives restarts and
// is the same on every node that has heard the same.
//
// The order of things: propose() -> an intent, which the caller makes durable (and, where a lease
// is needed, puts into its ledger by compare and swap) -> may_start() -> the executor acts ->
// result() -> after `post_check_s` verified() -> if bad, rollback_of() is proposed once.
//
// Everything fails closed: what is unknown, full, in doubt or not allowed by name is refused.
//   An intent without a result is in doubt. It is never repeated: whoever re-checks it says what is
//   true of the target now; if nobody can tell, a person settles it. Until then its target is
//   closed, and it counts as running.
//   Stops are sticky and any one wins: a resume lifts the stops that its writer knew, no others.
//   A promotion counts only if its writer knew of all demotions that the fold has seen. One that
//   names more of them than the fold has seen takes the rule back to shadow until they are heard.
//   How an act of a node on itself went, only that node says, or a person who settles it.
//   Times: an event from ahead of `now` counts as of now, and nothing is begun by a clock that is a
//   minute behind what it was: a clock set back opens nothing. One that is not set must say so.
//
// Conflicts: proposals of one moment are taken in a total order: people, severity, narrower scope,
// better proven, rule, target. Not thread-safe; no clock, no I/O.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "nines/base/result.hpp"
#include "nines/remedy/action.hpp"
#include "nines/remedy/guard_event.hpp"
#include "nines/remedy/window.hpp"

namespace nines::remedy {

// Nothing is allowed until someone says so.
struct GuardLimits {
  bool enabled = false;
  std::set<Verb> verbs;  // allowed ones
  std::set<std::string> closed_namespaces{"kube-system", "kube-public", "kube-node-lease"};
  std::vector<Window> windows;  // of what rules do by themselves
  int node_per_hour = 2;        // acts that hit one node
  int namespace_per_hour = 3;
  int cluster_per_hour = 6;
  int rule_per_hour = 2;
  int nodes_at_once = 1;      // with acts that are not over
  int64_t cool_down_s = 900;  // of a target; doubles with each act in a row
  int64_t cool_down_most_s = 4 * 3600;
  int alternations = 2;  // to and fro within an hour: more freeze the target
  int64_t freeze_s = 86'400;
  int trip_failures = 3;       // within an hour: kill switch
  int breaker_of = 6;          // over half of the last so many failed: no automatic ones
  int64_t breaker_s = 86'400;  // results that the breaker looks at
  int failures_in_a_row = 3;   // of a rule: back to shadow
  uint64_t shadow_hits = 5;
  uint64_t auto_n = 10;   // to act by itself: so often, and
  double auto_low = 0.6;  // Wilson's lower bound
  int64_t approval_s = 900;
  int64_t start_within_s = 30;  // after its intent; later it is not begun
  int64_t post_check_s = 600;
  // Of single actions (a program, a webhook, a function), whose verbs do not say it.
  std::map<Action, Action> undone_by;  // what takes it back: it is reversible
  std::map<Action, int> per_hour;      // whatever rule begins it
};
// As their verbs are, and as the limits say of single actions.
std::optional<Action> inverse_of(const Action& action, const GuardLimits& limits);
Reach reach_of(const Action& action, const GuardLimits& limits);
bool opposes(const Action& a, const Action& b, const GuardLimits& limits);

enum class RuleState : uint8_t { none, draft, shadow, approved, automatic };
std::string_view rule_state_name(RuleState state) noexcept;

struct RuleLife {
  std::string rule;
  RuleState state = RuleState::none;
  Action action;
  std::string signature, service;
  uint64_t hits = 0;  // in shadow
  uint64_t demotions = 0;
  int failures = 0;       // in a row
  WallTime since{};       // it is in that state
  std::string procedure;  // that it was drafted from, as whoever drafted it names it; may be empty
};

struct Target {
  std::string name;  // "deployment/shop/api", "unit/pi-1/worker.service": unique in the cluster
  std::string namespace_;  // empty: of the node
  std::string node;        // that is hit; empty: unknown, which is refused
  std::string service, uid;
  bool local = false;  // this node itself, no shared resource
};

// What was found out about the target just now; the defaults refuse.
struct Facts {
  bool known = false;
  bool clock_set = false;              // the wall clock is synchronised
  bool holds = false;                  // what it is against is still wrong
  std::optional<bool> other_incident;  // open on the same service
  bool isolated = false;               // most peers are silent
  bool bare = false, has_volume = false, paused = false, scaled_by_others = false;
  int ready = 0, minimum = 0;  // replicas; of scope pod and scale_down
  bool budget_allows = false;  // disruption budget
};

struct Proposal {
  std::string rule;  // empty: a person's own
  Action action;
  Target target;
  int severity = 3;
  double proven_low = 0;  // Wilson's lower bound
  std::string incident;
  std::string who;     // empty: Nines
  std::string undoes;  // act that this rolls back
  std::string before;  // what the target is like now, to be put back to that; kept with the intent
  Facts facts;
};
bool goes_before(const Proposal& a, const Proposal& b) noexcept;  // total order

enum class Refusal : uint8_t {
  disabled,
  stopped,
  log_full,
  verb,
  reach,
  rule_state,
  needs_approval,
  clock,
  unknown_target,
  over,
  other_incident,
  isolated,
  no_lease,
  closed_namespace,
  unsafe_target,
  minimum,
  window,
  cool_down,
  frozen,
  busy,
  rule_rate,
  node_rate,
  namespace_rate,
  cluster_rate,
  nodes_at_once,
  breaker,
  opposite,
  rolled_back,
  action_rate,
};
std::string_view refusal_text(Refusal refusal) noexcept;

struct Verdict {
  Proposal proposal;
  std::vector<Refusal> refused;     // all that stands against it; empty: go
  std::optional<GuardEvent> event;  // the intent; of a rule in shadow its hit
  bool page = false;                // a person has to know
  // It is to be done: neither refused nor the hit of a shadow.
  bool go() const noexcept { return event && event->kind == GuardKind::intent; }
};

enum class Phase : uint8_t {
  intended,  // no result yet
  done,      // not verified yet
  in_doubt,  // looked at in vain: a person
  good,
  failed,
  not_done,
  settled,  // over
};

struct Act {
  std::string id;  // uid of its intent
  std::string rule, node, target, namespace_, target_uid, service, incident, undoes, approval;
  std::string before;  // what its target was like then; empty: nobody said
  std::string who;     // empty: Nines
  std::string writer;  // node that began it
  uint64_t boot = 0;   // and its life
  Action action;
  uint64_t token = 0;
  bool local = false, by_person = false, rolled_back = false;
  Phase phase = Phase::intended;
  WallTime at{}, ended{};   // in the order of all events
  WallTime written{};       // its intent, by the clock of its writer
  bool judged_bad = false;  // it was looked at afterwards, and had not helped
  bool over() const noexcept { return phase >= Phase::good; }
};

struct GuardIdentity {
  std::string node;
  uint64_t boot = 1;  // higher in each life of the node
};

class Guard {
 public:
  static constexpr size_t kMaxEvents = 4096;
  static constexpr size_t kMaxGuardLedger = 256;
  static constexpr int64_t kKeepS = 7 * 86'400;

  explicit Guard(GuardIdentity identity, GuardLimits limits = {});
  ~Guard();
  Guard(Guard&&) noexcept;
  Guard& operator=(Guard&&) noexcept;

  enum class Merge : uint8_t { news, known, refused };
  Merge merge(const GuardEvent& event);          // from the store, peers, a lease's ledger
  bool has(const GuardEvent& event) const;       // just as it is
  bool is_lifted(const std::string& uid) const;  // by a resume, whether it was heard or not

  // --- Acting. `token`: of the lease, while it is held and after its ledger was merged; nullopt:
  // there is none. In the total order; each intent counts for those after it.
  std::vector<Verdict> propose(std::vector<Proposal> proposals, std::optional<uint64_t> token,
                               WallTime now);
  // What stands against it now; nothing is begun or written by asking. `token` as above.
  std::vector<Refusal> would(const Proposal& proposal, std::optional<uint64_t> token,
                             WallTime now) const;
  // Right before the executor: it is still this node's, in time, under the same token, not stopped.
  bool may_start(std::string_view act, std::optional<uint64_t> token, WallTime now) const;
  enum class Outcome : uint8_t { ok, failed, not_done };
  using Done = Result<GuardEvent>;
  Done result(std::string_view act, Outcome outcome, std::string_view text, WallTime now);
  Done verified(std::string_view act, bool good, std::string_view text, WallTime now);
  // What undoes an act that was verified as bad; nullopt: nothing does, or it was tried: page.
  std::optional<Proposal> rollback_of(std::string_view act, WallTime now) const;

  // Acts whose result is not known though it is too late to begin them (`start_within_s`), or their
  // life is over. To be looked at (by uid) by the node itself, unless it is still at it; of what is
  // shared whoever holds a newer token. Then result(), or doubt() where nobody can tell.
  std::vector<Act> to_recheck(std::optional<uint64_t> token, WallTime now) const;
  // Done `post_check_s` ago; to be looked at by the same.
  std::vector<Act> to_verify(std::optional<uint64_t> token, WallTime now) const;
  // Verified as bad, and not undone though something undoes them: by the same, after a restart.
  static constexpr int64_t kRollBackWithinS = 3600;  // later a person has looked
  std::vector<Act> to_roll_back(std::optional<uint64_t> token, WallTime now) const;
  // Of a result that nobody can tell, or, of an act that is done, whether it helped.
  Done doubt(std::string_view act, std::string_view text, WallTime now);
  Done settle(std::string_view act, std::string_view who, std::string_view text, WallTime now);

  // --- Rules.
  Done draft(std::string_view rule, const Action& action, std::string_view signature,
             std::string_view service, std::string_view who, WallTime now,
             std::string_view procedure = {});
  Done shadow(std::string_view rule, std::string_view who, WallTime now);
  Done approve(std::string_view rule, std::string_view who, WallTime now);
  Done arm(std::string_view rule, uint64_t n, double proven_low, std::string_view who,
           WallTime now);
  Done demote(std::string_view rule, std::string_view who, std::string_view why, WallTime now);
  Done remove(std::string_view rule, std::string_view who, WallTime now);
  Done allow_once(std::string_view rule, std::string_view target, std::string_view incident,
                  std::string_view who, WallTime now);

  // --- Switches.
  Done stop(std::string_view source, std::string_view who, std::string_view why, WallTime now);
  // Lifts at most kMostLifted; what is left needs another one. `unread`: events that could not be
  // read, and may be stops, by uid: whoever can read them knows them as lifted.
  static constexpr size_t kMostLifted = 12;
  Done resume(std::string_view who, std::string_view why, WallTime now,
              const std::set<std::string>& unread = {});
  Done unfreeze(std::string_view target, std::string_view who, WallTime now);
  // What follows from results: demotions, the trip of the kill switch. After every result and
  // verdict, and every few seconds; to be kept and sent as all events are. The node whose act it
  // was says so, the others if it has not for kOthersWaitS: until then it holds on all of them
  // unsaid.
  static constexpr int64_t kOthersWaitS = 120;
  std::vector<GuardEvent> tick(WallTime now);

  // --- Asking.
  bool stopped(WallTime now) const;
  std::vector<GuardEvent> stops() const;  // that were not lifted
  bool breaker_open(WallTime now) const;
  bool frozen(std::string_view target, WallTime now) const;
  std::optional<RuleLife> rule(std::string_view name) const;
  std::vector<RuleLife> rules() const;
  // It is in shadow, and would have acted in that incident: there is nothing more to be found out.
  bool counted(std::string_view rule, const std::string& incident) const;
  std::vector<Act> acts() const;  // in their order
  const Act* find(std::string_view act) const;
  // What others need to keep the limits: for the ledger of a lease.
  std::vector<GuardEvent> ledger(WallTime now) const;
  std::vector<GuardEvent> events() const;

  struct Counters {
    uint64_t merged = 0, known = 0, refused = 0, pruned = 0, refolds = 0;
    uint64_t conflicts = 0;  // events of a known name that said something else
    uint64_t old = 0;        // of those refused: over, and older than what was pruned
  };
  const Counters& counters() const noexcept;
  const GuardLimits& limits() const noexcept;

 private:
  struct Impl;
  // Whoever looks through it finds all that was merged folded: a thousand events that belong before
  // others cost one fold, when somebody asks.
  class Folded {
   public:
    explicit Folded(std::unique_ptr<Impl> impl);
    ~Folded();
    Folded(Folded&&) noexcept;
    Folded& operator=(Folded&&) noexcept;
    Impl* operator->() const;
    Impl* as_it_is() const noexcept { return impl_.get(); }

   private:
    std::unique_ptr<Impl> impl_;
  };
  Folded impl_;
};

}  // namespace nines::remedy
