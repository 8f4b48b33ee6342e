#include "app/fleet_link.hpp"

#include "app/log.hpp"
#include "view/fleet_json.hpp"
#include "view/fleet_metrics.hpp"

namespace nines::agent {
namespace {

peer::PeerSettings peer_settings(const FleetLinkOptions& options) {
  peer::PeerSettings settings = options.peer;
  settings.cluster = options.cluster;
  settings.seed = options.seed;
  settings.incarnation = (options.seed ^ options.boot << 32) | 1;
  return settings;
}

log::Level level_of(peer::Decision::Kind kind) {
  using Kind = peer::Decision::Kind;
  if (kind == Kind::cloned) return log::Level::error;
  return kind == Kind::node_back || kind == Kind::rejoined ? log::Level::info : log::Level::warn;
}

}  // namespace

FleetLink::FleetLink(const Clock& clock, FleetLinkOptions&& options, const slo::SloEngine& engine)
    : clock_(clock),
      options_(std::move(options)),
      state_(options_.node, options_.boot, {}, peer_settings(options_).incarnation),
      feed_(engine, state_),
      node_(peer_settings(options_), state_, {clock.mono(), clock.wall()}) {}

Result<std::unique_ptr<FleetLink>> FleetLink::start(boost::asio::io_context& io, const Clock& clock,
                                                    FleetLinkOptions options,
                                                    const slo::SloEngine& engine,
                                                    const FleetPast& past, WallTime watermark,
                                                    OnDecision decided) {
  std::unique_ptr<FleetLink> link(new FleetLink(clock, std::move(options), engine));
  link->decided_ = std::move(decided);
  for (const auto& document : past.documents) {
    if (auto event = fleet::decode_event(document.body)) link->state_.publish(std::move(*event));
  }
  for (const auto& event : past.alerts) {
    link->state_.publish(fleet::fleet_event(event, false));
  }
  link->begin(watermark);
  FleetLink* const self = link.get();
  NINES_TRY(link->driver_, peer::PeerDriver::start(
                               io, clock, link->options_.driver, link->node_,
                               [self](const peer::Decision& d) { self->decided(d); },
                               [](const std::string& text) { log::info("peers", text); }));
  if (link->options_.mdns) NINES_CHECK(link->look_around(io));
  return link;
}

// What is found on the link is tried beside what is configured.
Status FleetLink::look_around(boost::asio::io_context& io) {
  const peer::MdnsSettings settings{options_.node, options_.cluster, driver_->port(),
                                    options_.seed};
  NINES_TRY(mdns_, peer::MdnsDriver::start(io, clock_, settings,
                                           [this](const std::vector<std::string>& found) {
                                             std::vector<std::string> all = options_.driver.peers;
                                             all.insert(all.end(), found.begin(), found.end());
                                             driver_->set_peers(std::move(all));
                                           }));
  return Ok{};
}

void FleetLink::begin(WallTime watermark) {
  const Status done = feed_.begin(watermark, clock_.wall());
  if (!done.ok()) log::warn("peers", done.error().message);
  told_minute_ = watermark.seconds() / 60;
}

void FleetLink::evaluated(WallTime watermark) {
  const int64_t minute = watermark.seconds() / 60;
  if (minute == told_minute_) return;
  told_minute_ = minute;
  if (feed_.advance(watermark) > 0) driver_->tell();
}

void FleetLink::counted_anew(WallTime watermark) {
  begin(watermark);
  driver_->tell();
}

void FleetLink::told(const std::vector<slo::AlertEvent>& events) {
  if (events.empty()) return;
  for (const auto& event : events) state_.publish(fleet::fleet_event(event, isolated()));
  driver_->tell();
}

void FleetLink::decided(const peer::Decision& decision) {
  using Kind = peer::Decision::Kind;
  log::write(level_of(decision.kind), "peers", decision.text);
  if (decision.kind == Kind::node_back) {
    documents_.push_back({kDocuments, decision.key, {}});
  } else if (decision.kind == Kind::node_silent) {
    for (const auto& event : state_.events(state_.self(), fleet::FleetEvent::Stream::membership)) {
      if (event.kind != fleet::FleetEvent::Kind::node_silent || event.rule != decision.key)
        continue;
      documents_.push_back({kDocuments, decision.key, fleet::encode_event(event)});
    }
  }
  if (decided_) decided_(decision);
}

std::vector<store::Document> FleetLink::take_documents() { return std::exchange(documents_, {}); }

std::vector<std::string> FleetLink::askable() const {
  std::vector<std::string> nodes;
  for (const auto& view : node_.peers({clock_.mono(), clock_.wall()})) {
    if (view.role != peer::Role::observer) nodes.push_back(view.node);
  }
  return nodes;
}

std::string FleetLink::json() const {
  return view::fleet_json(state_, node_, {clock_.mono(), clock_.wall()});
}

std::string FleetLink::metrics() const {
  return view::fleet_metrics(state_, node_, driver_->counters(), {clock_.mono(), clock_.wall()});
}

}  // namespace nines::agent
