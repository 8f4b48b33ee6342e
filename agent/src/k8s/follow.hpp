// Starts to follow the pods of this node, where there is an API to ask: what the composition root
// needs to know of this folder.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "k8s/pod_watcher.hpp"

namespace nines::agent::k8s {

// A resource that is followed beside the pods.
class Followed {
 public:
  // `io`, `clock`, `resource` must outlive it.
  Followed(boost::asio::io_context& io, const Clock& clock, const Access& access,
           const SyncOptions& options, Resource& resource, uint64_t seed);
  const SyncStats& stats() const noexcept { return sync_.stats(); }
  const std::string& trouble() const noexcept { return sync_.trouble(); }
  bool connected() const noexcept { return follower_.connected(); }

 private:
  ListWatch sync_;
  ApiFollower follower_;
};

struct Following {
  std::string node;                          // as Kubernetes calls this one
  std::optional<Access> access;              // nullopt: not in a cluster, or off
  std::shared_ptr<collector::PodFeed> feed;  // null: not in a cluster, or off
  std::unique_ptr<PodWatcher> watcher;
};
// What Kubernetes calls this node, by settings and environment of the process.
std::string node_name(const Settings& settings, const std::string& host);
// Reads the environment of the process. `store` is read here and not kept (null: nothing is known
// from before). `listener` may be null.
Following follow_pods(boost::asio::io_context& io, const Clock& clock, const Settings& settings,
                      const std::string& host, store::StateStore* store, uint64_t seed,
                      PodListener* listener = nullptr);

}  // namespace nines::agent::k8s
