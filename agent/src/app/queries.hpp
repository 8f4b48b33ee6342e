// Queries: what is asked of this node's logs: over its API, by other nodes, and by the standing
// queries of nines.yaml. On the control thread; the queries run on threads of their own.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "app/brokers.hpp"
#include "app/fleet_link.hpp"
#include "app/worker.hpp"
#include "config/config.hpp"
#include "nines/collector/block_index.hpp"
#include "query/node_gather.hpp"
#include "query/service.hpp"
#include "query/shelf.hpp"
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
  // For Wish::live; `wake` comes on the control thread.
  std::shared_ptr<query::LiveAnswer> live(std::function<void()> wake) const;
  const query::QueryService& service() const noexcept { return *service_; }
  // What people keep.
  query::QueryShelf& shelf() noexcept { return shelf_; }

  // Asks all other nodes one short thing (query/node_gather.hpp) and waits `patience_ns` at most;
  // of each at most so many bytes that all together are `max_bytes`, which `question` is made for.
  // `done` comes on the control thread. False: there are none, or the last question is still asked.
  using Question = std::function<std::string(size_t bytes_each)>;
  bool gather(const Question& question, size_t max_bytes, int64_t patience_ns,
              std::function<void(std::vector<query::NodeAnswer>)> done);
  void answer_evidence(std::function<Result<std::string>(std::string_view question)> answer) {
    service_->answer_evidence(std::move(answer));
  }

  void start_standing() { standing_->start(); }
  std::vector<QueryStatus> standing() const { return standing_->statuses(); }

 private:
  explicit Queries(Parts&& parts);
  Status open_standing();
  std::vector<query::NodeLink> other_nodes() const;

  const Parts parts_;
  collector::BlockIndex index_;
  std::unique_ptr<query::QueryService> service_;
  query::QueryShelf shelf_;
  std::unique_ptr<query::StandingQueries> standing_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
  bool gathering_ = false;
  std::optional<Worker> gathers_;  // begun when there is something to ask
};

}  // namespace nines::agent
