// Announcer: tells those who listen to GET /api/events what became of the node since it looked
// last. Compares plain views of the parts, so none of them knows that somebody listens. On the
// control thread.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "app/snapshot.hpp"
#include "http/event_hub.hpp"
#include "nines/slo/changes.hpp"
#include "view/alerts_view.hpp"

namespace nines::agent {

class Announcer {
 public:
  static constexpr int64_t kTickEveryS = 10;

  struct Remedies {
    bool enabled = false, stopped = false;
    size_t waiting = 0, acts = 0;
    std::string revision{};  // changes with anything that they show
    friend bool operator==(const Remedies&, const Remedies&) = default;
  };
  struct Seen {
    const std::vector<slo::SloStatus>& slos;
    const std::vector<OpenIncident>& incidents;
    std::vector<std::pair<std::string, std::string>> nodes;  // and their state; empty: no fleet
    Remedies remedies;
    WallTime now{}, watermark{};
  };

  explicit Announcer(http::EventHub& hub) : hub_(hub) {}

  // With each evaluation. The first look only remembers.
  void look(const Seen& seen);
  // As soon as they happen.
  void alert(const view::AlertLine& alert);
  void change(const slo::Change& change);

 private:
  struct SloSeen {
    std::string service, state, risk, release;
    std::vector<std::string> alerts;
    friend bool operator==(const SloSeen&, const SloSeen&) = default;
  };
  struct IncidentSeen {
    std::string state, title, service, suspect;
    int severity = 3;
    WallTime since{};
    friend bool operator==(const IncidentSeen&, const IncidentSeen&) = default;
  };
  void look_at_slos(const std::vector<slo::SloStatus>& slos);
  void look_at_incidents(const std::vector<OpenIncident>& open);
  void look_at_nodes(const std::vector<std::pair<std::string, std::string>>& nodes);
  void look_at_remedies(const Remedies& remedies);
  void tell_slo(const slo::SloStatus& status, const SloSeen& is, const SloSeen* was);
  void tell_incident(const std::string& id, const char* change, const IncidentSeen& is);
  void tell_node(const std::string& node, const std::string& state, const std::string& was);

  http::EventHub& hub_;
  bool looked_ = false;
  std::map<std::string, SloSeen> slos_;
  std::map<std::string, IncidentSeen> incidents_;  // that are open
  std::map<std::string, std::string> nodes_;
  Remedies remedies_;
  WallTime ticked_{};
};

}  // namespace nines::agent
