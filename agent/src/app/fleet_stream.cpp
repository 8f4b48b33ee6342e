#include "app/fleet_stream.hpp"

#include <algorithm>
#include <limits>

#include "net/asio.hpp"
#include "upstream/broker_settings.hpp"
#include "view/fleet_json.hpp"

namespace nines::agent {
namespace {

constexpr int64_t kPatienceMs = 60'000;
constexpr int64_t kLookMs = 20;

fleet::FleetLimits limits_of(const UpstreamConfig& config) {
  fleet::FleetLimits limits;
  limits.max_origins = static_cast<size_t>(config.fleet_nodes) + 1;  // and the reader itself
  limits.max_bytes = static_cast<size_t>(std::min<uint64_t>(
      static_cast<uint64_t>(config.fleet_bytes), std::numeric_limits<size_t>::max() / 2));
  return limits;
}

broker::ReaderOptions reader_options(const UpstreamConfig& config, bool nodes_only) {
  broker::ReaderOptions options;
  options.cluster = config.cluster;
  options.domain = config.domain;
  options.nodes_only = nodes_only;
  return options;
}

}  // namespace

broker::NatsOptions nats_options(const UpstreamConfig& config, const std::string& who,
                                 uint64_t seed) {
  broker::NatsOptions options;
  options.name = "nines " + who;
  options.tls = config.url.starts_with("tls://");
  options.seed = seed;
  return options;
}

// Its name is none that a node can have: what the stream holds of this node is news to it, too.
StreamView::StreamView(const UpstreamConfig& config, bool nodes_only)
    : state(std::string(1, '\0'), 1, limits_of(config)),
      reader(reader_options(config, nodes_only), state) {}

std::string StreamView::json(const std::string& self, WallTime now) const {
  return view::fleet_json(state, reader, self, now);
}

Result<std::string> read_fleet_stream(const UpstreamConfig& config, const Clock& clock,
                                      uint64_t seed) {
  NINES_TRY(auto settings, link_settings(config, seed));
  net::asio::io_context io(1);
  StreamView view(config);
  broker::NatsClient client(nats_options(config, "fleet", seed));
  client.join(view.reader, {clock.mono(), clock.wall()});
  std::string trouble = "no answer";
  broker::BrokerLink link(io, clock, std::move(settings), client,
                          [&](bool good, const std::string& text) {
                            if (!good) trouble = text;
                          });
  const int64_t until = clock.mono().ns + kPatienceMs * kNsPerMs;
  while (!view.reader.caught_up()) {
    io.run_for(std::chrono::milliseconds(kLookMs));
    const bool unreadable = client.ready() && !view.reader.stats().trouble.empty() &&
                            view.reader.stats().trouble != "not connected";
    if (unreadable) trouble = view.reader.stats().trouble;
    if (unreadable || link.stats().failures > 0 || clock.mono().ns > until) {
      return Error{Errc::unavailable, config.url + ": " + trouble};
    }
  }
  return view.json("", clock.wall());
}

}  // namespace nines::agent
