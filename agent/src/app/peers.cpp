#include "app/peers.hpp"

#include <algorithm>
#include <utility>

namespace nines::agent {
namespace {

constexpr size_t kPage = 256;
constexpr size_t kToldAgain = 1000;  // events of earlier lives: as many as peers keep of a node

Result<FleetPast> past_of(store::StateStore& store) {
  FleetPast past;
  for (uint64_t after = 0;;) {
    NINES_TRY(auto page, store.events_after(after, kPage));
    if (page.empty()) break;
    after = page.back().sequence;
    for (auto& event : page) {
      if (event.kind != slo::AlertEvent::Kind::rows && !event.detail("transition"))
        past.alerts.push_back(std::move(event));
    }
    if (past.alerts.size() > 2 * kToldAgain) {
      past.alerts.erase(past.alerts.begin(),
                        past.alerts.end() - static_cast<std::ptrdiff_t>(kToldAgain));
    }
  }
  NINES_TRY(past.documents, store.documents(FleetLink::kDocuments));
  return past;
}

}  // namespace

Result<std::unique_ptr<FleetLink>> start_peers(boost::asio::io_context& io, const Clock& clock,
                                               const NodeConfig& config, const Judge& judge,
                                               store::StateStore& store, uint64_t seed,
                                               FleetLink::OnDecision decided) {
  const PeersConfig& peers = config.peers;
  const auto& upstream = config.upstream;
  const bool brokers = std::any_of(upstream.begin(), upstream.end(),
                                   [](const UpstreamConfig& one) { return one.is_broker(); });
  if (!peers.used() && !brokers) return std::unique_ptr<FleetLink>();
  FleetLinkOptions options;
  options.node = config.node;
  options.cluster = peers.cluster;
  options.boot = store.restored().boot;
  options.seed = seed;
  options.driver.listen = peers.listen;
  options.driver.peers = peers.nodes;
  options.peer.deny = peers.deny;
  options.mdns = peers.mdns;
  options.driver.tls = {peers.ca_file, peers.cert_file, peers.key_file};
  NINES_TRY(const FleetPast past, past_of(store));
  const WallTime known = judge.known_until().value_or(clock.wall());
  return FleetLink::start(io, clock, std::move(options), judge.engine(), past, known,
                          std::move(decided));
}

std::optional<slo::AlertEvent> event_of(const peer::Decision& decision) {
  using Kind = peer::Decision::Kind;
  if (decision.kind != Kind::node_silent && decision.kind != Kind::node_back) return std::nullopt;
  slo::AlertEvent event;
  event.kind = decision.kind == Kind::node_silent ? slo::AlertEvent::Kind::fired
                                                  : slo::AlertEvent::Kind::resolved;
  event.slo = "node-" + decision.node;
  event.service = "fleet";
  event.rule = "node-silent";
  event.severity = "page";
  event.priority = 1;
  event.at = decision.at;
  event.since = decision.since;
  event.summary = decision.text;
  return event;
}

}  // namespace nines::agent
