// Steward: what rules do about incidents. For every rule that fits an open incident it finds the
// target, tries the action out, asks the Guard, and acts only on an intent that is on the disk.
//
//   look     a rule fits an incident whose condition holds; its target is found
//   turn     a rule that acts by itself on the node waits for its turn among the nodes
//   try out  the execution's dry run tells what the target is like; what it refuses ends here
//   weigh    Guard::propose(), of all try-outs of one look: refused, a hit of a rule in shadow, or
//            an intent
//   write    the intent becomes durable; of what nodes share also in the ledger of the lease
//   act      Guard::may_start() once more, then the execution
//   result   is written; with it an action of the incident
//   verify   `post_check_s` later: is the condition over? If not it is rolled back once, else paged
//   recheck  an intent without a result (a crash, a lost answer) is looked at and never repeated
//
// Every decision is a record of the audit log, in the same transaction as what it is about.
// Control thread; no I/O, no clock: its parts have them.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "nines/fleet/fleet_state.hpp"
#include "nines/incident/incident.hpp"
#include "nines/remedy/guard.hpp"
#include "nines/store/state_store.hpp"
#include "remedy/audit_log.hpp"
#include "remedy/execution.hpp"
#include "remedy/shared_lease.hpp"

namespace nines::agent::remedy {

namespace core = nines::remedy;
using nines::incident::Incident;

// The object of an action against an incident, as the Guard and as an execution name it.
struct Found {
  core::Target target;
  Target object;
};

std::string reasons_of(const std::vector<core::Refusal>& refused);

class Steward {
 public:
  static constexpr const char* kDocuments = "remedy";
  static constexpr size_t kMostCandidates = 64;
  // Of rules at once, less than the Executor takes; the next one begins when one ends.
  static constexpr size_t kMostTryOuts = 4;
  static constexpr int64_t kAgainS = 10;        // a candidate that was refused is looked at again
  static constexpr int64_t kMostRetryS = 3600;  // that another side may ask for before
  static constexpr int64_t kRecheckS = 30;      // one that nobody could tell
  // All nodes that a failure hits see it at once, and none has heard of the others' intents yet. So
  // each waits for as many turns as there are nodes before it.
  static constexpr int64_t kTurnS = 10;  // where that keeps the last within kTurnsS
  static constexpr int64_t kTurnsS = 60;
  struct Rank {
    size_t before = 0, nodes = 1;  // of those that are alive, by name
  };

  struct Parts {
    std::string node;
    std::function<void(Order, std::function<void(Outcome)>)> carry_out;
    // Calls `done` once they are on the disk, or cannot be put there.
    std::function<void(std::vector<store::Document>, std::function<void(Status)> done)> keep;
    std::function<std::vector<Incident>(WallTime)> open;  // that are not over
    std::function<std::optional<Incident>(const std::string& id, WallTime)> incident;
    std::function<std::optional<Found>(const Incident&, const core::Action&)> find;
    // Written down with the incident; `deed`: something was done to it.
    std::function<void(const core::Act&, const std::string& text, bool deed)> note;
    std::function<void(const std::string& incident, const std::string& text)> page;
    // A person is asked to approve this one act; where it is empty, `page` says so.
    std::function<void(const core::Proposal& act, const std::string& text)> ask{};
    std::function<bool()> clock_set, isolated;
    std::function<Rank()> rank{};  // empty: there are no other nodes
    std::function<double(const core::RuleLife&)>
        proven_low{};              // Proposal::proven_low; may be empty
    SharedLease* lease = nullptr;  // for what nodes share; null: that is left alone. Outlives it
    std::function<bool()>
        held{};  // nothing is begun while it says so (the stop file); may be empty
    // --- Other nodes; may be empty.
    std::function<void(const core::GuardEvent&)> tell{};  // what this node wrote
    // A record of the audit log, and all before it, are on the disk.
    std::function<void(const core::AuditHead&)> written{};
    std::function<void(const std::string&)> said{};  // what was heard, for the log of the agent
    // What people should know and that is of no incident: a rule went back to shadow, everything
    // was stopped (no rule); may be empty.
    std::function<void(const std::string& rule, const std::string& text)> notify{};
  };

  Steward(core::Guard guard, Parts parts);

  void restore(const std::vector<store::Document>& documents);
  // Events that could not be read, from the disk or as another node told them: one of them may be a
  // stop, so nothing is begun until a person says resume, or they are told anew and can be read.
  size_t broken() const noexcept { return broken_.size(); }
  // With each evaluation.
  void tick(WallTime now);

