// FleetLink: this node among its peers. Owns what is known of the fleet, the machine that talks and
// its sockets; is fed by the engine and the store, and says what the fleet looks like from here. On
// the control thread.
//
// Pages of silent nodes that this node has made are kept as documents, so that its next life knows
// of them: give what take_documents() says to the store, and its documents(kDocuments) back to
// start().
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
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

  // --- Events with a body: incidents, timeline.
  using Stream = fleet::FleetEvent::Stream;
  using OnHeard = std::function<void(const std::string& origin, const fleet::FleetEvent& event)>;
  // Tells all nodes, on a later turn of `io`. `boot` and `sequence` are the owner's name for it
  // (boot: fleet::life_number()), under which the next life may tell it again: that changes nothing
  // where it is known. False: as FleetState::publish().
  bool publish(Stream stream, uint64_t boot, uint64_t sequence, WallTime at, std::string body);
  // `heard` is called, on later turns of `io`, once for each event of that stream that another
  // node, or an earlier life of this one, has told: those that are known already, and all that
  // come. Once a stream, before peers are met. Where more than kMaxHeard come at once, all that is
  // known is told anew, node by node, and counted: `heard` must bear an event twice, and own ones.
  static constexpr size_t kMaxHeard = 2'048;
  void listen(Stream stream, OnHeard heard);
  // As if it had just begun to listen.
  void tell_anew(Stream stream) { walk_all(stream); }
  // What `origin` has published once, as this node has kept it: peers may have it from here again.
  // It is not heard. False: as FleetState::merge(), and where that node is not known.
  bool recall(const std::string& origin, Stream stream, uint64_t boot, uint64_t sequence,
              WallTime at, std::string body);
  // Events that another view of the same fleet knows are heard as well, those of both once. It
  // outlives this, or is left before it ends. Not those that let rules act, nor of acts: who may
  // write to a broker is no node that showed a certificate.
  void hear_from(fleet::FleetState& view);
  void leave(fleet::FleetState& view);

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
  std::vector<peer::PeerView> peers() const { return node_.peers({clock_.mono(), clock_.wall()}); }
  uint64_t overrun() const { return overrun_; }  // times that more than kMaxHeard came at once
  // GET /api/fleet.
  std::string json() const;
  // For GET /metrics.
  std::string metrics() const;

 private:
  FleetLink(boost::asio::io_context& io, const Clock& clock, FleetLinkOptions&& options,
            const slo::SloEngine& engine);
  void begin(WallTime watermark);
  Status look_around(boost::asio::io_context& io);
  void decided(const peer::Decision& decision);
  void queue(const fleet::FleetState& from, const std::string& origin,
             const fleet::FleetEvent& event);
  bool known_elsewhere(const fleet::FleetState& from, const std::string& origin,
                       const fleet::FleetEvent& event) const;
  bool hears(const fleet::FleetState& from, Stream stream) const;
  void walk_all(Stream stream);
  void walk_one();
  // Runs work() on a later turn.
  void soon();
  void work();

  struct Heard {
    std::string origin;
    fleet::FleetEvent event;
  };
  struct Walk {  // of what a state has
    const fleet::FleetState* state;
    std::string origin;
    Stream stream;
  };
  boost::asio::io_context& io_;
  const Clock& clock_;
  FleetLinkOptions options_;
  fleet::FleetState state_;
  fleet::EngineFeed feed_;
  peer::PeerNode node_;
  OnDecision decided_;
  std::vector<store::Document> documents_;
  int64_t told_minute_ = 0;
  std::map<Stream, OnHeard> listeners_;
  std::vector<fleet::FleetState*> views_;
  std::deque<Heard> heard_;
  std::deque<Walk> walks_;
  uint64_t overrun_ = 0;  // times that heard_ was full
  bool published_ = false, working_soon_ = false;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
  std::unique_ptr<peer::PeerDriver> driver_;
  std::unique_ptr<peer::MdnsDriver> mdns_;  // before `driver_` it is gone
};

}  // namespace nines::agent
