// Starts to follow the pods of this node, where there is an API to ask: what the composition root
// needs to know of this folder.
#pragma once

#include <memory>
#include <string>

#include "k8s/pod_watcher.hpp"

namespace nines::agent::k8s {

struct Following {
  std::shared_ptr<collector::PodFeed> feed;  // null: not in a cluster, or off
  std::unique_ptr<PodWatcher> watcher;
};
// Reads the environment of the process. `store` is read here and not kept.
Following follow_pods(boost::asio::io_context& io, const Clock& clock, const Settings& settings,
                      const std::string& host, store::StateStore& store, uint64_t seed);

}  // namespace nines::agent::k8s