  // By people: what Guard::approve() and the like have given. It counts at once; `done` when it is
  // written.
  void did(core::Guard::Done done, std::function<void(Status)> written);
  // To be given to did().
  core::Guard::Done resume(std::string_view who, std::string_view why, WallTime now);
  // Back to shadow by what it was good for.
  void demote(const std::string& rule, const std::string& why);

  // --- A person's own run of a rule (steward_run.cpp), whatever the rule's state. It passes the
  // Guard as a person's decision, and is an act like any other: intent, result, verified.
  struct RunWish {
    std::string rule, incident, who;
    bool dry = false;  // only the dry run and what the Guard would say; in the audit log, no act
  };
  struct Ran {
    std::string target;
    Outcome tried;  // what the dry run found
    // Against the rule acting by itself, and against `who`; empty: nothing.
    std::vector<core::Refusal> as_rule, as_person;
    bool held = false;      // by the stop file, or a damaged log
    bool by_lease = false;  // shared by nodes: it takes the lease to run it
    std::string act;        // that was begun; empty: none
    std::string why;        // none was begun
  };
  static constexpr size_t kMostRuns = 8;  // at once
  // An error: there is no such rule or incident, nothing to be done it to, or no room.
  void run(RunWish wish, WallTime now, std::function<void(Result<Ran>)> done);

  // By the kill switch, the stop file, or what could not be read: nothing is begun, and no act goes
  // a step further.
  bool stopped(WallTime now) const { return is_held() || guard_.stopped(now); }

  core::Guard& guard() noexcept { return guard_; }
  const core::Guard& guard() const noexcept { return guard_; }
  const AuditLog& audit() const noexcept { return audit_; }

  // --- Other nodes (steward_fleet.cpp).
  using Stream = fleet::FleetEvent::Stream;
  // By what an event of that kind may bring about.
  static Stream stream_of(core::GuardKind kind) noexcept;
  // By boot and sequence.
  std::vector<core::GuardEvent> events_of(std::string_view origin) const;
  // An event of `stream_of()` as `origin` told it. False: it is none of that node, or there is no
  // room for it, or it is from the future: that may be otherwise later.
  static constexpr int64_t kMostAheadS = 3600;
  static constexpr size_t kMostOfNode = 1024;  // what forbids apart
  // What still forbids; beyond that it is not written down each by itself, but nothing is begun
  // until a person has looked.
  static constexpr size_t kMostSwitchesOfNode = 256;
  static constexpr size_t kMostBroken = 256;
  bool heard(const std::string& origin, const fleet::FleetEvent& told, WallTime now);

  // Why a rule did not act on an incident when it was looked at last.
  struct Stood {
    std::string rule, incident, target, why;
    WallTime at{};
  };
  std::vector<Stood> stood() const;

  struct Counters {
    uint64_t looked = 0, tried = 0, shadow_hits = 0, intents = 0, done = 0, failed = 0, unknown = 0,
             rolled_back = 0, paged = 0;
    uint64_t held = 0;             // looks while Parts::held said so
    uint64_t beyond = 0;           // candidates that had no room
    uint64_t unwritten = 0;        // intents that could not be written: not acted on
    uint64_t heard = 0;            // events of other nodes that were news
    uint64_t heard_refused = 0;    // for want of room, or from the future
    uint64_t switches_beyond = 0;  // of a node that tells more of them than it may
    uint64_t heard_invalid = 0;    // broken, of a later version, or of another node
    uint64_t demoted = 0;          // rules, by what came of them
    uint64_t dry_runs = 0, runs = 0, runs_refused = 0;  // by people; refused: for want of room
  };
  const Counters& counters() const noexcept { return counters_; }

