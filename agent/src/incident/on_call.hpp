// OnCall: whom an incident is told by the on-call document, and the past pages that this is
// reckoned from. Past pages are no store of their own: each is an event of its incident (page_sent,
// with the person in its details), so they are written with what was decided, travel to the other
// nodes, and are forgotten with the incident. Nodes that know the same incidents route alike.
//
// A notifier that somebody of the document names is theirs: of incidents it hears what they are
// paged of. The others are shared: they hear of every incident, as if there were no on-call.
//
// Immutable, so const means thread-safe. Cost of a ledger: a copy of the imported pages that count
// (at most PageLedger::Limits), and in proportion to what is known of all incidents; it is made
// when somebody is to be told.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "nines/incident/incident_book.hpp"
#include "nines/oncall/router.hpp"

namespace nines::agent::incident {

namespace core = nines::incident;

class OnCall {
 public:
  // Stands among the names that an event is for, where on-call decides who hears it: an empty list
  // means everybody. No notifier is called so.
  static constexpr const char* kName = "(on call)";

  struct Notifier {
    std::string name, chain;  // chain: that it is a step of; may be empty
    bool pages = true, tickets = true;
  };
  struct Parts {
    std::shared_ptr<const nines::oncall::Plan> plan;
    std::vector<Notifier> notifiers;            // all that this node has
    std::vector<nines::oncall::Page> imported;  // that another tool, or nobody, knows incidents of
  };
  explicit OnCall(Parts parts);

  const nines::oncall::Plan& plan() const noexcept { return *parts_.plan; }
  size_t imported() const noexcept { return parts_.imported.size(); }

  // What the incidents tell, and what was imported.
  nines::oncall::PageLedger ledger(const core::IncidentBook& book, WallTime now) const;
  struct NotedPage {
    std::string incident;
    nines::oncall::Page page;
  };
  // Of the incidents alone, by time.
  std::vector<NotedPage> pages(const core::IncidentBook& book, WallTime now) const;

  // Who is told next. Nobody: `later` and `digest` say when somebody is, else `why` why not.
  struct Choice {
    uint32_t person = nines::oncall::kNobody;
    std::string id, why, experts;     // experts: ids of up to three others who know it
    std::vector<std::string> notify;  // that reach this person
    std::optional<WallTime> later;    // P2: everybody has quiet hours until then
    std::optional<WallTime> digest;   // P3
    bool somebody() const noexcept { return person != nines::oncall::kNobody; }
  };
  // `told`: ids of who was told of it already.
  Choice choose(const nines::oncall::PageLedger& ledger, const core::Incident& incident,
                const std::vector<std::string>& told, WallTime now) const;
  // Who gets the digest of the policy that is responsible for a service: whoever is on call.
  Choice of_digest(const nines::oncall::PageLedger& ledger, const core::Incident& incident,
                   WallTime now) const;
  // Nanoseconds that the last who was told has to acknowledge it; 0: as long as they like.
  int64_t ack_ns(const core::Incident& incident) const;
  std::string policy_of(const core::Incident& incident) const;  // its name; empty: nobody's

  // What everybody hears who takes pages, or tickets, and is nobody's. With kName: never empty.
  std::vector<std::string> shared(bool page) const;
  // And with those that are somebody's.
  std::vector<std::string> everybody(bool page) const;
  // The same of what may wait (P2): without those of people who have quiet hours now. Where that
  // leaves nobody of the people, `later` says when the first of them has none any more.
  struct Awake {
    std::vector<std::string> notify;
    std::optional<WallTime> later;
  };
  Awake awake(bool page, WallTime now) const;
  // By id or by name, whatever the case of the letters; also who acknowledged by a link
  // (agent/src/links).
  std::optional<uint32_t> person_of(std::string_view who) const;
  // Those of this person that this node has.
  std::vector<std::string> notifiers_of(uint32_t person) const;

 private:
  nines::oncall::Request request_of(const core::Incident& incident, WallTime now) const;
  Choice chosen(const nines::oncall::Route& route, uint32_t person,
                const nines::oncall::Request& request) const;
  bool has(const std::string& notifier) const;
  std::optional<uint32_t> owner_of(std::string_view notifier) const;  // if it is one person's
  bool is_somebodys(const Notifier& notifier) const;

  Parts parts_;
  nines::oncall::PageLedger imported_;  // of the imported pages alone: copied, not reckoned anew
};

// Details of an event page_sent of the incident that somebody is paged of.
inline constexpr const char* kPagedPerson = "person";
inline constexpr const char* kPagedPriority = "priority";
// Of one by which nobody is paged yet: "later", "digest", or "everybody" where there is no person.
// Whoever wrote it looks after the incident; it counts as nobody's page.
inline constexpr const char* kPagedNobody = "nobody";
// Whether a node says in it that it has chosen whom to tell, and when.
bool is_claim(const core::Entry& page);

}  // namespace nines::agent::incident
