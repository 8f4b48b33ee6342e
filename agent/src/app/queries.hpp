// Queries: what is asked of this node's logs: over its API, by other nodes, and by the standing
// queries of nines.yaml. On the control thread; the queries run on threads of their own.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "app/brokers.hpp"
#include "app/fleet_link.hpp"
#include "app/worker.hpp"
#include "config/config.hpp"
#include "nines/collector/block_index.hpp"
#include "query/service.hpp"
#include "query/standing_queries.hpp"

namespace nines::agent {

class Queries {
 public:
  // All outlive it, but what is null is not there.
  struct Parts {
    boost::asio::io_context& io;
    const Clock& clock;
    const NodeConfig& config;
    std::string state_dir;
    store::StateStore& store;  // touched by jobs of `store_work`, once running
    Worker& store_work;
    FleetLink* fleet;
    Brokers* brokers;
    std::function<void()> rows_kept;   // rows of standing queries wait to be told
    std::function<void()> store_full;  // on any thread
  };

  static Result<std::unique_ptr<Queries>> create(Parts parts);
  ~Queries();  // what runs is cancelled, what waits for other nodes is not waited for

  // `done` comes on the control thread.
  void ask(query::Wish wish, query::QueryService::Done done);

  void start_standing() { standing_->start(); }
  std::vector<QueryStatus> standing() const { return standing_->statuses(); }

 private:
  explicit Queries(Parts&& parts);
  Status open_standing();
  std::vector<query::NodeLink> other_nodes() const;

  const Parts parts_;
  collector::BlockIndex index_;
  std::unique_ptr<query::QueryService> service_;
  std::unique_ptr<query::StandingQueries> standing_;
};

}  // namespace nines::agent
