// IncidentFold: events in their order -> incidents. A sequential machine; what time alone does to
// an incident (a condition lapses, it resolves itself) is worked out when it is next touched or
// asked for, so the machine knows no other time than that of its events.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "nines/incident/incident_book.hpp"

namespace nines::incident {

class IncidentFold {
 public:
  static constexpr size_t kNone = static_cast<size_t>(-1);

  // An opening. Those that became part of another one remain, to be found by their key and id.
  struct Track {
    Incident incident;
    size_t merged_into = kNone;
    bool person_holds = false;  // reopened by a person: only a person resolves it, or new trouble
    std::vector<std::string> told;
    WallTime first_opened{};
    size_t events = 0;
  };
  // What is asked most often of an incident, without a copy.
  struct Brief {
    State state = State::open;
    WallTime resolved{}, recovered{};
    bool itself = false;
  };

  IncidentFold(std::string cluster, const BookRules& rules, const BookLimits& limits)
      : cluster_(std::move(cluster)), rules_(rules), limits_(limits) {}

  void clear();
  // REQUIRES none applied comes behind it. Gives the incident it belongs to, kNone: not known.
  size_t apply(const IncidentEvent& event);
  // An id under which it has been told.
  void tell(size_t at, std::string_view id);

  const std::vector<Track>& tracks() const noexcept { return tracks_; }
  size_t root(size_t at) const noexcept;
  bool is_root(size_t at) const noexcept { return tracks_[at].merged_into == kNone; }
  const std::string& id(size_t at) const;  // assigned when it is asked for
  Brief brief(size_t at, WallTime t) const;
  Incident view(size_t at, WallTime t) const;
  // The incident that has the condition, if it is open or may be reopened at `t`.
  size_t of_condition(std::string_view key, WallTime t) const;
  std::vector<size_t> by_id(std::string_view id) const;  // the one that has it now first
  bool holds(const IncidentCondition& condition, WallTime t) const noexcept;

 private:
  struct Opening {
    WallTime at{};
    size_t track = 0;
  };

  size_t find(std::string_view key, WallTime ref) const;
  bool is_live(size_t at, WallTime t) const;
  WallTime over_at(const IncidentCondition& condition, WallTime t) const noexcept;
  void settle(size_t at, WallTime t);
  size_t open(const IncidentEvent& event, WallTime t);
  size_t merge(size_t a, size_t b);
  void remember(Track& track, const IncidentEvent& event, WallTime t);

  size_t began(const IncidentEvent& event, WallTime t);
  size_t ended(const IncidentEvent& event, WallTime t);
  size_t declared(const IncidentEvent& event, WallTime t);
  size_t told(const IncidentEvent& event, WallTime t);
  void hold(Track& track, const IncidentEvent& event, const Condition& condition, WallTime t);
  void reopen(Incident& incident, WallTime t) const;
  void judge(Track& track, const IncidentEvent& event, WallTime t);
  void list(Incident& incident, const IncidentEvent& event, WallTime t);
  void assign_ids() const;

  std::string cluster_;
  BookRules rules_;
  BookLimits limits_;
  std::vector<Track> tracks_;
  std::map<std::string, std::vector<Opening>, std::less<>> by_key_;
  std::map<std::string, size_t, std::less<>> by_condition_;
  mutable std::vector<std::string> ids_;  // of the tracks
  mutable bool ids_known_ = true;
};

}  // namespace nines::incident
