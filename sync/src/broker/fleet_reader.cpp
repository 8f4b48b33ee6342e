#include <algorithm>

#include "broker/ordered_consumer.hpp"
#include "broker/units.hpp"
#include "nines/broker/fleet_stream.hpp"

namespace nines::broker {

FleetReader::FleetReader(ReaderOptions options, fleet::FleetState& state)
    : options_(std::move(options)),
      subjects_(options_.cluster, options_.domain),
      state_(state),
      consumer_(
          std::make_unique<OrderedConsumer>(subjects_.api, subjects_.state_stream,
                                            options_.nodes_only ? subjects_.state + "*.who" : "")) {
  stats_.trouble = "not connected";
}

FleetReader::~FleetReader() = default;

void FleetReader::connected(Bus& bus, Now now) { consumer_->start(bus, *this, now); }

void FleetReader::received(uint64_t sid, const BusMessage& message, Bus& bus, Now now) {
  consumer_->received(sid, message, bus, *this, now, [&](const Delivered& delivered) {
    take(delivered.subject, delivered.body, delivered.stored, now);
  });
  caught_up_ = caught_up_ || consumer_->caught_up();
  stats_.trouble = consumer_->trouble();
}

void FleetReader::tick(Bus& bus, Now now) { consumer_->tick(bus, *this, now); }

void FleetReader::lost(Now) {
  consumer_->lost();
  stats_.trouble = "not connected";
}

void FleetReader::denied(const Denied& what, Bus&, Now) {
  if (consumer_->uses(what)) stats_.trouble = denial_text(what);
}

// A broker that lets each node publish below its own name only makes the origin certain.
void FleetReader::take(std::string_view subject, std::string_view body, WallTime stored, Now now) {
  ++stats_.messages;
  stats_.bytes += body.size();
  std::string_view rest = subject;
  if (!rest.starts_with(subjects_.state)) {
    ++stats_.refused;
    return;
  }
  rest.remove_prefix(subjects_.state.size());
  const size_t dot = rest.find('.');
  const std::string node = name_of_token(rest.substr(0, dot));
  const std::string_view unit = dot == std::string_view::npos ? "" : rest.substr(dot + 1);
  const auto message = decode_unit(unit, body);
  if (!message || node.empty() || message->origin != node) {
    ++stats_.refused;
    return;
  }
  const WallTime ceiling{now.wall.ns + options_.ceiling_s * kNsPerSecond};
  for (const auto& piece : message->pieces) state_.merge(piece, ceiling);
  if (!state_.info(node)) return;  // beyond max_origins
  WallTime& heard = heard_[node];
  heard.ns = std::max(heard.ns, stored.ns);
  if (heard_.size() > state_.limits().max_origins) {
    std::erase_if(heard_, [this](const auto& entry) { return !state_.info(entry.first); });
  }
}

std::optional<WallTime> FleetReader::heard(const std::string& origin) const {
  const auto found = heard_.find(origin);
  return found == heard_.end() ? std::nullopt : std::optional(found->second);
}

const FleetReader::Stats& FleetReader::stats() const {
  stats_.restarts = consumer_->restarts();
  return stats_;
}

}  // namespace nines::broker
