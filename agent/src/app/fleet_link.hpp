// FleetLink: this node among its peers. Owns what is known of the fleet, the machine that talks and
// its sockets; is fed by the engine and the store, and says what the fleet looks like from here. On
// the control thread.
//
// Pages of silent nodes that this node has made are kept as documents, so that its next life knows
// of them: give what take_documents() says to the store, and its documents(kDocuments) back to
// start().
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "nines/fleet/engine_feed.hpp"
#include "nines/fleet/fleet_view.hpp"
#include "nines/peer/driver.hpp"
#include "nines/peer/mdns_driver.hpp"
#include "nines/store/state_store.hpp"

namespace nines::agent {

struct FleetLinkOptions {
  std::string node, cluster = "nines";
  uint64_t boot = 1;
  uint64_t seed = 0;  // of jitter and of the incarnation
  peer::DriverSettings driver;
  peer::PeerSettings peer;  // cluster, incarnation and seed are set from the above
  bool mdns = false;        // looks for others on the same link
};

// What of an earlier life is told again.
struct FleetPast {
  std::vector<slo::AlertEvent> alerts;     // the newest of the store, oldest first
  std::vector<store::Document> documents;  // of kDocuments
};

class FleetLink {
 public:
  static constexpr const char* kDocuments = "fleet-page";
  using OnDecision = std::function<void(const peer::Decision&)>;

  // `engine`, `io` and `clock` outlive it. `decided` is told of everything that the machine
  // decides, the first time on a later turn of `io`.
  static Result<std::unique_ptr<FleetLink>> start(boost::asio::io_context& io, const Clock& clock,
                                                  FleetLinkOptions options,
                                                  const slo::SloEngine& engine,
                                                  const FleetPast& past, WallTime watermark,
                                                  OnDecision decided);

  // After an evaluation: tells what was closed since.
  void evaluated(WallTime watermark);
  // SLOs came or went, or old logs were counted.
  void counted_anew(WallTime watermark);
  // Alert events that the store has.
  void told(const std::vector<slo::AlertEvent>& events);
  std::vector<store::Document> take_documents();

  // --- Queries over all nodes.
  // Every node but this one that may be asked, also those that are silent. On the control thread.
  std::vector<std::string> askable() const;
  // A connection to ask a node over. Blocks; any thread but the control thread.
  Result<std::unique_ptr<stream::ByteStream>> open_query(const std::string& node,
                                                         Instant deadline) {
    return driver_->open_query(node, deadline);
  }
  // Called on the control thread with connections that ask this node; refused until then.
  void serve_queries(peer::PeerDriver::OnQuery on_query) {
    driver_->serve_queries(std::move(on_query));
  }
  // Before threads that use open_query() or streams are joined. Any thread.
  void stop_queries() { driver_->stop_queries(); }

  bool isolated() const { return node_.isolated(); }
  uint16_t port() const { return driver_->port(); }
  const fleet::FleetState& state() const { return state_; }
  fleet::FleetState& state() { return state_; }  // for those who tell brokers of it
  const peer::PeerNode& node() const { return node_; }
  // GET /api/fleet.
  std::string json() const;
  // For GET /metrics.
  std::string metrics() const;

 private:
  FleetLink(const Clock& clock, FleetLinkOptions&& options, const slo::SloEngine& engine);
  void begin(WallTime watermark);
  Status look_around(boost::asio::io_context& io);
  void decided(const peer::Decision& decision);

  const Clock& clock_;
  FleetLinkOptions options_;
  fleet::FleetState state_;
  fleet::EngineFeed feed_;
  peer::PeerNode node_;
  OnDecision decided_;
  std::vector<store::Document> documents_;
  int64_t told_minute_ = 0;
  std::unique_ptr<peer::PeerDriver> driver_;
  std::unique_ptr<peer::MdnsDriver> mdns_;  // before `driver_` it is gone
};

}  // namespace nines::agent
