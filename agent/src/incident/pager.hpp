// Pager: what notifiers are told of incidents, as events of the store. It compares what incidents
// are with what was told of them; both what it decides and its memory of that go into the store
// with one transaction, so that each thing is told once, whenever the agent is killed.
//
// Rules
//   What an alert of an SLO, or of a silent node, has told is not told again: an incident that has
//   such a condition is told of only when something else makes it more urgent than those alerts
//   said. Every other incident, also a declared one, is told when it is opened, becomes worse,
//   comes back and is over. (Tells::all: each incident whatever its conditions.)
//   P0 and P1 are a "page", P2 and P3 a "ticket": the severities that notifiers select by.
//   While nobody acknowledges it within the time of its severity, it is told again one level up, at
//   most once a level; an alert that nobody acknowledged, too.
//   While all of its services are in maintenance nothing is told, and afterwards what then is so.
//   With on-call (pager_on_call.cpp) every incident is told, whatever told of it before: notifiers
//   that are nobody's as above, and of people one after the other. Who is told is asked of OnCall;
//   each has the acknowledgement time of the policy. P2 waits while all have quiet hours, P3 for
//   the digest of its policy. When nobody can be told, or nobody is left, everybody is: once,
//   counted. Who was told stands in the incident (page_sent with a person), for the page ledger of
//   all nodes. Action items that are overdue are told together once a day, until none is. Who was
//   told of an incident is told that it is over.
//
// Control thread; no I/O, no clock. Memory: kMaxKept incidents, the rest is counted and not told.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "incident/on_call.hpp"
#include "nines/incident/incident_book.hpp"
#include "nines/slo/engine.hpp"
#include "nines/store/state_store.hpp"

namespace nines::agent::incident {

enum class Tells : uint8_t { conditions, all, none };

struct PagerRules {
  Tells tells = Tells::conditions;
  // Whom each level of escalation tells, by name; an empty list: everybody.
  std::vector<std::vector<std::string>> levels = {{}};
  std::vector<std::string> only_tickets;          // notifiers that take tickets and no pages
  std::vector<std::string> no_pages, no_tickets;  // that are told of such by name only
  // With {service}, {kind} and {severity} in it; empty: there is none.
  std::string runbook;
  int64_t ack_s[4] = {300, 900, 3600, 0};
  int64_t remind_s = 86'400;
};

class Pager {
 public:
  static constexpr const char* kDocuments = "incident-told";
  static constexpr const char* kRule = "incident";  // of its events; `slo` is the incident's id
  static constexpr size_t kMaxKept = 256;

  using Which = std::function<bool(const core::Incident&)>;
  struct Parts {
    PagerRules rules;
    // Whether this node tells of it: one does, of those that know it.
    Which mine;
    Which quiet;                              // all that it concerns is in maintenance
    std::shared_ptr<const OnCall> on_call{};  // null: there is none
  };
  explicit Pager(Parts parts);

  void restore(const std::vector<store::Document>& documents);

  // To be stored together.
  struct Decided {
    std::vector<slo::AlertEvent> events;
    std::vector<store::Document> documents;
    // Events page_sent for the book, to be stored with the rest.
    struct Note {
      std::string incident, text;
      core::Details details;
    };
    std::vector<Note> notes;
    bool empty() const noexcept { return events.empty() && documents.empty(); }
  };
  // With each evaluation, after the book's tick.
  Decided look(const core::IncidentBook& book, WallTime now);

  // Those notifiers have refused an event of it. True: they were all by which the person who was
  // told last is reached, and the next look() tells the next one, whatever time is left.
  bool refused(const std::vector<std::string>& names, const slo::AlertEvent& event);