 private:
  struct Candidate {
    std::string rule, incident;
    Found found;
    WallTime at{}, next{};           // it was looked at; it may be again
    WallTime free{};                 // nothing but its turn stands against it since then
    uint64_t look = 0;               // that it fitted last
    bool busy = false;               // something of it is under way
    bool trying = false;             // and that is its dry run
    std::optional<Outcome> ready{};  // tried out, and not proposed yet
    bool paged = false;              // a person was called about it
    std::string why;
  };
  bool is_held() const { return !broken_.empty() || (parts_.held && parts_.held()); }
  void look(WallTime now);
  void try_next();
  void not_before(Candidate& candidate, const Outcome& outcome) const;
  void consider(const core::RuleLife& rule, const Incident& incident, WallTime now);
  void look_again_at(const std::string& key, std::string why);
  void tried(const std::string& key, const Outcome& outcome);
  bool is_trying() const;
  std::optional<core::Proposal> proposal_of(const Candidate& candidate,
                                            const Outcome& outcome) const;
  bool is_its_turn(Candidate& candidate, const core::Proposal& proposal);
  void propose_ready();
  void propose_own(std::vector<core::Proposal> proposals);
  void propose_shared(std::vector<core::Proposal> proposals);
  void weigh_shared(const std::vector<core::Proposal>& proposals,
                    const Result<SharedLease::Bid>& bid);
  void weighed(const std::string& key, const core::Verdict& verdict, const std::string& why);
  using Decided = std::function<void(const core::Verdict& verdict, const std::string& why)>;
  void decide(core::Proposal proposal, const Found& found, Decided decided);
  void decide_shared(core::Proposal proposal, const Found& found, const SharedLease::Bid& bid,
                     const Decided& decided);
  std::optional<uint64_t> adopt(const SharedLease::Bid& bid);
  bool is_shared(const Found& found) const { return !found.target.local && parts_.lease; }
  std::optional<uint64_t> token() const {
    return parts_.lease ? parts_.lease->holds() : std::nullopt;
  }
  void begin(const core::Verdict& verdict, const Found& found);
  void enter(const std::string& id, const Found& found);
  void tell_others();
  void changed(const core::Act& act);
  bool adopt(const core::GuardEvent& event);
  bool not_read(const std::string& key, const fleet::FleetEvent& told);
  size_t known_of(const std::string& origin) const;
  bool says_too_much(const std::string& origin) const;
  bool beyond(const std::string& origin, const fleet::FleetEvent& told);
  void take(const core::GuardEvent& event, const std::string& body, WallTime now);
  void keep_heard();
  void act(const std::string& id, const Found& found);
  void ended(const std::string& id, const Outcome& outcome);
  void recheck(const core::Act& act);
  void rechecked(const std::string& id, const Outcome& outcome);
  void verify(const core::Act& act);
  void cannot_verify(const core::Act& act);
  void roll_back(const std::string& id);
  void miss_undoing(const core::Act& act, const std::string& text);
  void keep(const core::GuardEvent& event, std::function<void(Status)> done = {});
  // A record of the audit log that is no event of the Guard.
  void note_down(std::string body, std::function<void(Status)> done = {});
  void follow_up();
  void watch_breaker();
  void notify(const std::string& rule, const std::string& text);
  struct Run;
  using RunPtr = std::shared_ptr<Run>;
  void run_tried(const RunPtr& run, Outcome outcome);
  void run_for_good(const RunPtr& run, core::Proposal proposal);
  void run_over(const RunPtr& run, const char* what);
  static WallTime after_s(WallTime at, int64_t s) { return {at.ns + s * kNsPerSecond}; }
  void forget_pruned();
  void miss_what_was_logged();
  void forget_lifted();  // what could not be read, and a person has looked at
  void page(const core::Act& act, const std::string& text);
  core::Facts facts_of(const Incident& incident, const Outcome& outcome) const;
  Order try_out_of(const core::Action& action, const Found& found,
                   const std::string& incident) const;
  Order order_of(const core::Act& act, const Found& found, Mode mode) const;

  core::Guard guard_;
  Parts parts_;
  AuditLog audit_;
  WallTime now_{};
  std::map<std::string, Candidate> candidates_;  // "rule incident"
  // Rule and incident of those that are due, who has waited longest at the end.
  std::vector<std::pair<std::string, std::string>> due_;
  uint64_t looks_ = 0;
  bool looking_ = false;
  struct Doubt {
    WallTime next{};
    int tries = 0;
  };
  std::map<std::string, Doubt> doubts_;  // acts whose result is not known
  std::set<std::string> under_way_;      // acts
  std::set<std::string> taken_back_;     // acts that this life tried to undo
  bool untold_ = false;                  // what became of a shared act is not in the lease yet
  WallTime tell_next_{};
  std::set<std::string> kept_;          // keys of documents
  std::set<std::string> switches_;      // of them, those that forbid
  std::set<std::string> broken_;        // keys of documents that could not be read
  std::vector<store::Document> heard_;  // not kept yet
  uint64_t pruned_ = 0;
  size_t running_ = 0;  // runs by people that have no answer yet
  bool breaker_ = false;
  Counters counters_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace nines::agent::remedy
