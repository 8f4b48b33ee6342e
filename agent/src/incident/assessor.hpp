// Assessor: what an incident knows of itself. With each answer of the Watcher it asks for the facts
// and writes, as events of the incident: suspects (services and changes in one ranking), the class
// of the failure, diagnostics (when it opens, when somebody is suspected, and at the last answer),
// and the impact, which it renews while the incident lasts and once more when it is over. What has
// not changed is not written again. Control thread; no I/O, no clock.
//
// Bounded: kMostCases incidents at a time; of one at most kMostImpacts renewals and three rounds of
// diagnostics of at most kMostPages events a part.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "incident/causes.hpp"
#include "incident/impact.hpp"
#include "nines/incident/incident_book.hpp"

namespace nines::agent::incident {

class Assessor {
 public:
  static constexpr size_t kMostCases = 64, kMostImpacts = 10;

  // Answers on the control thread, at once or later.
  using AskFacts =
      std::function<void(const FactsQuestion& question, std::function<void(Facts)> done)>;
  struct Parts {
    AskFacts ask = nullptr;                                       // null: nobody reads
    std::function<std::vector<slo::Change>()> changes = nullptr;  // all, oldest first
    const NodeFacts* node = nullptr;                              // outlives it; null: not known
    std::function<std::vector<Newcomer>()> newcomers = nullptr;   // of late, oldest first
  };
  // What becomes of it.
  struct Out {
    std::function<void(const std::string& id, Told)> write;
    std::function<void(std::string)> news;  // for the log of the agent
  };

  // `engine` and `book` outlive it.
  Assessor(const slo::SloEngine& engine, const core::IncidentBook& book, std::string node,
           Parts parts, Out out);

  // After a restart: incidents that are still open; users before `now` are no longer known.
  void resume(const std::vector<core::Incident>& open, WallTime now);
  // `last`: it is asked no more who is suspected of what began at `onset`.
  void answered(const std::string& id, WallTime onset, Answer answer, bool last, WallTime now);
  void ended(const std::string& id, WallTime now);
  void tick(WallTime now);
  uint64_t dropped() const noexcept { return dropped_; }  // answers beyond kMostCases

 private:
  struct Case {
    WallTime onset{}, next{};  // of its impact
    int64_t wait_ns = 0;
    size_t impacts = 0;
    bool diagnosed = false, suspected = false;
    std::vector<Told> suspects;
    std::map<std::string, std::vector<Told>> parts;  // of diagnostics, as they were told last
    std::string impact;
  };
  Case* case_of(const std::string& id, WallTime onset);
  void ask(const FactsQuestion& question, std::function<void(Facts)> done) const;
  std::vector<slo::Change> changes_around(WallTime onset) const;
  NodeFacts::Trouble trouble_around(WallTime onset) const;
  void conclude(const std::string& id, const FactsQuestion& asked, const Answer& answer,
                const Facts& facts, bool last);
  void tell_suspects(const std::string& id, Case& one, const Causes& causes, const Answer& answer);
  void tell_class(const std::string& id, Case& one, const core::Incident& incident,
                  const CauseFacts& facts, const Causes& causes);
  void diagnose(const std::string& id, Case& one, const FactsQuestion& asked, const Answer& answer,
                const Facts& facts);
  void write_part(const std::string& id, Case& one, const std::string& part,
                  std::vector<Told> told);
  void renew_impact(const std::string& id, WallTime now, bool over);
  void tell_impact(const core::Incident& incident, Case& one, const Facts& facts, WallTime now);

  const slo::SloEngine& engine_;
  const core::IncidentBook& book_;
  std::string node_;
  Parts parts_;
  Out out_;
  std::map<std::string, Case> cases_;
  WallTime life_began_{};
  uint64_t dropped_ = 0;
};

}  // namespace nines::agent::incident
