#include "k8s/api_follower.hpp"

#include <algorithm>

#include "app/log.hpp"
#include "http/client.hpp"
#include "http/credentials.hpp"
#include "net/asio.hpp"
#include "nines/base/result.hpp"

namespace nines::agent::k8s {

struct ApiFollower::Impl : std::enable_shared_from_this<Impl> {
  Impl(net::asio::io_context& io_context, const Clock& c, FollowOptions o, ListWatch& s)
      : io(io_context), clock(c), options(std::move(o)), sync(s), timer(io) {}

  void ask() {
    if (stopped) return;
    http::StreamRequest request;
    request.request.url = options.access.url + sync.begin();
    request.request.ca_file = options.access.ca_file;
    request.request.timeout_ms = options.connect_ms;
    request.request.max_response_bytes = 4096;  // of an answer that is an error
    request.request.headers.emplace_back("Accept", "application/json");
    request.idle_ms = options.idle_ms;
    ended = {};
    asked = clock.mono();
    const auto bearer = http::authorization({options.access.token_file, {}, {}});
    if (!bearer.ok()) return on_done(bearer.error());
    if (!bearer->empty()) request.request.headers.emplace_back("Authorization", *bearer);
    const std::weak_ptr<Impl> weak = weak_from_this();
    request.on_head = [weak](int status) {
      if (const auto self = weak.lock()) self->on_head(status);
    };
    exchange = http::async_stream(
        io, std::move(request),
        [weak](std::string_view bytes) {
          const auto self = weak.lock();
          return self && !self->stopped && self->on_data(bytes);
        },
        [weak](Result<http::ClientResponse> response) {
          const auto self = weak.lock();
          if (self && !self->stopped) self->on_done(std::move(response));
        });
  }

  void on_head(int status) {
    ended.status = status;
    connected = !stopped && sync.watching() && status / 100 == 2;
  }

  bool on_data(std::string_view bytes) {
    const bool go_on = sync.on_data(bytes);
    note_heard();
    if (sync.watching() && options.changed) options.changed();
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
    if (options.changed) options.changed();
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
      log::info("k8s", options.what + " of the Kubernetes API are followed");
    else
      log::warn("k8s",
                said + "; " + options.what + " are known as they were, and it is tried again");
  }

  void stop() {
    stopped = true;
    timer.cancel();
    exchange.cancel();
  }

  net::asio::io_context& io;
  const Clock& clock;
  FollowOptions options;
  ListWatch& sync;
  net::asio::steady_timer timer;
  http::StreamHandle exchange;
  Ended ended;
  Instant asked{};
  WallTime heard{};
  uint64_t heard_count = 0;
  std::string said;
  bool connected = false, stopped = false;
};

ApiFollower::ApiFollower(boost::asio::io_context& io, const Clock& clock, FollowOptions options,
                         ListWatch& sync)
    : impl_(std::make_shared<Impl>(io, clock, std::move(options), sync)) {}

// What it drives may be gone right after: no call comes to it any more.
ApiFollower::~ApiFollower() { impl_->stop(); }

void ApiFollower::restore(WallTime heard) { impl_->heard = heard; }

void ApiFollower::start() {
  net::asio::post(impl_->io, [weak = std::weak_ptr<Impl>(impl_)] {
    if (const auto self = weak.lock()) self->ask();
  });
}

bool ApiFollower::connected() const noexcept { return impl_->connected; }
WallTime ApiFollower::heard() const noexcept { return impl_->heard; }

}  // namespace nines::agent::k8s
