// PodWatcher: keeps a PodFeed as the Kubernetes API has it, over one connection at most, on the
// thread of the io_context. Starts with what an earlier life knew. Never gives up, never hurries:
// pod_sync.hpp says when it asks again.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "k8s/api_follower.hpp"
#include "k8s/pod_cache.hpp"
#include "k8s/pod_sync.hpp"
#include "k8s/settings.hpp"
#include "nines/base/result.hpp"
#include "nines/base/time.hpp"
#include "nines/collector/pod_directory.hpp"
#include "nines/store/state_store.hpp"

namespace boost::asio {
class io_context;
}

namespace nines::agent::k8s {

using Environment = std::function<std::string(const char*)>;  // empty: not set

// How to reach the API: what the settings say, or what a pod finds in itself. nullopt: off, or
// `auto` outside a cluster.
std::optional<Access> find_access(
    const Settings& settings, const Environment& environment,
    const std::string& account_dir = "/var/run/secrets/kubernetes.io/serviceaccount");
std::string find_node(const Settings& settings, const Environment& environment,
                      const std::string& host);

struct WatcherOptions {
  Access access;
  SyncOptions sync;
  TableLimits limits;
  int64_t connect_ms = 10'000;      // until the header of an answer
  int64_t idle_slack_ms = 30'000;   // silence beyond watch_s: the connection is dead
  PodListener* listener = nullptr;  // outlives it
};

struct WatcherStats {
  SyncStats sync;
  size_t pods = 0, gone = 0;
  uint64_t refused = 0;    // beyond the limit of pods
  bool connected = false;  // a watch is open
  WallTime heard{};  // when the API last said something; 0: never, not even in an earlier life
  std::string trouble;
};

class PodWatcher {
 public:
  // `io`, `clock` must outlive it. Starts at once.
  PodWatcher(boost::asio::io_context& io, const Clock& clock, WatcherOptions options,
             std::shared_ptr<collector::PodFeed> feed, const CachedPods& cached, uint64_t seed);
  ~PodWatcher();
  PodWatcher(const PodWatcher&) = delete;
  PodWatcher& operator=(const PodWatcher&) = delete;

  WatcherStats stats() const;
  // For the store: what changed since the last call, and with it when the API was last heard; that
  // alone once an hour. Empty: nothing to write.
  std::vector<store::Document> take_changes();
  // They could not be written: they come again.
  void give_back(const std::vector<store::Document>& documents);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace nines::agent::k8s
