// Chain: the sans-I/O half of telling people. Decides which notifier is told what and when, and
// what an answer means; time comes in as Instants and chance as a seed, so that a year of outages
// can be simulated in a second. A notifier of its own is a chain of one step.
//
// A step tells one message at a time, in the order of their sequence, again and again until it is
// delivered or refused for good: exponential back-off with full jitter (backoff.hpp).
//
// Steps are ordered. An event belongs to the first; when it is not delivered within that step's
// deadline, or refused for good or by its credential, the next one tries too. Who delivers first
// has told it: the others pass it over, except one whose exchange is under way and succeeds
// (`late`). So each event is told by one step where that is possible, by nobody twice, and by
// whoever comes back first when all are down. A resolution goes to the steps that told the fire, so
// that no incident is left open there: when another has told it meanwhile, they still owe it (at
// most kMaxOwed), and tell it when they are back.
//
// Documents are told in between, when no alert waits, and are not kept over a restart.
//
// Memory: kMaxQueue messages, and per step kMaxOwed, kMaxDocuments and kMaxOpen names. Not
// thread-safe.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "nines/base/backoff.hpp"
#include "nines/base/result.hpp"
#include "nines/base/time.hpp"
#include "notify/message.hpp"

namespace nines::agent::notify {

enum class Outcome : uint8_t {
  delivered,
  dead,     // the receiver will never take it
  retry,    // tried again, for as long as it takes
  refused,  // the login: tried again, slowly; somebody must mend it
  pending,  // accepted and not done: asked for with the receipt
};

struct Verdict {
  Outcome outcome = Outcome::retry;
  std::string why;  // for the log and the dead letter; never a secret
  int status = 0;   // HTTP or SMTP status, exit code; 0: there was no answer
  std::optional<int64_t> retry_after_ms;
  std::string receipt;  // pending: what to ask for
};

struct StepRule {
  std::string name;
  int64_t within_ms = 0;                // deadline, then the next step tries too; 0: none
  int64_t gap_ms = 0;                   // least time between two messages
  std::vector<std::string> severities;  // that it is told; empty: all
  std::string chain{};                  // events may name it by this, too
};

struct StepStats {
  uint64_t sent = 0, dead = 0, attempts = 0;
  uint64_t failures = 0;        // attempts that will be repeated
  uint64_t late = 0;            // delivered although another step had told it meanwhile
  uint64_t passed_over = 0;     // told by another step
  uint64_t filtered = 0;        // not of its severities, or for others
  uint64_t dropped = 0;         // owed resolutions and documents beyond the bounds
  size_t pending = 0;           // may be told now or as soon as the back-off ends
  bool refused = false;         // the login, at the last attempt
  int64_t failures_in_row = 0;  // 0: the last attempt went well
};

class Chain {
 public:
  static constexpr size_t kMaxQueue = 64, kMaxOwed = 32, kMaxDocuments = 64, kMaxOpen = 256;

  Chain(std::vector<StepRule> steps, RetryPolicy policy, uint64_t cursor, uint64_t seed);

  size_t steps() const { return steps_.size(); }
  const StepRule& rule(size_t step) const { return steps_[step].rule; }

  // How many more events may be added; they must follow the last one by sequence. Others (already
  // told, or repeated) are ignored, so a source may answer twice.
  size_t room() const { return kMaxQueue - window_.size(); }
  void add(std::vector<Message> messages, Instant now);
  // Sequence after which the next events are to be fetched.
  uint64_t last_known() const;
  // A document for one step. False: there is no room for it now.
  bool post(size_t step, Message document);

  // The message that `step` is to tell now, or null: nothing to do, one in flight, or waiting until
  // due(). Valid until answered().
  const Message* begin(size_t step, Instant now);
  // What the last answer to this message gave, when that was `pending`; else empty.
  const std::string& receipt(size_t step) const { return steps_[step].receipt; }
  // When begin() may have something to give; as of the last begin() of all steps. nullopt: nothing
  // waits.
  std::optional<Instant> due(size_t step) const;
  // What became of it. `dead` gives the message back, for the dead letters.
  std::optional<Message> answered(size_t step, const Verdict& verdict, Instant now);

  // How it stands with an event that nobody has told yet: `refused`: each step that it is for has
  // given it up, or is refused; `failing`: or has failed at its last attempt; there may be none.
  enum class Hope : uint8_t { open, failing, refused };
  Hope hope(const slo::AlertEvent& event) const;
  // Somebody else has told it: it is passed over where it waits. An exchange that is under way and
  // succeeds is counted as `late`.
  void told_elsewhere(uint64_t sequence, Instant now);

  // Everything up to here has been told or is dead, or is owed.
  uint64_t cursor() const { return cursor_; }
  StepStats stats(size_t step) const;

  // What more than the cursor must survive a restart (chains of several steps; empty otherwise):
  // how far each step is, where incidents are open, what is owed, since when a step is tried.
  std::string memory(Instant now, WallTime wall) const;
  // Whether memory() is worth writing again; reading it answers no until the next change.
  bool take_changed() { return std::exchange(changed_, false); }
  // Before anything is added. Refused: what was kept is not understood, and is forgotten.
  Status restore(const std::string& memory, const Identity& identity, Instant now, WallTime wall);

 private:
  struct Entry {
    Message message;
    size_t turn = 0;   // up to this step they may try
    size_t first = 0;  // of a resolution: the first step that told the fire
    Instant turn_since{};
    bool placed = false;     // turn_since and first are set
    bool satisfied = false;  // a step has told it
    bool failed = false;     // an attempt has failed
    uint64_t sequence() const { return message.sequence(); }
  };
  struct Kept {  // of an entry in an earlier life
    size_t turn = 0;
    Instant turn_since{};
    bool satisfied = false;
  };
  enum class Flight : uint8_t { none, entry, owed, document };
  struct Step {
    StepRule rule;
    Backoff backoff;
    uint64_t position = 0;       // up to here it has decided
    std::set<std::string> open;  // alerts whose fire it told
    std::vector<Message> owed;   // resolutions, by sequence
    std::deque<Message> documents;
    Flight flight = Flight::none;
    uint64_t flight_sequence = 0;
    Instant not_before{INT64_MIN};
    std::string receipt, receipt_key;
    int polls = 0;
    StepStats stats;
  };

  bool single() const { return steps_.size() == 1; }
  Entry* next(Step& step);
  const Entry* next(const Step& step) const;
  Entry* entry(uint64_t sequence);
  bool fire_is_unsettled(const Entry& resolution) const;
  void place(Entry& entry, Instant now);
  void turn(Entry& entry, Instant now);
  void settle(Instant now);
  void advance(size_t index);
  bool passes(size_t index, Entry& entry);
  bool may_send(size_t index, const Entry& entry) const;
  void leave_to_others(Step& step, const Message& message);
  void forget_owed(Step& step, const std::string& alert);
  void owe(Step& step, const Message& message);
  void note_told(Step& step, const Message& message);
  void wait(Step& step, const Verdict& verdict, Instant now);
  std::optional<Message> finish(Step& step, Outcome outcome, Instant now);
  void pop_settled();
  size_t step_named(const std::string& name) const;

  std::vector<Step> steps_;
  std::deque<Entry> window_;
  std::map<uint64_t, Kept> kept_;
  uint64_t cursor_;
  bool changed_ = false;
};

}  // namespace nines::agent::notify
