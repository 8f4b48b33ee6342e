// Incidents: the Desk within the running agent: what the ingest thread observed goes in, questions
// go to the ingest thread, what is to be kept goes to the store. Control thread.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "app/fleet_link.hpp"
#include "app/ingest_thread.hpp"
#include "app/logbook.hpp"
#include "app/queries.hpp"
#include "incident/context_teller.hpp"
#include "incident/desk.hpp"
#include "incident/node_facts.hpp"
#include "incident/pager.hpp"
#include "incident/relay.hpp"
#include "incident/rewriter.hpp"
#include "net/asio.hpp"
#include "timeline/recorder.hpp"

namespace nines::agent {

class Incidents {
 public:
  // All outlive it.
  struct Parts {
    boost::asio::io_context& io;
    const Clock& clock;
    const NodeConfig& config;
    const slo::SloEngine& engine;
    IngestThread& ingest;
    std::function<void(Record&&)> keep;
    timeline::Recorder& timeline;
    const incident::NodeFacts& facts;   // what happened around the services, how the node is
    std::function<FleetLink*()> fleet;  // null: there are no other nodes, or no more
    std::function<Queries*()> queries;  // through which other nodes are asked; as fleet
    std::function<std::vector<slo::Change>()> changes;  // the log of changes, oldest first
    // An event that this decided is to be shown and logged; it is kept by `keep`.
    std::function<void(const slo::AlertEvent&)> show;
    // The alerts of this SLO that are not written yet belong to that incident.
    std::function<void(const std::string& slo, const std::string& incident)> belongs;
    // Something was written of that incident here, or became of it. May be empty.
    std::function<void(const std::string& id)> touched;
    // Whether this node tells people of it, where several know it. May be empty: who opened it.
    std::function<bool(const incident::core::Incident&)> mine;
    // The alerts of this SLO that are not written yet are for those names.
    std::function<void(const std::string& slo, const std::vector<std::string>& names)> address;
    std::shared_ptr<const incident::OnCall> on_call;  // null: nobody is on call
    // How what this node cannot tell is told by another one. `reach` is set here.
    incident::Relay::Parts relay{};
  };
  // Null where incidents are switched off. `store` is asked now only.
  static Result<std::unique_ptr<Incidents>> start(Parts parts, store::StateStore& store);

  void observed(incident::Observed&& observed);
  void judged(const std::vector<slo::AlertEvent>& events, WallTime now);
  // What the node itself tells (NodeCapacity::OnVital), for its conditions.
  void vital(std::string_view name, double value, WallTime at);
  // What was learned, now and then and when the agent stops: documents for the store.
  static std::vector<store::Document> learned(Ingest& ingest);
  // How the clocks of other nodes were at a moment, as far as that is known.
  using Clocks = std::function<std::vector<incident::NodeTime>(WallTime at)>;
  void clocks(Clocks clocks) { clocks_ = std::move(clocks); }
  // People did something.
  void changed();
  // --- Other nodes (incidents_fleet.cpp).
  // A node is silent or back, as this one says.
  void decided();
  // What the desk did is told to all nodes.
  void tell_fleet();

  // Requests that began in [from, to), for the clocks of the fleet; comes back later.
  void seen(WallTime from, WallTime to,
            std::function<void(std::vector<incident::core::RequestTrail::Seen>)> done);
  // The newest lines of these services that say what is wrong, since then; comes back later.
  void error_lines(std::vector<std::string> services, WallTime since, size_t most,
                   std::function<void(std::vector<std::string>)> done);
  IncidentsStatus status() const;
  // Events that are about to be told.
  void outgoing(const std::vector<slo::AlertEvent>& events);
  // Somebody was told: noted in the incident.
  void told(const std::string& notifier, const char* kind, const slo::AlertEvent& event);

  // Those notifiers have refused it: whoever it was for is not waited for.
  void refused(const std::vector<std::string>& names, const slo::AlertEvent& event);

  // What tells of an incident before that is there: it is for those who are not told by on-call.
  void address(slo::AlertEvent& event) const;
  // The same of what is said about an incident (empty: none): to whoever was told of that, and to
  // what is nobody's.
  void address_about(const std::string& id, slo::AlertEvent& event) const;
  // Null: nobody is on call.
  const incident::OnCall* on_call() const noexcept { return parts_.on_call.get(); }

  incident::Desk& desk() noexcept { return desk_; }
  const incident::Desk& desk() const noexcept { return desk_; }
  // Null: none is configured.
  incident::Rewriter* rewriter() noexcept { return rewriter_ ? &*rewriter_ : nullptr; }

 private:
  explicit Incidents(Parts&& parts, uint64_t life);
  void keep_learned(WallTime now);
  template <class Reply>
  void post(std::function<Reply(incident::Watcher&)> answer, std::function<void(Reply)> done);
  void join_fleet();
  void look_at_fleet(WallTime now);
  void look_at_silent_nodes(const FleetLink& fleet, WallTime now);
  void recall(FleetLink& fleet);
  using Done = std::function<void(incident::Answer)>;
  // Asks other nodes first what they know.
  void ask(const incident::core::TrailQuestion& question, Done done);
  void ask_here(const incident::core::TrailQuestion& question, incident::Gathered gathered,
                Done done);
  void answer_others();
  void ask(const incident::FactsQuestion& question, std::function<void(incident::Facts)> done);
  void tell_people(WallTime now);
  void address(const std::vector<slo::AlertEvent>& events, uint64_t refused, WallTime now);
  bool by_on_call() const;
  uint64_t refusals() const;

  Parts parts_;
  incident::Desk desk_;
  WallTime learned_{}, looked_{}, heard_anew_{};
  uint64_t unrouted_ = 0;      // alerts that went to everybody, although somebody is on call
  uint64_t refused_ = 0;       // by the desk when it was told all anew
  std::set<std::string> met_;  // nodes whose events from the store the fleet knows
  incident::ContextTeller context_;
  incident::Dropped unread_;  // by the half that reads, as it said last
  unsigned thinning_ = 0;
  Clocks clocks_;
  incident::Pager pager_;
  incident::Relay relay_;
  std::optional<incident::Rewriter> rewriter_;
  bool held_ = false;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace nines::agent
