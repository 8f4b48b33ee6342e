// PeerQueries: answers queries of other nodes, one after the other on a thread of its own and of
// low priority, so that they disturb neither counting (law 3) nor the queries of this node: two
// nodes that ask each other at the same time must not wait for each other.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>

#include "app/worker.hpp"
#include "nines/stream/byte_stream.hpp"

namespace nines::agent::query {

// Answers one query over its connection; comes back when it is done or the stream is closed.
using ServeQuery = std::function<void(std::unique_ptr<stream::ByteStream>)>;

class PeerQueries {
 public:
  explicit PeerQueries(ServeQuery serve, size_t max_waiting = 8);
  // What waits is not answered any more; what runs is waited for: close its stream before.
  ~PeerQueries();
  PeerQueries(const PeerQueries&) = delete;
  PeerQueries& operator=(const PeerQueries&) = delete;

  // Any thread. Beyond the limit the stream is closed. (Peers are refused in words before that: no
  // more connections are taken at once than max_queries of peer::DriverSettings.)
  void take(std::unique_ptr<stream::ByteStream> stream);

  struct Stats {
    uint64_t served = 0, refused = 0;
  };
  Stats stats() const { return {served_, refused_}; }

 private:
  const ServeQuery serve_;
  const size_t max_waiting_;
  std::atomic<bool> stop_{false};
  std::atomic<size_t> waiting_{0};
  std::atomic<uint64_t> served_{0}, refused_{0};
  Worker worker_;  // last: its jobs use the rest
};

}  // namespace nines::agent::query
