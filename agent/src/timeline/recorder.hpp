// Recorder: makes the timeline of this node of what its parts tell, each thing once, also over a
// restart in the middle: what is told again (a change of the log of changes, an event of an
// incident, a page) carries a reference that is known. Control thread; no clock, no I/O.
//
// Bounded: of one service at most so many first-seen templates, and of one SLO so many changes of
// state, are told in an hour; how many more there were is one event when the hour is over.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "timeline/event_log.hpp"
#include "timeline/wording.hpp"

namespace nines::agent::timeline {

struct RecorderLimits {
  uint64_t newcomers_an_hour = 12, errors_an_hour = 12;  // of a service
  uint64_t states_an_hour = 12;                          // of an SLO
  uint64_t kubernetes_an_hour = 60;                      // of a service
  size_t max_names = 512;                                // that are counted apart
  size_t max_refs = 8'192, max_incidents = 1'024;
};

// Something that the API server, or whoever watches it, told.
struct KubernetesEvent {
  std::string service, text;  // service empty: of the node
  WallTime at{};
  std::string ref;  // unique where it may be told twice; else empty
  std::vector<std::pair<std::string, std::string>> fields{};  // reason, pod...
  core::EventKind kind = core::EventKind::kubernetes;         // or kernel
};

class Recorder {
 public:
  // Every own event, once it is in the log: for the fleet.
  using Publish = std::function<void(const core::TimelineEvent&)>;

  // `log` is restored, and outlives it.
  Recorder(std::string node, EventLog& log, Publish publish, RecorderLimits limits = {});

  // Alerts fire and resolve: of SLOs, gates, forecasts.
  void alert(const slo::AlertEvent& event, WallTime now);
  // After each evaluation, when all that was written is read.
  void states(const slo::SloEngine& engine, WallTime now);
  void change(const slo::Change& change, WallTime now);
  // Of incidents: what became of them, and every event that this node wrote; `incident` may be
  // null.
  void became(const nines::incident::Transition& transition,
              const nines::incident::Incident& incident, WallTime now);
  void wrote(const nines::incident::IncidentEvent& event, const nines::incident::Incident* incident,
             WallTime now);
  void condition(const nines::incident::Condition& condition, WallTime now);
  void newcomer(const incident::Newcomer& newcomer, WallTime now);
  void paged(const slo::AlertEvent& event, const std::string& notifier, WallTime now);
  void decided(const peer::Decision& decision, WallTime now);
  void kubernetes(KubernetesEvent event, WallTime now);
  void clock_set(int64_t by_ns, WallTime now);

  // Another node told it. False: nothing new.
  bool heard(core::TimelineEvent event, WallTime now);
  // Tells what was left out when the hour is over.
  void tick(WallTime now);

  struct Stats {
    uint64_t left_out = 0, repeated = 0;
  };
  const Stats& stats() const noexcept { return stats_; }

 private:
  struct Hour {
    WallTime began{};
    uint64_t told = 0, left_out = 0;
    std::string service;
    core::EventKind kind{};
  };
  void remember(const core::TimelineEvent& event);
  bool is_new(const core::TimelineEvent& event);
  void record(core::TimelineEvent event, WallTime now);
  bool may_tell(std::string name, const core::TimelineEvent& event, uint64_t most, WallTime now);
  void tell_left_out(Hour& hour, WallTime now);
  std::string key_for(const nines::incident::Incident& incident) const;
  bool is_other_suspect(const core::TimelineEvent& event);

  std::string node_;
  EventLog& log_;
  Publish publish_;
  RecorderLimits limits_;
  std::map<std::string, std::string> states_;  // SLO -> as it was told last
  // SLO -> rules that fire, each with its key; the first of them names what an incident is about.
  std::map<std::string, std::vector<std::pair<std::string, std::string>>> firing_;
  struct Holding {
    std::string key;
    WallTime told{};
  };
  std::map<std::string, Holding> holding_;        // by condition
  std::map<std::string, std::string> incidents_;  // id -> key
  std::map<std::string, std::string> suspects_;   // id -> as the first one was told last
  std::set<std::string> refs_;
  std::deque<std::string> refs_by_age_;
  std::map<std::string, Hour> hours_;
  Stats stats_;
};

}  // namespace nines::agent::timeline
