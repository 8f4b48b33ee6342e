#include "k8s/pod_watcher.hpp"

#include <fstream>

#include "net/asio.hpp"

namespace nines::agent::k8s {
namespace {

constexpr int64_t kTellHeardEveryNs = 3600 * kNsPerSecond;

std::string authority(const std::string& host, const std::string& port) {
  const bool v6 = host.find(':') != std::string::npos;
  return (v6 ? "[" + host + "]" : host) + ":" + port;
}

}  // namespace

std::optional<Access> find_access(const Settings& settings, const Environment& environment,
                                  const std::string& account_dir) {
  if (settings.api == "off") return std::nullopt;
  if (settings.api != "auto") return Access{settings.api, settings.token_file, settings.ca_file};
  const std::string host = environment("KUBERNETES_SERVICE_HOST");
  std::string port = environment("KUBERNETES_SERVICE_PORT_HTTPS");
  if (port.empty()) port = environment("KUBERNETES_SERVICE_PORT");
  if (port.empty()) port = "443";
  Access access;
  access.token_file = settings.token_file.empty() ? account_dir + "/token" : settings.token_file;
  access.ca_file = settings.ca_file.empty() ? account_dir + "/ca.crt" : settings.ca_file;
  if (host.empty() || !std::ifstream(access.token_file).good()) return std::nullopt;
  access.url = "https://" + authority(host, port);
  return access;
}

std::string find_node(const Settings& settings, const Environment& environment,
                      const std::string& host) {
  if (!settings.node.empty()) return settings.node;
  const std::string given = environment("NODE_NAME");
  return given.empty() ? host : given;
}

struct PodWatcher::Impl {
  Impl(boost::asio::io_context& io, const Clock& c, WatcherOptions o,
       std::shared_ptr<collector::PodFeed> f, uint64_t seed)
      : clock(c),
        options(std::move(o)),
        feed(std::move(f)),
        table(options.limits),
        sync(options.sync, table, seed, options.listener),
        follower(io, clock, follow(), sync) {}

  FollowOptions follow() {
    FollowOptions out;
    out.access = options.access;
    out.connect_ms = options.connect_ms;
    out.idle_ms = options.sync.watch_s * 1000 + options.idle_slack_ms;
    out.what = "pods";
    out.changed = [this] { publish(); };
    return out;
  }

  void restore(const CachedPods& cached) {
    for (const RawPod& pod : cached.pods) table.restore(pod);
    (void)table.take_changes();  // they come from where changes go
    follower.restore(cached.heard);
    told = cached.heard;
    obsolete = cached.obsolete;
    if (!cached.pods.empty()) publish();
  }

  void publish() {
    if (table.version() == published) return;
    published = table.version();
    feed->publish(table.snapshot());
  }

  const Clock& clock;
  WatcherOptions options;
  std::shared_ptr<collector::PodFeed> feed;
  PodTable table;
  PodSync sync;
  ApiFollower follower;
  WallTime told{};  // to the store: when it was heard
  uint64_t published = 0;
  std::vector<store::Document> obsolete;
};

PodWatcher::PodWatcher(boost::asio::io_context& io, const Clock& clock, WatcherOptions options,
                       std::shared_ptr<collector::PodFeed> feed, const CachedPods& cached,
                       uint64_t seed)
    : impl_(std::make_unique<Impl>(io, clock, std::move(options), std::move(feed), seed)) {
  impl_->restore(cached);
  impl_->follower.start();
}

PodWatcher::~PodWatcher() = default;

WatcherStats PodWatcher::stats() const {
  WatcherStats out;
  out.sync = impl_->sync.stats();
  out.pods = impl_->table.present();
  out.gone = impl_->table.gone();
  out.refused = impl_->table.refused();
  out.connected = impl_->follower.connected();
  out.heard = impl_->follower.heard();
  out.trouble = impl_->sync.trouble();
  return out;
}

std::vector<store::Document> PodWatcher::take_changes() {
  Impl& me = *impl_;
  std::vector<store::Document> out = std::exchange(me.obsolete, {});
  for (const auto& [uid, pod] : me.table.take_changes()) out.push_back(pod_document(uid, pod));
  const WallTime heard = me.follower.heard();
  const bool stale = heard.ns - me.told.ns >= kTellHeardEveryNs;
  if ((out.empty() && !stale) || heard.ns == 0) return out;
  out.push_back(sync_document(me.options.sync.node, heard));
  me.told = heard;
  return out;
}

void PodWatcher::give_back(const std::vector<store::Document>& documents) {
  for (const store::Document& document : documents) {
    if (document.kind == kPodKind) impl_->table.mark_changed(document.key);
  }
  impl_->told = {};
}

}  // namespace nines::agent::k8s
