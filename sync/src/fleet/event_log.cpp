#include "fleet/event_log.hpp"

#include <limits>

#include "fleet/cells.hpp"
#include "store/codec.hpp"

namespace nines::fleet {
namespace {

constexpr uint64_t kFormat = 1, kFormatWithBody = 2;
constexpr uint64_t kKinds = 6, kPriorities = 4;
constexpr size_t kEntryBytes = 96;  // of the map, beside the body

}  // namespace

std::string encode_event(const FleetEvent& event) {
  store::ByteWriter out;
  out.varint(has_body(event.stream) ? kFormatWithBody : kFormat);
  out.varint(event.boot);
  out.varint(static_cast<uint64_t>(event.stream));
  out.varint(event.sequence);
  out.varint(static_cast<uint64_t>(event.kind));
  out.varint(event.sent_isolated ? 1 : 0);
  out.varint(static_cast<uint64_t>(event.priority));
  out.zigzag(event.at.ns);
  out.zigzag(event.since.ns);
  for (const auto* text :
       {&event.slo, &event.service, &event.rule, &event.severity, &event.subject, &event.summary}) {
    out.bytes(*text);
  }
  if (has_body(event.stream)) out.bytes(event.body);
  return out.take();
}

std::optional<FleetEvent> decode_event(std::string_view body) {
  store::ByteReader in(body);
  const uint64_t format = in.varint();
  if (format != kFormat && format != kFormatWithBody) return std::nullopt;
  FleetEvent event;
  event.boot = in.varint();
  const uint64_t stream = in.varint();
  event.sequence = in.varint();
  const uint64_t kind = in.varint(), isolated = in.varint(), priority = in.varint();
  if (stream >= kStreams || kind >= kKinds || isolated > 1 || priority >= kPriorities) {
    return std::nullopt;
  }
  event.stream = static_cast<FleetEvent::Stream>(stream);
  if (has_body(event.stream) != (format == kFormatWithBody)) return std::nullopt;
  event.kind = static_cast<FleetEvent::Kind>(kind);
  event.sent_isolated = isolated == 1;
  event.priority = static_cast<int>(priority);
  event.at.ns = in.zigzag();
  event.since.ns = in.zigzag();
  for (auto* text :
       {&event.slo, &event.service, &event.rule, &event.severity, &event.subject, &event.summary}) {
    const auto bytes = in.bytes();
    if (bytes.size() > (text == &event.summary ? kMaxSummary : kMaxName)) return std::nullopt;
    if (has_body(event.stream) && !bytes.empty()) return std::nullopt;
    *text = bytes;
  }
  if (has_body(event.stream)) {
    const auto bytes = in.bytes();
    if (bytes.empty() || bytes.size() > kMaxEventBody) return std::nullopt;
    event.body = bytes;
  }
  if (!in.complete() || event.boot == 0) return std::nullopt;
  return event;
}

std::string encode_events(const std::vector<std::string>& bodies) {
  store::ByteWriter out;
  for (const auto& body : bodies) out.bytes(body);
  return out.take();
}

std::optional<std::vector<std::string>> decode_events(std::string_view body) {
  store::ByteReader in(body);
  std::vector<std::string> bodies;
  while (in.ok() && !in.complete() && bodies.size() < kEventsOfBucket) {
    bodies.emplace_back(in.bytes());
  }
  if (!in.complete()) return std::nullopt;
  return bodies;
}

PartKey bucket_of(const FleetEvent& event) {
  return {PartKind::events, event.boot, static_cast<uint8_t>(event.stream),
          static_cast<int64_t>(event.sequence / kEventsOfBucket)};
}

size_t EventLog::room(uint8_t stream, const FleetLimits& limits) {
  switch (static_cast<FleetEvent::Stream>(stream)) {
    case FleetEvent::Stream::alerts: return limits.max_events;
    case FleetEvent::Stream::membership: return (limits.max_events + 3) / 4;
    case FleetEvent::Stream::incidents: return limits.max_incidents;
    case FleetEvent::Stream::timeline: return limits.max_timeline;
    case FleetEvent::Stream::switches: return limits.max_switches;
    case FleetEvent::Stream::rules: return limits.max_rules;
    case FleetEvent::Stream::acts: return limits.max_acts;
    case FleetEvent::Stream::anchors: return limits.max_anchors;
  }
  return 0;
}

void EventLog::account(const Entries::value_type& entry, bool in) {
  hash_ ^= hash64(entry.second);
  const size_t bytes = entry.second.size() + kEntryBytes;
  bytes_ = in ? bytes_ + bytes : bytes_ - bytes;
  auto& count = counts_[std::get<0>(entry.first)];
  count = in ? count + 1 : count - 1;
}

Merge EventLog::put(const FleetEvent& event, const FleetLimits& limits) {
  const auto stream = static_cast<uint8_t>(event.stream);
  std::string body = encode_event(event);
  const Key key{stream, event.boot, event.sequence};
  const auto held = entries_.find(key);
  if (held != entries_.end()) {
    if (body <= held->second) return Merge::known;
    account(*held, false);
    held->second = std::move(body);
    account(*held, true);
    return Merge::news;
  }
  const auto first = entries_.lower_bound(Key{stream, 0, 0});
  const bool full = counts_[stream] >= room(stream, limits);
  if (full && (counts_[stream] == 0 || key < first->first)) {
    ++dropped_[stream];
    return Merge::known;
  }
  account(*entries_.emplace(key, std::move(body)).first, true);
  if (full) {
    const auto oldest = entries_.lower_bound(Key{stream, 0, 0});
    account(*oldest, false);
    entries_.erase(oldest);
    ++dropped_[stream];
  }
  return Merge::news;
}

std::vector<FleetEvent> EventLog::all() const {
  std::vector<FleetEvent> events;
  events.reserve(entries_.size());
  for (const auto& [key, body] : entries_) events.push_back(*decode_event(body));
  return events;
}

std::vector<FleetEvent> EventLog::of(FleetEvent::Stream stream) const {
  const auto key = static_cast<uint8_t>(stream);
  std::vector<FleetEvent> events;
  for (auto entry = entries_.lower_bound(Key{key, 0, 0});
       entry != entries_.end() && std::get<0>(entry->first) == key; ++entry) {
    events.push_back(*decode_event(entry->second));
  }
  return events;
}

std::pair<EventLog::Entries::const_iterator, EventLog::Entries::const_iterator> EventLog::range(
    const PartKey& bucket) const {
  const uint64_t first = static_cast<uint64_t>(bucket.index) * kEventsOfBucket;
  return {entries_.lower_bound(Key{bucket.stream, bucket.id, first}),
          entries_.upper_bound(Key{bucket.stream, bucket.id, first + kEventsOfBucket - 1})};
}

std::vector<PartDigest> EventLog::buckets() const {
  std::vector<PartDigest> digests;
  for (const auto& [key, body] : entries_) {
    const auto& [stream, boot, sequence] = key;
    const PartKey bucket{PartKind::events, boot, stream,
                         static_cast<int64_t>(sequence / kEventsOfBucket)};
    if (digests.empty() || digests.back().key != bucket) digests.push_back({bucket, 0});
    digests.back().hash ^= hash64(body);
  }
  return digests;
}

uint64_t EventLog::bucket_hash(const PartKey& bucket) const {
  uint64_t hash = 0;
  const auto [first, last] = range(bucket);
  for (auto entry = first; entry != last; ++entry) hash ^= hash64(entry->second);
  return hash;
}

std::string EventLog::bucket(const PartKey& bucket) const {
  std::vector<std::string> bodies;
  const auto [first, last] = range(bucket);
  for (auto entry = first; entry != last; ++entry) bodies.push_back(entry->second);
  return encode_events(bodies);
}

bool EventLog::keeps(const PartKey& bucket, const FleetLimits& limits) const {
  if (bucket.stream >= kStreams) return false;
  if (counts_[bucket.stream] < room(bucket.stream, limits)) return true;
  if (counts_[bucket.stream] == 0) return false;
  const auto& oldest = entries_.lower_bound(Key{bucket.stream, 0, 0})->first;
  const uint64_t end = (static_cast<uint64_t>(bucket.index) + 1) * kEventsOfBucket;
  return Key{bucket.stream, bucket.id, end - 1} >= oldest;
}

uint64_t EventLog::last_sequence(FleetEvent::Stream stream, uint64_t boot) const {
  constexpr uint64_t kLast = std::numeric_limits<uint64_t>::max();
  const auto key = static_cast<uint8_t>(stream);
  auto after = entries_.upper_bound(Key{key, boot, kLast});
  if (after == entries_.begin()) return 0;
  const auto& last = (--after)->first;
  return std::get<0>(last) == key && std::get<1>(last) == boot ? std::get<2>(last) : 0;
}

bool EventLog::has(FleetEvent::Stream stream, uint64_t boot, uint64_t sequence) const {
  return entries_.contains(Key{static_cast<uint8_t>(stream), boot, sequence});
}

void EventLog::move_boot(uint64_t from, uint64_t to, const FleetLimits& limits) {
  std::vector<FleetEvent> moved;
  for (auto entry = entries_.begin(); entry != entries_.end();) {
    const auto stream = static_cast<FleetEvent::Stream>(std::get<0>(entry->first));
    if (std::get<1>(entry->first) != from || has_body(stream)) {
      ++entry;
      continue;
    }
    moved.push_back(*decode_event(entry->second));
    moved.back().boot = to;
    account(*entry, false);
    entry = entries_.erase(entry);
  }
  for (const auto& event : moved) put(event, limits);
}

}  // namespace nines::fleet
