#include "k8s/follow.hpp"

#include <cstdlib>

#include "app/log.hpp"

namespace nines::agent::k8s {

Following follow_pods(boost::asio::io_context& io, const Clock& clock, const Settings& settings,
                      const std::string& host, store::StateStore& store, uint64_t seed) {
  const Environment environment = [](const char* name) {
    const char* value = std::getenv(name);  // NOLINT(concurrency-mt-unsafe)
    return std::string(value == nullptr ? "" : value);
  };
  auto access = find_access(settings, environment);
  if (!access) return {};
  Following out;
  out.feed = std::make_shared<collector::PodFeed>();
  WatcherOptions options;
  options.access = std::move(*access);
  options.sync.node = find_node(settings, environment, host);
  log::info("k8s", "following the pods of node " + options.sync.node + " at " + options.access.url);
  CachedPods cached = read_cache(store, options.sync.node);
  out.watcher = std::make_unique<PodWatcher>(io, clock, std::move(options), out.feed,
                                             std::move(cached), seed);
  return out;
}

}  // namespace nines::agent::k8s
