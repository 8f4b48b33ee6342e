// StandingQueries: runs the queries of nines.yaml, each at its time, on a thread of low priority of
// its own and within the CPU budget and the pressure limits of reading (law 3). What a run found
// and how far it looked are committed together, then webhooks tell it: every record is looked at
// once and every row is told once, through restarts too.
#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "app/snapshot.hpp"
#include "config/config.hpp"
#include "nines/base/result.hpp"
#include "nines/base/time.hpp"
#include "nines/collector/governor.hpp"
#include "nines/store/state_store.hpp"
#include "query/standing_query.hpp"

namespace nines::agent::query {

class StandingQueries {
 public:
  using Record = store::StateStore::Record;
  // Writes it, all or nothing, then calls `done` once, on any thread. Called on the own thread.
  using Commit =
      std::function<void(std::shared_ptr<Record>, std::function<void(const Status&)> done)>;

  // `config` and `clock` outlive it. `kept`: documents of kBookmarkKind. `again_ns`: when what
  // could not be written is tried again.
  StandingQueries(const NodeConfig& config, const Clock& clock,
                  const std::vector<store::Document>& kept, Commit commit,
                  int64_t again_ns = 5 * kNsPerSecond);
  ~StandingQueries();  // a run that is under way never happened

  void start();
  std::vector<QueryStatus> statuses() const;  // any thread

 private:
  struct Entry {
    std::unique_ptr<StandingQuery> query;
    Instant due{};
  };

  void loop();
  bool wait_until(Instant until);  // false: it is to end
  void run_due(Instant now);
  void note(size_t index, const StandingRun& run);
  void add_event(const StandingQueryConfig& config, StandingRun&& run);
  void commit();
  void pace(size_t bytes);
  bool stopping() const noexcept { return stop_.load(std::memory_order_relaxed); }

  const NodeConfig& config_;
  const Clock& clock_;
  const Commit commit_;
  const int64_t again_ns_;
  collector::Governor governor_;
  std::vector<Entry> entries_;
  Record pending_;  // decided, not yet written: nothing runs before it is
  std::atomic<bool> stop_{false};
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<QueryStatus> statuses_;  // under the lock
  std::optional<Status> committed_;    // likewise: the answer of the commit that is under way
  std::thread thread_;
};

}  // namespace nines::agent::query
