#include "k8s/pod_watcher.hpp"

#include <fstream>

#include "app/log.hpp"
#include "http/client.hpp"
#include "net/asio.hpp"

namespace nines::agent::k8s {
namespace {

constexpr int64_t kTellHeardEveryNs = 3600 * kNsPerSecond;

Result<std::string> read_token(const std::string& path) {
  constexpr size_t kMaxToken = 64 * 1024;
  std::ifstream in(path, std::ios::binary);
  std::string token(kMaxToken, '\0');
  in.read(token.data(), static_cast<std::streamsize>(kMaxToken));
  token.resize(static_cast<size_t>(std::max<std::streamsize>(in.gcount(), 0)));
  while (!token.empty() && (token.back() == '\n' || token.back() == '\r' || token.back() == ' '))
    token.pop_back();
  const bool sound = !token.empty() && token.find_first_of("\r\n") == std::string::npos;
  if (sound) return token;
  return Error{Errc::io, "no token for the Kubernetes API in " + path};
}

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

struct PodWatcher::Impl : std::enable_shared_from_this<Impl> {
  Impl(net::asio::io_context& io_context, const Clock& c, WatcherOptions o,
       std::shared_ptr<collector::PodFeed> f, uint64_t seed)
      : io(io_context),
        clock(c),
        options(std::move(o)),
        feed(std::move(f)),
        table(options.limits),
        sync(options.sync, table, seed),
        timer(io) {}

  void restore(const CachedPods& cached) {
    for (const RawPod& pod : cached.pods) table.restore(pod);
    (void)table.take_changes();  // they come from where changes go
    heard = told = cached.heard;
    obsolete = cached.obsolete;
    if (!cached.pods.empty()) publish();
  }

  void publish() {
    if (table.version() == published) return;
    published = table.version();
    feed->publish(table.snapshot());
  }

  void ask() {
    if (stopped) return;
    http::StreamRequest request;
    request.request.url = options.access.url + sync.begin();
    request.request.ca_file = options.access.ca_file;
    request.request.timeout_ms = options.connect_ms;
    request.request.max_response_bytes = 4096;  // of an answer that is an error
    request.request.headers.emplace_back("Accept", "application/json");
    request.idle_ms = options.sync.watch_s * 1000 + options.idle_slack_ms;
    ended = {};
    asked = clock.mono();
    if (!options.access.token_file.empty()) {
      auto token = read_token(options.access.token_file);
      if (!token.ok()) return on_done(token.error());
      request.request.headers.emplace_back("Authorization", "Bearer " + *token);
    }
    const std::weak_ptr<Impl> weak = weak_from_this();
    request.on_head = [weak](int status) {
      if (const auto self = weak.lock()) self->on_head(status);
    };
    exchange = http::async_stream(
        io, std::move(request),
        [weak](std::string_view bytes) {
          const auto self = weak.lock();
          return self && self->on_data(bytes);
        },
        [weak](Result<http::ClientResponse> response) {
          if (const auto self = weak.lock()) self->on_done(std::move(response));
        });
  }

  void on_head(int status) {
    ended.status = status;
    connected = sync.watching() && status / 100 == 2;
  }

  bool on_data(std::string_view bytes) {
    const bool go_on = sync.on_data(bytes);
    note_heard();
    if (sync.watching()) publish();
    return go_on;
  }

  void on_done(Result<http::ClientResponse> response) {
    connected = false;
    ended.whole = response.ok();
    if (response.ok()) {
      ended.status = response->status;
      ended.retry_after_ms = http::retry_after_ms(*response);
      ended.error = response->body;
    } else {
      ended.error = response.error().message;
    }
    ended.lived_ms = (clock.mono().ns - asked.ns) / kNsPerMs;
    const int64_t wait_ms = sync.on_end(ended);
    note_heard();
    publish();
    tell_trouble();
    timer.expires_after(std::chrono::milliseconds(wait_ms));
    timer.async_wait([weak = weak_from_this()](net::ErrorCode cancelled) {
      const auto self = weak.lock();
      if (!cancelled && self) self->ask();
    });
  }

  void note_heard() {
    if (sync.heard() == heard_count) return;
    heard_count = sync.heard();
    heard = clock.wall();
  }

  void tell_trouble() {
    if (sync.trouble() == said) return;
    said = sync.trouble();
    if (said.empty())
      log::info("k8s", "the Kubernetes API is followed");
    else
      log::warn("k8s", said + "; pods are known as they were, and it is tried again");
  }

  void stop() {
    stopped = true;
    timer.cancel();
    exchange.cancel();
  }

  net::asio::io_context& io;
  const Clock& clock;
  WatcherOptions options;
  std::shared_ptr<collector::PodFeed> feed;
  PodTable table;
  PodSync sync;
  net::asio::steady_timer timer;
  http::StreamHandle exchange;
  Ended ended;
  Instant asked{};
  WallTime heard{}, told{};  // told: to the store
  uint64_t heard_count = 0, published = 0;
  std::vector<store::Document> obsolete;
  std::string said;
  bool connected = false, stopped = false;
};

PodWatcher::PodWatcher(boost::asio::io_context& io, const Clock& clock, WatcherOptions options,
                       std::shared_ptr<collector::PodFeed> feed, CachedPods cached, uint64_t seed)
    : impl_(std::make_shared<Impl>(io, clock, std::move(options), std::move(feed), seed)) {
  impl_->restore(cached);
  net::asio::post(io, [weak = std::weak_ptr<Impl>(impl_)] {
    if (const auto self = weak.lock()) self->ask();
  });
}

PodWatcher::~PodWatcher() { impl_->stop(); }

WatcherStats PodWatcher::stats() const {
  WatcherStats out;
  out.sync = impl_->sync.stats();
  out.pods = impl_->table.present();
  out.gone = impl_->table.gone();
  out.refused = impl_->table.refused();
  out.connected = impl_->connected;
  out.heard = impl_->heard;
  out.trouble = impl_->sync.trouble();
  return out;
}

std::vector<store::Document> PodWatcher::take_changes() {
  Impl& me = *impl_;
  std::vector<store::Document> out = std::exchange(me.obsolete, {});
  for (const auto& [uid, pod] : me.table.take_changes()) out.push_back(pod_document(uid, pod));
  const bool stale = me.heard.ns - me.told.ns >= kTellHeardEveryNs;
  if ((out.empty() && !stale) || me.heard.ns == 0) return out;
  out.push_back(sync_document(me.options.sync.node, me.heard));
  me.told = me.heard;
  return out;
}

void PodWatcher::give_back(const std::vector<store::Document>& documents) {
  for (const store::Document& document : documents) {
    if (document.kind == kPodKind) impl_->table.mark_changed(document.key);
  }
  impl_->told = {};
}

}  // namespace nines::agent::k8s
