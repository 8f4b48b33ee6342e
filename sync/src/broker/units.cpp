#include "broker/units.hpp"

#include "fleet/cells.hpp"
#include "fleet/event_log.hpp"
#include "fleet/node_record.hpp"
#include "fleet/series.hpp"
#include "nines/base/json_writer.hpp"
#include "nines/broker/bus.hpp"
#include "peer/frame.hpp"
#include "peer/messages.hpp"

namespace nines::broker {
namespace {

using fleet::PartKey;
using fleet::PartKind;

constexpr int64_t kMinuteRing = 6, kHourRing = 96, kEventRing = 48;
constexpr size_t kFrameRoom = 4096;  // of what is beside the bodies
constexpr size_t kKeyRoom = 48;

std::string place(int64_t index, int64_t ring) {
  return std::to_string((index % ring + ring) % ring);
}

}  // namespace

std::string unit_of(const PartKey& key) {
  switch (key.kind) {
    case PartKind::info:
    case PartKind::meta: return std::string(kWho);
    case PartKind::minutes: return "m." + place(key.index, kMinuteRing);
    case PartKind::hours: return "h." + place(key.index, kHourRing);
    case PartKind::events: {
      // Lives of bodies are many and short: they would all begin in the same unit.
      const bool body = fleet::has_body(static_cast<fleet::FleetEvent::Stream>(key.stream));
      const auto shift = static_cast<int64_t>(body ? fleet::mix64(key.id) % kEventRing : 0);
      return "e." + std::to_string(key.stream) + "." +
             place(key.index % kEventRing + shift, kEventRing);
    }
    case PartKind::series: break;
  }
  return {};
}

uint64_t content_of(const PartKey& key, uint64_t hash) { return fleet::part_hash(key, hash); }

uint64_t list_hash(const std::vector<uint64_t>& series) {
  uint64_t hash = 1;
  for (const uint64_t id : series) hash = fleet::mix64(hash ^ fleet::mix64(id));
  return hash;
}

std::optional<UnitMessage> decode_unit(std::string_view unit, std::string_view body) {
  peer::FrameDecoder decoder;
  decoder.set_limit(peer::kMaxBody);
  decoder.feed(body);
  auto frame = decoder.next();
  if (!frame.ok() || !*frame || decoder.buffered() > 0) return std::nullopt;
  auto message = peer::decode(**frame);
  if (!message.ok()) return std::nullopt;
  auto* parts = std::get_if<peer::Parts>(&*message);
  if (parts == nullptr || parts->parts.empty()) return std::nullopt;
  if (parts->parts.front().key.kind != PartKind::info) return std::nullopt;
  const auto info = fleet::decode_info(parts->parts.front().body, {});
  if (!info) return std::nullopt;
  UnitMessage out;
  out.origin = std::move(parts->origin);
  out.list = list_hash(info->series);
  for (auto& part : parts->parts) {
    uint64_t hash = fleet::hash64(part.body);
    if (part.key.kind == PartKind::events) {
      const auto events = fleet::decode_events(part.body);
      if (!events) return std::nullopt;
      hash = 0;
      for (const auto& event : *events) hash ^= fleet::hash64(event);
    }
    if (part.key.kind != PartKind::info || unit == kWho) out.content ^= content_of(part.key, hash);
    out.pieces.push_back({out.origin, part.key, std::move(part.body)});
  }
  return out;
}

std::string encode_unit(const fleet::FleetState& state, const std::vector<PartKey>& keys) {
  peer::Parts message;
  message.origin = state.self();
  size_t bytes = kFrameRoom;
  const auto add = [&](const PartKey& key) {
    auto piece = state.piece(state.self(), key);
    if (!piece) return;
    bytes += piece->body.size() + kKeyRoom;
    message.parts.push_back({key, std::move(piece->body)});
  };
  add({PartKind::info});
  for (const PartKey& key : keys) {
    if (key.kind != PartKind::info) add(key);
  }
  if (bytes > peer::kMaxBody || message.parts.size() > peer::kMaxWanted) return {};
  return peer::encode(message);
}

std::string event_id(std::string_view node, const fleet::FleetEvent& event) {
  return token_of(node) + "/" + std::to_string(event.boot) + "/alert/" +
         std::to_string(event.sequence);
}

std::string event_json(const std::string& node, const std::string& version,
                       const fleet::FleetEvent& event) {
  std::string body;
  JsonWriter json(body);
  json.begin_object();
  json.member("id",
              node + "/" + std::to_string(event.boot) + "/alert/" + std::to_string(event.sequence));
  json.member("version", 1).member("agent", version).member("node", node);
  json.member("boot", event.boot).member("stream", "alert").member("sequence", event.sequence);
  json.member("kind", event.kind == fleet::FleetEvent::Kind::fired ? "fired" : "resolved");
  json.member("slo", event.slo).member("service", event.service);
  json.member("rule", event.rule).member("severity", event.severity);
  json.member("priority", "P" + std::to_string(event.priority));
  json.member("since", event.since).member("at", event.at).member("summary", event.summary);
  json.member("isolated", event.sent_isolated);
  json.end_object();
  return body;
}

}  // namespace nines::broker
