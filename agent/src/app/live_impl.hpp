// Live: the parts of the running agent and how they hang together. Its start stands in
// live_start.cpp, what it does every few seconds and at its end in live.cpp. On the control thread;
// ingest_ and store_work_ have threads of their own.
#pragma once

#include <boost/asio/signal_set.hpp>
#include <csignal>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "app/announcer.hpp"
#include "app/brokers.hpp"
#include "app/clock_guard.hpp"
#include "app/committer.hpp"
#include "app/drafting.hpp"
#include "app/fetcher.hpp"
#include "app/incidents.hpp"
#include "app/ingest_thread.hpp"
#include "app/judge.hpp"
#include "app/librarian.hpp"
#include "app/live.hpp"
#include "app/logbook.hpp"
#include "app/node_capacity.hpp"
#include "app/node_context.hpp"
#include "app/notifiers.hpp"
#include "app/page_facts.hpp"
#include "app/peers.hpp"
#include "app/queries.hpp"
#include "app/record_keeper.hpp"
#include "app/remediation.hpp"
#include "app/service_manager.hpp"
#include "app/state_move.hpp"
#include "app/timeline.hpp"
#include "app/upstreams.hpp"
#include "app/worker.hpp"
#include "http/api.hpp"
#include "http/changes_api.hpp"
#include "http/event_hub.hpp"
#include "http/front.hpp"
#include "http/server.hpp"
#include "http/timeline_api.hpp"
#include "k8s/follow.hpp"
#include "links/link_desk.hpp"
#include "net/asio.hpp"

namespace nines::agent {

class Live {
 public:
  Live(const AgentOptions& options, Setup setup, const Clock& clock,
       std::shared_ptr<store::MemoryFiles> memory, ServiceManager& service)
      : options_(options),
        setup_(std::move(setup)),
        clock_(clock),
        memory_(std::move(memory)),
        service_(service),
        tick_(io_),
        alive_(io_),
        signals_(io_, SIGINT, SIGTERM),
        hangup_(io_, SIGHUP) {}

  // What the configuration became while it ran, when it was asked to read it again (SIGHUP).
  std::optional<Setup> take_next() { return std::move(next_); }
  // Whether what is in memory is to give way to what stands on the disk.
  bool gives_way() const noexcept { return gives_way_; }

  Status run();

 private:
  // --- start-up, in order
  Status start();
  void start_writing();
  void tell_restored();
  Status open_logbook();
  Status start_timeline();
  Status start_server();
  void on_outcome(StateMove::Outcome outcome);
  Status start_queries();
  Status start_incidents();
  Status start_remediation();
  void start_librarian();
  incident::Relay::Parts relay_parts();
  Status start_links();
  // What the desk of incidents wrote, and `more`: in one piece.
  void keep_incidents(std::vector<store::Document> more, std::function<void(Status)> done);
  Status start_upstreams();
  Status start_brokers();
  Status start_capacity();
  Status start_context();
  void tell_timeline(const nines::incident::Happening& one);
  void await_hangup();
  void reload(Result<Setup> setup);

  // --- every few seconds
  void schedule_tick();
  void release_pages_when_due();
  void stay_alive();
  void tell_service();
  void on_hand_over(HandOver&& hand_over);
  void take(HandOver&& hand_over, WallTime until);
  bool clock_is_right(HandOver& hand_over);
  void go_on_by_the_clock();
  void tell(const slo::AlertEvent& event);
  void tell(const slo::Change& change);
  void announce(WallTime now);

  // --- gates, releases and the log of changes
  void look_at_gates(WallTime now);
  void on_decision(const peer::Decision& decision);
  void events_are_kept(const std::vector<slo::AlertEvent>& events);
  void report(const http::ReportWish& wish, std::function<void(Result<std::string>)> done);
  void watch_capacity();
  void keep_capacity() { keeper_->put(capacity_->take_changes(), "capacity"); }

  void keep_pods();
  std::vector<store::Document> progress();
  // What happened is written with what came of it.
  std::vector<store::Document> with_timeline(std::vector<store::Document> documents) const;
  http::Insight insight();
  http::TimelineAccess timeline_access();

  // --- what it shows (live_http.cpp)
  http::AsyncHandler routes();
  http::AsyncHandler incident_routes(http::AsyncHandler next);
  http::AsyncHandler query_routes(http::AsyncHandler next);
  std::vector<std::pair<std::string, std::string>> nodes() const;
  Snapshot snapshot() const;

  // --- the end
  void stop();
  Status shut_down();
  Status commit_rest();

  const AgentOptions& options_;
  Setup setup_;
  const Clock& clock_;
  std::shared_ptr<store::MemoryFiles> memory_;  // store_'s, while the disk cannot be written
  ServiceManager& service_;
  net::asio::io_context io_{1};
  net::asio::steady_timer tick_, alive_;
  net::asio::signal_set signals_, hangup_;
  std::optional<Setup> next_;
  std::unique_ptr<store::StateStore> store_;  // touched by store_work_ only, once running
  std::optional<ClockGuard> guard_;
  slo::Batch kept_back_;  // while the clock is not to be trusted
  std::unique_ptr<Judge> judge_;
  std::unique_ptr<NodeCapacity> capacity_;
  std::unique_ptr<Logbook> logbook_;  // sees judge_'s engine
  std::optional<RecordKeeper> keeper_;
  std::optional<Committer> committer_;
  Worker store_work_;
  std::optional<StateMove> move_;
  std::string token_;
  bool token_unkept_ = false, gives_way_ = false;
  Fetcher fetcher_;  // ingest_ asks it
  std::unique_ptr<IngestThread> ingest_;
  std::unique_ptr<TimelineKeeper> timeline_;
  std::unique_ptr<NodeContext> context_;  // sees logbook_, hears pods_, tells ingest_
  std::unique_ptr<Incidents>
      incidents_;  // reads context_'s facts, asks ingest_, reads judge_; null: switched off
  std::unique_ptr<Remediation> remediation_;  // uses incidents_; null: those are switched off
  std::optional<links::LinkDesk> links_;      // uses incidents_, remediation_; unset: no public URL
  std::optional<Librarian> librarian_;        // reads incidents_ and logbook_
  std::optional<PageFacts> page_facts_;       // reads judge_, asks incidents_
  std::optional<Drafting> drafting_;          // uses the five above
  std::unique_ptr<Queries> queries_;
  std::unique_ptr<http::Front> front_;
  std::optional<http::EventHub> events_;
  std::optional<Announcer> announcer_;        // tells events_
  std::vector<slo::AlertEvent> unannounced_;  // of this evaluation
  std::unique_ptr<http::HttpServer> server_;  // asks front_, and through it all above
  k8s::Following pods_;
  Notifiers notifiers_{io_, clock_, store_work_};
  std::unique_ptr<Upstreams> upstreams_;       // reads judge_
  std::unique_ptr<FleetLink> fleet_;           // reads judge_; null: no peers, no brokers
  std::unique_ptr<Brokers> brokers_;           // as fleet_, which they read
  std::vector<store::Document> brokers_told_;  // at the end
  StoreTrouble store_trouble_;
  WallTime started_{};
  Instant last_capacity_{};
  std::optional<Instant> pages_released_;
  bool ready_ = false, stopping_ = false;
};

}  // namespace nines::agent
