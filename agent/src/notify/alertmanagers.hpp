// The driver of upstream::Alertmanager: one cluster, every replica on its own.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "config/config.hpp"
#include "nines/upstream/alertmanager.hpp"
#include "notify/teller.hpp"

namespace boost::asio {
class io_context;
}

namespace nines::agent::notify {

struct ReplicaShown {
  std::string name, url;  // name: of the cluster
  uint64_t cursor = 0;
  std::string last_error;
  upstream::AlertmanagerStats stats;
};

class AlertmanagerTeller {
 public:
  struct Setup {
    UpstreamConfig config;
    Identity identity;
    // events_after: of everything the store still has.
    std::function<void(uint64_t after, size_t max, EventSource::Reply reply)> events_after;
    std::function<void(size_t replica, uint64_t cursor)> advance;
    std::function<void(DeadLetter)> bury;
    std::vector<uint64_t> cursors;  // of each replica
    uint64_t seed = 0;
  };
  AlertmanagerTeller(boost::asio::io_context& io, const Clock& clock, Setup setup);
  ~AlertmanagerTeller();
  void notify();
  std::vector<ReplicaShown> shown() const;

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace nines::agent::notify
