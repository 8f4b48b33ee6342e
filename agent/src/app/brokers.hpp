// Brokers: the upstreams of kind nats and mqtt, which are told what this node tells its peers, and
// the fleet as a stream of NATS has it. On the control thread.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "app/fleet_link.hpp"
#include "app/snapshot.hpp"
#include "config/config.hpp"
#include "nines/broker/query_port.hpp"
#include "query/nodes.hpp"

namespace nines::agent {

class Brokers {
 public:
  static constexpr const char* kDocuments = "broker";

  // `io`, `clock` and `fleet` outlive it. `kept`: the documents of an earlier life.
  Brokers(boost::asio::io_context& io, const Clock& clock, const NodeConfig& config,
          FleetLink& fleet, const std::vector<store::Document>& kept, uint64_t seed);
  ~Brokers();

  // The state of the fleet link may have changed.
  void look();
  // Whether the status of the SLOs is to be shown: once a minute, and after alert events.
  bool wants_status(WallTime now) const;
  void alerted() { shown_minute_ = 0; }
  void show(const std::vector<slo::SloStatus>& slos, WallTime now);
  // How far each was told: belongs into the next commit.
  std::vector<store::Document> progress() const;
  // Whether one of them shows the fleet (`fleet: true`), and what it shows.
  bool has_fleet() const;
  std::string fleet_json() const;
  std::vector<BrokerStatus> status() const;

  // Queries over those with `queries:`; once. `serve` must not block.
  void serve_queries(const broker::ServeQuery& serve);
  // The nodes that may be asked over them, in the order of nines.yaml; one may be there twice.
  std::vector<query::NodeLink> askable() const;
  // Before threads that use askable() or streams are joined.
  void stop_queries();

 private:
  struct Nats;
  struct Mqtt;
  boost::asio::io_context& io_;
  const Clock& clock_;
  std::string node_;
  int64_t shown_minute_ = 0;
  std::vector<std::unique_ptr<Nats>> nats_;
  std::vector<std::unique_ptr<Mqtt>> mqtt_;
};

}  // namespace nines::agent