  // Whether people hear of this incident by on-call, so that alerts of it need not wake them.
  bool answers_for(const core::Incident& incident) const;
  // An alert, by slo and rule, goes to those names (none: everybody) although somebody is on call;
  // and to whom it went, which its end forgets. Kept over restarts by take_unrouted(), at most
  // kMaxKept.
  void unrouted(const slo::AlertEvent& fired, std::vector<std::string> names);
  std::optional<std::vector<std::string>> ends_unrouted(const slo::AlertEvent& resolved);
  std::optional<store::Document> take_unrouted();  // nothing: as it was
  // Notifiers of the people who were told of it by on-call, and those that are nobody's; empty:
  // there are none, or everybody was told.
  std::vector<std::string> heard_by(const core::Incident& incident) const;

  struct Counters {
    uint64_t opened = 0, worse = 0, reopened = 0, escalated = 0, resolved = 0, reminded = 0;
    uint64_t beyond = 0;  // not told: kMaxKept others are
    // By on-call: people told; P2 that wait for the morning, digests; everybody told for want of
    // one.
    uint64_t people = 0, held = 0, digests = 0, nobody = 0;
    uint64_t refused = 0;  // people whose notifiers all refused
  };
  const Counters& counters() const noexcept { return counters_; }

 private:
  // What was told of an incident and is not over yet.
  struct Told {
    std::string id, service, opened_on;  // as they were when it was told first
    WallTime since{}, at{};              // it began; when it was told last
    int worst = 4;                       // the most urgent that was told; 4: by alerts alone
    bool page = false, ticket = false;   // which severities were told
    bool everybody = false;              // not only who is told of a level
    int reopens = 0, level = 0;
    WallTime unanswered{};  // what `level` counts from
    // By on-call; `everybody` then means that nobody else can be told.
    bool on_call = false;
    std::vector<std::string> people;  // ids of who was told since it was opened last, in order
    std::vector<std::string> names;   // of notifiers that heard of it
    WallTime later{}, digest{};       // when somebody is told; 0: not put off
    std::vector<std::string> reach;   // by which who was told last is reached, but who refused
    bool unreached = false;           // all have refused: the next one's turn
  };
  struct Turn;

  const Told* kept(const core::Incident& incident) const;
  Told* kept(const core::Incident& incident);
  Told* keep(const core::Incident& incident, WallTime now);
  void opens(const core::Incident& incident, Turn& turn);
  void escalate(const core::Escalation& due, const core::Incident& incident, Turn& turn);
  void fire(const core::Incident& incident, Told& told, std::string_view transition,
            std::vector<std::string> notify, Turn& turn);
  void tell(const core::Incident& incident, Told& told, std::string_view transition, Turn& turn);
  // pager_on_call.cpp
  using Incidents = std::map<std::string, core::Incident>;
  void tell_next(const core::Incident& incident, Told& told, std::string_view transition,
                 std::vector<std::string> names, Turn& turn);
  void note_page(const core::Incident& incident, const OnCall::Choice& choice, Turn& turn);
  void go_on(const core::Incident& incident, Turn& turn);
  void take_over(const core::Incident& incident, Told& told, WallTime now);
  void note_nobody(const core::Incident& incident, const char* how, const std::string& why,
                   Turn& turn);
  void tell_digests(const Incidents& theirs, Turn& turn);
  const nines::oncall::PageLedger& ledger(Turn& turn) const;
  void settle(Turn& turn);
  void resolve(const Told& told, const core::Incident* incident, Turn& turn);
  std::vector<std::string> named(int level) const;
  void remind(Turn& turn);
  store::Document document_of(const Told& told) const;
  store::Document reminder_document() const;

  Parts parts_;
  std::map<std::string, Told> told_;                          // by the id it was told by
  std::map<std::string, std::vector<std::string>> unrouted_;  // by "slo/rule": whom it went to
  bool unrouted_changed_ = false;
  WallTime reminded_{}, overdue_since_{}, counted_{};
  Counters counters_;
};

// The incident that an alert of this SLO belongs to; empty: none that is known.
std::string incident_of_slo(const core::IncidentBook& book, std::string_view slo, WallTime now);

}  // namespace nines::agent::incident
