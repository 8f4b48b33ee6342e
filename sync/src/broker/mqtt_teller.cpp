#include "nines/broker/mqtt_teller.hpp"

#include <algorithm>
#include <charconv>

#include "broker/units.hpp"

namespace nines::broker {
namespace {

bool read_cursor(std::string_view text, std::pair<uint64_t, uint64_t>& out) {
  const char* const end = text.data() + text.size();
  const auto boot = std::from_chars(text.data(), end, out.first);
  if (boot.ec != std::errc{} || boot.ptr == end || *boot.ptr != ' ') return false;
  const auto sequence = std::from_chars(boot.ptr + 1, end, out.second);
  return sequence.ec == std::errc{} && sequence.ptr == end;
}

}  // namespace

std::string topic_level(std::string_view name) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  std::string level;
  for (const char c : name) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || c == '/' || c == '+' || c == '#' || c == '=' || byte == 0x7F) {
      level += '=';
      level += kHex[byte >> 4];
      level += kHex[byte & 15];
    } else {
      level += c;
    }
  }
  return level;
}

MqttTeller::MqttTeller(const std::string& cluster, std::string version,
                       const fleet::FleetState& state, std::string_view cursor)
    : base_("nines/" + topic_level(cluster) + "/" + topic_level(state.self()) + "/"),
      version_(std::move(version)),
      state_(state) {
  if (read_cursor(cursor, cursor_)) return;
  cursor_ = {};
  for (const auto& event : state_.events(state_.self(), fleet::FleetEvent::Stream::alerts)) {
    cursor_ = std::max(cursor_, EventId{event.boot, event.sequence});
  }
}

std::string MqttTeller::topic(std::string_view below) const { return base_ + std::string(below); }

std::string MqttTeller::cursor() const {
  return std::to_string(cursor_.first) + " " + std::to_string(cursor_.second);
}

void MqttTeller::show(const std::map<std::string, std::string>& status_by_slo) {
  std::map<std::string, std::string> wanted;
  stats_.left_out = 0;
  for (const auto& [slo, payload] : status_by_slo) {
    if (wanted.size() < kMaxRetained) {
      wanted[topic("slo/" + topic_level(slo))] = payload;
    } else {
      ++stats_.left_out;
    }
  }
  for (auto& [topic, retained] : retained_) {
    if (!wanted.contains(topic)) wanted[topic] = {};  // an empty payload takes it away
  }
  for (auto& [topic, payload] : wanted) {
    Retained& held = retained_[topic];
    if (held.payload == payload && (held.told || held.underway)) continue;
    held.payload = std::move(payload);
    held.told = false;
  }
}

void MqttTeller::connected(Now now) {
  underway_.clear();
  event_underway_ = 0;
  for (auto& [topic, retained] : retained_) retained.told = retained.underway = false;
  client_->publish(topic("online"), "true", 0, true);
  // What was acknowledged lately may be lost.
  const int64_t since_ns = now.wall.ns - kRewindS * kNsPerSecond;
  EventId first = cursor_;
  auto own = state_.events(state_.self(), fleet::FleetEvent::Stream::alerts);
  std::sort(own.begin(), own.end(), [](const auto& a, const auto& b) {
    return EventId{a.boot, a.sequence} > EventId{b.boot, b.sequence};
  });
  for (const auto& event : own) {
    const EventId id{event.boot, event.sequence};
    if (id > cursor_) continue;
    if (event.at.ns < since_ns) {
      first = id;
      break;
    }
    ++stats_.rewound;
    first = {0, 0};
  }
  cursor_ = first;
  collect_events();
  fill();
}

void MqttTeller::collect_events() {
  events_.clear();
  for (auto& event : state_.events(state_.self(), fleet::FleetEvent::Stream::alerts)) {
    if (EventId{event.boot, event.sequence} > cursor_) events_.push_back(std::move(event));
  }
  std::sort(events_.begin(), events_.end(), [](const auto& a, const auto& b) {
    return EventId{a.boot, a.sequence} < EventId{b.boot, b.sequence};
  });
  looked_ = false;
}

void MqttTeller::fill() {
  if (event_underway_ == 0 && !events_.empty() && client_->room()) {
    const auto& event = events_.front();
    const std::string body = event_json(state_.self(), version_, event);
    event_underway_ = client_->publish(topic("alert"), body, 1, false);
    if (event_underway_ != 0) {
      underway_[event_underway_] = {
          {}, std::to_string(event.boot) + " " + std::to_string(event.sequence)};
    } else {
      events_.pop_front();  // larger than anything that is published
    }
  }
  stats_.waiting = events_.size();
  for (auto& [name, retained] : retained_) {
    stats_.waiting += !retained.told;
    if (retained.told || retained.underway || !client_->room()) continue;
    const uint16_t id = client_->publish(name, retained.payload, 1, true);
    if (id == 0) continue;
    retained.underway = true;
    underway_[id] = {name, retained.payload};
  }
}

void MqttTeller::acknowledged(uint16_t id, Now) {
  const auto found = underway_.find(id);
  if (found == underway_.end()) return;
  const Underway told = std::move(found->second);
  underway_.erase(found);
  if (told.topic.empty()) {
    ++stats_.events;
    event_underway_ = 0;
    EventId done;
    if (read_cursor(told.payload, done)) cursor_ = std::max(cursor_, done);
    while (!events_.empty() && EventId{events_.front().boot, events_.front().sequence} <= cursor_) {
      events_.pop_front();
    }
  } else {
    ++stats_.retained;
    Retained& retained = retained_[told.topic];
    retained.underway = false;
    retained.told = retained.payload == told.payload;
    if (retained.told && retained.payload.empty()) retained_.erase(told.topic);
  }
  fill();
}

void MqttTeller::tick(Now) {
  if (looked_) collect_events();
  fill();
}

void MqttTeller::lost(Now) {
  underway_.clear();
  event_underway_ = 0;
}

void MqttTeller::leaving(Now) { client_->publish(topic("online"), "false", 0, true); }

}  // namespace nines::broker
