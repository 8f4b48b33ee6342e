#include "app/fleet_link.hpp"

#include <algorithm>

#include "app/log.hpp"
#include "net/asio.hpp"
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

FleetLink::FleetLink(boost::asio::io_context& io, const Clock& clock, FleetLinkOptions&& options,
                     const slo::SloEngine& engine)
    : io_(io),
      clock_(clock),
      options_(std::move(options)),
      state_(options_.node, options_.boot, {}, peer_settings(options_).incarnation),
      feed_(engine, state_),
      node_(peer_settings(options_), state_, {clock.mono(), clock.wall()}) {
  state_.on_event([this](const std::string& origin, const fleet::FleetEvent& event) {
    queue(state_, origin, event);
  });
}

Result<std::unique_ptr<FleetLink>> FleetLink::start(boost::asio::io_context& io, const Clock& clock,
                                                    FleetLinkOptions options,
                                                    const slo::SloEngine& engine,
                                                    const FleetPast& past, WallTime watermark,
                                                    OnDecision decided) {
  std::unique_ptr<FleetLink> link(new FleetLink(io, clock, std::move(options), engine));
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

bool FleetLink::publish(Stream stream, uint64_t boot, uint64_t sequence, WallTime at,
                        std::string body) {
  fleet::FleetEvent event;
  event.stream = stream;
  event.boot = boot;
  event.sequence = sequence;
  event.at = at;
  event.body = std::move(body);
  if (!state_.publish(std::move(event))) return false;
  published_ = true;
  soon();
  return true;
}

bool FleetLink::recall(const std::string& origin, Stream stream, uint64_t boot, uint64_t sequence,
                       WallTime at, std::string body) {
  fleet::FleetEvent event;
  event.stream = stream;
  event.boot = boot;
  event.sequence = sequence;
  event.at = at;
  event.body = std::move(body);
  return state_.recall(origin, event);
}

void FleetLink::listen(Stream stream, OnHeard heard) {
  listeners_[stream] = std::move(heard);
  walk_all(stream);
  // What this life has published so far is no news to it.
  std::erase_if(walks_, [&](const Walk& walk) {
    return walk.stream == stream && walk.state == &state_ && walk.origin == state_.self();
  });
}

void FleetLink::hear_from(fleet::FleetState& view) {
  views_.push_back(&view);
  view.on_event([this, &view](const std::string& origin, const fleet::FleetEvent& event) {
    queue(view, origin, event);
  });
  for (const auto& [stream, heard] : listeners_) {
    if (!hears(view, stream)) continue;
    for (auto& origin : view.origins()) walks_.push_back({&view, std::move(origin), stream});
  }
  soon();
}

void FleetLink::leave(fleet::FleetState& view) {
  view.on_event(nullptr);
  std::erase(views_, &view);
  std::erase_if(walks_, [&](const Walk& walk) { return walk.state == &view; });
}

// What one of the states has told, the others tell no more.
bool FleetLink::known_elsewhere(const fleet::FleetState& from, const std::string& origin,
                                const fleet::FleetEvent& event) const {
  const auto knows = [&](const fleet::FleetState& other) {
    return &other != &from && hears(other, event.stream) && other.has_event(origin, event);
  };
  return knows(state_) ||
         std::any_of(views_.begin(), views_.end(), [&](const auto* view) { return knows(*view); });
}

void FleetLink::queue(const fleet::FleetState& from, const std::string& origin,
                      const fleet::FleetEvent& event) {
  if (!listeners_.contains(event.stream) || !hears(from, event.stream)) return;
  if (known_elsewhere(from, origin, event)) return;
  if (heard_.size() < kMaxHeard) {
    heard_.push_back({origin, event});
    return soon();
  }
  ++overrun_;
  heard_.clear();
  walks_.clear();
  for (const auto& [stream, heard] : listeners_) walk_all(stream);
}

bool FleetLink::hears(const fleet::FleetState& from, Stream stream) const {
  const bool by_peers_only =
      stream == Stream::rules || stream == Stream::acts || stream == Stream::anchors;
  return &from == &state_ || !by_peers_only;
}

void FleetLink::walk_all(Stream stream) {
  std::erase_if(walks_, [&](const Walk& walk) { return walk.stream == stream; });
  const auto walk = [&](const fleet::FleetState& state) {
    for (auto& origin : state.origins()) walks_.push_back({&state, std::move(origin), stream});
  };
  walk(state_);
  for (const fleet::FleetState* view : views_) {
    if (hears(*view, stream)) walk(*view);
  }
  soon();
}

// An origin a turn: half a megabyte at most.
void FleetLink::walk_one() {
  const Walk walk = std::move(walks_.front());
  walks_.pop_front();
  if (!walks_.empty()) soon();
  const auto listener = listeners_.find(walk.stream);
  for (const auto& event : walk.state->events(walk.origin, walk.stream)) {
    const bool told = walk.state != &state_ && state_.has_event(walk.origin, event);
    if (!told) listener->second(walk.origin, event);
  }
}

void FleetLink::soon() {
  if (std::exchange(working_soon_, true)) return;
  net::asio::post(io_, [this, alive = std::weak_ptr<bool>(alive_)] {
    if (!alive.expired()) work();
  });
}

void FleetLink::work() {
  working_soon_ = false;
  if (std::exchange(published_, false)) driver_->tell();
  for (const Heard& one : std::exchange(heard_, {})) {
    listeners_.at(one.event.stream)(one.origin, one.event);
  }
  if (!walks_.empty()) walk_one();
}

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
