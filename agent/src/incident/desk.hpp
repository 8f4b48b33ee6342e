// Desk: the incidents of this node while it runs. Makes conditions of alerts, asks the Watcher who
// is suspected and keeps what it says with the incident, tells what changed. Control thread; no
// I/O, no clock.
//
// How long an alert is a condition: as long as a rule that pages fires, or what it tells of goes
// on. Rules of tickets look back over hours or days and outlast the trouble by as much; when it has
// been calm for a quarter of an hour (at that pace none of them would fire), and enough was seen to
// know, their alert goes on and the condition ends, to hold again when it burns again.
//
// What is to be kept is a document per event (take_documents), given back to restore() by the next
// life.
#pragma once

#include <array>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "incident/assessor.hpp"
#include "incident/watcher.hpp"
#include "nines/incident/incident_book.hpp"
#include "nines/slo/engine.hpp"
#include "nines/store/state_store.hpp"

namespace nines::agent::incident {

// When the trouble that an alert of `slo` tells of began: where, within the last hour, the share of
// bad events changed for the worse (the change point by CUSUM: Page 1954), in slots of 10 s.
WallTime onset_of(const slo::SloEngine& engine, uint32_t slo, WallTime fired);

class Desk {
 public:
  static constexpr const char* kDocuments = "incident";

  // Answers on the control thread, at once or later.
  using Ask =
      std::function<void(const core::TrailQuestion& question, std::function<void(Answer)> done)>;
  struct Parts {
    const slo::SloEngine& engine;  // outlives it
    Ask ask;                       // null: nobody watches
    // Every event that this node wrote, and what became of incidents; may be null.
    std::function<void(const core::IncidentEvent&)> wrote{};
    std::function<void(const core::Transition&, const core::Incident&)> became{};
    Assessor::Parts known{};  // what else is known of an incident
    core::BookRules rules{};
  };

  Desk(core::BookIdentity identity, Parts parts);

  void restore(const std::vector<store::Document>& documents, WallTime now);

  void alerts(const std::vector<slo::AlertEvent>& events, WallTime now);
  // Those that an earlier life left firing.
  void still_firing(const std::vector<slo::AlertMemory>& memory, WallTime now);
  void conditions(const std::vector<core::Condition>& conditions, WallTime now);
  void newcomers(std::vector<Newcomer> seen);
  // Learned from requests: who calls whom.
  void calls(const std::vector<core::RequestTrail::Call>& calls);
  // With each evaluation.
  void tick(WallTime now);

  // --- Other nodes (desk_fleet.cpp).
  // Own events since last asked, to be told to all nodes.
  core::IncidentBook::Events take_events();
  // Those of earlier lives become such, the newest, as many as nodes keep of each other.
  void tell_again();
  core::IncidentBook::Events events_of(std::string_view origin) const;
  // An event as `origin` told it. False: it is none of that node, or the book refuses it
  // (FleetCounters), which for one from the future or for want of room may be otherwise later.
  bool heard(std::string_view origin, std::string_view body, WallTime now);
  // This node asks for those who are gone.
  void stand_in_for(const std::set<std::string>& nodes, WallTime now);
  struct FleetCounters {
    uint64_t heard = 0;    // that were news
    uint64_t refused = 0;  // by the book: from the future, too old, no room
    uint64_t invalid = 0;  // broken, or of another node than they came from
  };
  const FleetCounters& fleet_counters() const noexcept { return fleet_; }
  // For want of room, here and in the book.
  Dropped dropped() const;

  // Something is wrong: what is read now is no example of health.
  bool acute() const noexcept { return acute_; }
  std::vector<store::Document> take_documents();
  // What happened since last asked, for the log of the agent.
  std::vector<std::string> take_news();

  core::IncidentBook& book() noexcept { return book_; }
  const core::IncidentBook& book() const noexcept { return book_; }
  // How often incidents were opened, reopened... in this life, by Transition::Kind.
  static constexpr size_t kTransitions = 6;
  const std::array<uint64_t, kTransitions>& transitions() const noexcept { return transitions_; }
  // By people, over the API: keeps what it did.
  Result<core::IncidentEvent> did(Result<core::IncidentEvent> done);
  const std::deque<Newcomer>& recent_newcomers() const noexcept { return newcomers_; }

 private:
  static constexpr size_t kMostAsked = 64;
  struct Question {
    std::string id;
    WallTime onset{}, next{};
    bool waiting = false;
  };
  // What was no health, and is no past to compare with.
  struct Trouble {
    std::string slo;
    double share = 0;  // of bad events, from which on it goes on
    core::Stretch when;
  };
  void keep(const core::IncidentBook::Events& events);
  static std::string document_key(const core::IncidentEvent& event);
  static bool is_history(const core::Transition& transition, const core::Incident& incident,
                         WallTime now);
  bool asks_about(const core::Incident& incident) const;
  void ask_later(Question question);
  void remember_trouble(Trouble trouble);
  void learn_calls(const Answer& answer);
  void forget_pruned();
  void told(const core::Transition& transition, WallTime now);
  void ask(Question& question, WallTime now);
  void answered(const std::string& id, WallTime onset, Answer answer);
  void write(const std::string& id, Told told);
  // What an SLO whose alert fires is to the incidents.
  struct Burning {
    core::Condition condition;  // as it was told last
    bool holds = true;          // false: what it tells of is over, only its slow windows are not
  };
  void fired(const slo::AlertEvent& event, WallTime now);
  void remember_firing(const slo::AlertMemory& memory, const core::Condition& told);
  bool is_urgent(const std::string& slo) const;  // one of its rules that fire asks for a page
  Trouble* newest_trouble(const std::string& slo);
  void trouble_began(const std::string& slo, WallTime at);
  void watch_troubles(WallTime now);
  void watch_trouble(uint32_t place, Trouble& trouble, WallTime now);
  bool burns_on(const std::string& slo, uint32_t place, slo::Ratio pace) const;
  void judge_calm(const std::string& slo, Burning& burning, WallTime now);
  void trouble_is_back(Trouble trouble);
  std::optional<uint32_t> place_of(const std::string& slo) const;
  core::Condition condition_of(const slo::AlertEvent& event) const;

  core::IncidentBook book_;
  Parts parts_;
  std::string node_;
  std::string self_;  // as events name it
  Assessor assessor_;
  WallTime now_{}, repeated_{};
  std::map<std::string, std::map<std::string, bool>> firing_;  // SLO -> rule -> is it urgent
  std::map<std::string, Burning> burning_;                     // by SLO
  std::deque<Trouble> troubles_;
  std::vector<Question> questions_;
  std::vector<store::Document> documents_;
  std::set<std::string> kept_;  // keys of documents
  uint64_t pruned_ = 0;
  core::IncidentBook::Events untold_;
  std::set<std::string> gone_;  // for whom this node stands in, as events name them
  FleetCounters fleet_;
  uint64_t newcomers_dropped_ = 0, questions_dropped_ = 0, troubles_dropped_ = 0,
           untold_dropped_ = 0;
  std::vector<std::string> news_;
  std::deque<Newcomer> newcomers_;
  std::array<uint64_t, kTransitions> transitions_{};
  bool acute_ = false;
};

}  // namespace nines::agent::incident
