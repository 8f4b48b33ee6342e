// Committer: takes what the Judge has counted into the store, in one transaction with the positions
// of the files (law 1), every `flush_s` and at once when there are events to tell; folds the store
// every hour. The store's thread writes; all else is on the control thread.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "app/judge.hpp"
#include "app/worker.hpp"
#include "net/asio.hpp"

namespace nines::agent {

class Committer {
 public:
  // All outlive it; the hooks come on the control thread.
  struct Parts {
    net::asio::io_context& io;
    const Clock& clock;
    Worker& store_work;
    store::StateStore& store;  // touched by jobs of `store_work`
    Judge& judge;
    int64_t flush_s;
    std::function<std::vector<store::Document>()> progress;  // that goes with the commit
    std::function<void(const std::vector<slo::AlertEvent>&)> tell;
  };
  explicit Committer(Parts parts);

  void commit_when_due();
  // Unless one is under way, or there is nothing.
  void commit_now();
  // Where no SLO commits anything, rows of queries are still to be kept within their bounds.
  void fold_when_due();
  void fold();  // any thread
  // With nobody else using the store any more.
  Status commit_last();

  const store::StateStore::Stats& stats() const noexcept { return stats_; }
  const std::string& failing() const noexcept { return failing_; }  // why; empty: it is not

 private:
  void commit();
  void committed(store::StateStore::Commit&& commit, const Status& done);

  Parts parts_;
  store::StateStore::Stats stats_;
  std::string failing_;
  Instant last_commit_{}, last_fold_{};
  bool in_flight_ = false;
};

}  // namespace nines::agent
