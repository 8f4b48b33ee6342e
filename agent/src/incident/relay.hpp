// Relay: what this node must tell and cannot, another node tells; and the reverse. Both sides agree
// by notes of the incident, which all nodes know, so there is no protocol of its own and a restart
// forgets nothing that matters.
//
//   the origin notes     undelivered=BOOT/SEQUENCE and what is to be told, once every notifier that
//                        it is for has failed and kPatienceNs have passed
//   one relay notes      relays=ORIGIN/BOOT/SEQUENCE: it has taken it on. The first by name of the
//                        live nodes that have a notifier for it which works; the n-th waits n times
//                        kRankNs for those before it, and who delivers nothing within kClaimNs is
//                        passed over
//   who delivers notes   page_sent with `channel` and relays=..., the receipt. The origin passes
//                        the event over from then on; where it was quicker itself, the relay does
//
// What a relay tells carries the key of the origin's event, so that receivers who have met both
// merge them; that this happened is counted (`twice`). Nothing is relayed again by a relay. Events
// without an incident (rows, reminders) wait at home.
//
// Control thread; no I/O, no clock. Bounded: kMaxWaiting events of its own, kMaxRelayed of others
// known, of which kMostAnHour are taken on in an hour; the rest is counted and waits for the
// origin's own notifiers.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "nines/incident/incident_book.hpp"
#include "nines/slo/engine.hpp"

namespace nines::agent::incident {

namespace core = nines::incident;

class Relay {
 public:
  static constexpr size_t kMaxWaiting = 64, kMaxRelayed = 128, kMostAnHour = 60;
  static constexpr int64_t kPatienceNs = 15 * kNsPerSecond, kRankNs = 15 * kNsPerSecond;
  static constexpr int64_t kClaimNs = 90 * kNsPerSecond, kOldNs = 3600 * kNsPerSecond;
  using Names = std::vector<std::string>;

  // Called within look(), delivered() and outgoing() only.
  struct Parts {
    std::string node;
    // Live nodes that may tell people, by name, this one among them if it may; empty: there are
    // no other nodes.
    std::function<Names()> live;
    // Whether each of those notifiers (an empty list: all) has failed to tell that event.
    std::function<bool(const slo::AlertEvent&, const Names&)> hopeless;
    // Those pass it over: another node has told it.
    std::function<void(const slo::AlertEvent&, const Names&)> told_elsewhere;
    // Of these names (an empty list: all) those that this node has and that worked last.
    std::function<Names(const Names&)> working;
    // Notifiers that reach this person from here. Null: nobody is on call.
    std::function<Names(const std::string& person)> reach;
  };
  explicit Relay(Parts parts) : parts_(std::move(parts)) {}

  // Events that are about to be told, as often as they are.
  void outgoing(const std::vector<slo::AlertEvent>& events, Instant now);
  // Somebody was told. True: the incident needs a receipt of it, also of an end.
  bool delivered(const slo::AlertEvent& event, const std::string& notifier);

  struct Note {
    std::string incident, text;
    core::Details details;
  };
  struct Decided {
    std::vector<Note> notes;              // of kind note, to be stored with the events
    std::vector<slo::AlertEvent> events;  // to be told by this node's notifiers
    bool empty() const noexcept { return notes.empty() && events.empty(); }
  };
  // With each evaluation.
  Decided look(const core::IncidentBook& book, WallTime now, Instant mono);

  struct Counters {
    uint64_t asked = 0;      // events that others were asked to tell
    uint64_t relayed = 0;    // own events that another node has told
    uint64_t taken = 0;      // events of others that this node took on
    uint64_t told = 0;       // and told
    uint64_t overtaken = 0;  // and did not, as somebody else was quicker
    uint64_t twice = 0;      // and told although somebody else did, too
    uint64_t beyond = 0;     // for want of room
  };
  const Counters& counters() const noexcept { return counters_; }

 private:
  struct Own {
    slo::AlertEvent event;
    Instant since{};
    bool asked = false;
  };
  struct Other {  // of another node
    Instant heard{};
    slo::AlertEvent event;  // that this node tells of it; sequence 0: not known yet
    bool taken = false, told = false, settled = false;
  };
  struct Look;
  Names names_of(const slo::AlertEvent& event) const;
  void look_at_own(Look& look);
  void look_at(const core::Incident& incident, const core::Entry& note, Look& look);
  bool my_turn(const core::Incident& incident, const core::Entry& note, const std::string& key,
               const Other& other, const Look& look) const;
  void take(const core::Incident& incident, const core::Entry& note, const std::string& key,
            Other& other, Look& look);

  Parts parts_;
  std::map<std::string, Own> own_;       // by "BOOT/SEQUENCE"
  std::map<std::string, Other> others_;  // by "ORIGIN/BOOT/SEQUENCE"
  std::deque<Instant> taken_at_;         // of the last hour
  Counters counters_;
};

// Detail of the note by which others are asked; of what follows: notify::kRelaysDetail.
inline constexpr const char* kUndelivered = "undelivered";

}  // namespace nines::agent::incident
