#include "k8s/follow.hpp"

#include <cstdlib>

#include "app/log.hpp"

namespace nines::agent::k8s {

namespace {

std::string environment(const char* name) {
  const char* value = std::getenv(name);  // NOLINT(concurrency-mt-unsafe)
  return value == nullptr ? "" : value;
}

FollowOptions follow_options(const Access& access, const SyncOptions& options,
                             const std::string& what) {
  FollowOptions out;
  out.access = access;
  out.idle_ms = (options.watch_s + 30) * 1000;
  out.what = what;
  return out;
}

}  // namespace

std::string node_name(const Settings& settings, const std::string& host) {
  return find_node(settings, environment, host);
}

Followed::Followed(boost::asio::io_context& io, const Clock& clock, const Access& access,
                   const SyncOptions& options, Resource& resource, uint64_t seed)
    : sync_(options, resource, seed),
      follower_(io, clock, follow_options(access, options, resource.name()), sync_) {
  follower_.start();
}

Following follow_pods(boost::asio::io_context& io, const Clock& clock, const Settings& settings,
                      const std::string& host, store::StateStore* store, uint64_t seed,
                      PodListener* listener) {
  auto access = find_access(settings, environment);
  if (!access) return {};
  Following out;
  out.feed = std::make_shared<collector::PodFeed>();
  WatcherOptions options;
  options.access = *access;
  options.sync.node = node_name(settings, host);
  options.listener = listener;
  out.node = options.sync.node;
  out.access = std::move(access);
  log::info("k8s", "following the pods of node " + options.sync.node + " at " + options.access.url);
  CachedPods cached;
  if (store != nullptr) cached = read_cache(*store, options.sync.node);
  out.watcher = std::make_unique<PodWatcher>(io, clock, std::move(options), out.feed,
                                             std::move(cached), seed);
  return out;
}

}  // namespace nines::agent::k8s
