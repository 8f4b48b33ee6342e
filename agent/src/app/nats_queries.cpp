#include "app/nats_queries.hpp"

#include <algorithm>
#include <atomic>
#include <utility>

#include "net/asio.hpp"

namespace nines::agent {

// Rung on any thread, answered on the control thread, once however often it was rung meanwhile.
struct NatsQueries::Bell {
  explicit Bell(boost::asio::io_context& context) : io(context) {}
  boost::asio::io_context& io;
  std::atomic<bool> rung{false};
  std::function<void()> answer;  // on the control thread; empty: who would have is gone

  static void ring(const std::shared_ptr<Bell>& bell) {
    if (bell->rung.exchange(true)) return;
    net::asio::post(bell->io, [bell] {
      bell->rung = false;
      if (bell->answer) bell->answer();
    });
  }
};

namespace {

// Of a node that NATS still has and that does not answer; as long as a peer is dialled.
constexpr int64_t kOpenNs = 4 * kNsPerSecond;

broker::QueryPortOptions port_options(const UpstreamConfig& config, const std::string& node) {
  broker::QueryPortOptions options;
  options.cluster = config.cluster;
  if (config.answers) options.node = node;
  return options;
}

}  // namespace

NatsQueries::NatsQueries(Parts parts, broker::ServeQuery serve)
    : parts_(std::move(parts)),
      bell_(std::make_shared<Bell>(parts_.io)),
      port_(port_options(parts_.config, parts_.node), parts_.clock, std::move(serve),
            [bell = bell_] { Bell::ring(bell); }) {
  bell_->answer = [this] {
    parts_.client.wake(port_, now());
    parts_.flush();
  };
  parts_.client.join(port_, now());
  if (!parts_.config.asks || parts_.fleet != nullptr) return;
  nodes_ = std::make_unique<StreamView>(parts_.config, true);
  parts_.client.join(nodes_->reader, now());
}

NatsQueries::~NatsQueries() { bell_->answer = nullptr; }

broker::Now NatsQueries::now() const { return {parts_.clock.mono(), parts_.clock.wall()}; }

void NatsQueries::stop() {
  port_.stop();
  parts_.client.wake(port_, now());  // sent with the last words of the connection
}

Result<std::unique_ptr<stream::ByteStream>> NatsQueries::open(const std::string& node,
                                                              Instant deadline) {
  return port_.open(node, std::min(deadline, Instant{parts_.clock.mono().ns + kOpenNs}));
}

std::vector<std::string> NatsQueries::askable() const {
  if (!parts_.config.asks) return {};
  const fleet::FleetState& state = nodes_ ? nodes_->state : *parts_.fleet;
  std::vector<std::string> nodes;
  for (std::string& node : state.origins()) {
    if (node != state.self() && node != parts_.node) nodes.push_back(std::move(node));
  }
  return nodes;
}

}  // namespace nines::agent
