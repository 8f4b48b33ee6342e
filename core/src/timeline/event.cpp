#include "nines/timeline/event.hpp"

#include <array>

#include "nines/base/contract.hpp"
#include "nines/base/crc32c.hpp"
#include "nines/base/utf.hpp"
#include "nines/query/bytes.hpp"

namespace nines::timeline {
namespace {

constexpr uint8_t kVersion = 1;
constexpr size_t kChecksum = 4;
// Least bytes of an event: what a count in front of a block may promise.
constexpr size_t kLeastEvent = 9;

constexpr std::array<std::string_view, kEventKinds> kNames{
    "other", "note",   "state",    "first seen",  "change",    "alert",      "resolved", "page",
    "ack",   "action", "recovery", "node silent", "node back", "kubernetes", "kernel"};

bool cut(std::string& text, size_t limit) {
  if (text.size() <= limit) return false;
  text.resize(cut_utf8(text, limit).size());
  return true;
}

void put_checksum(std::string& out) {
  const uint32_t sum = crc32c(out);
  for (size_t i = 0; i < kChecksum; ++i) out += static_cast<char>(sum >> (8 * i));
}

bool checksum_fits(std::string_view bytes) {
  const size_t body = bytes.size() - kChecksum;
  uint32_t sum = 0;
  for (size_t i = 0; i < kChecksum; ++i)
    sum |= uint32_t{static_cast<uint8_t>(bytes[body + i])} << (8 * i);
  return sum == crc32c(bytes.substr(0, body));
}

void put_event(std::string& out, const TimelineEvent& event, const TimelineEvent& last) {
  using namespace query;
  put_byte(out, static_cast<uint8_t>(event.kind));
  // Differences modulo 2^64: no pair of times is too far apart.
  put_signed(out, static_cast<int64_t>(static_cast<uint64_t>(event.at.ns) -
                                       static_cast<uint64_t>(last.at.ns)));
  put_signed(out, static_cast<int64_t>(event.seq - last.seq));
  put_text(out, event.node == last.node ? std::string_view() : event.node);
  for (const std::string* text : {&event.service, &event.text, &event.incident, &event.key})
    put_text(out, *text);
  put_varint(out, event.fields.size());
  for (const auto& [name, value] : event.fields) {
    put_text(out, name);
    put_text(out, value);
  }
}

bool get_bounded(std::string_view& in, std::string& out, size_t limit) {
  std::string_view text;
  if (!query::get_text(in, text) || text.size() > limit) return false;
  out = text;
  return true;
}

bool get_fields(std::string_view& in, TimelineEvent& event) {
  uint64_t fields = 0;
  if (!query::get_varint(in, fields) || fields > EventLimits::kFields) return false;
  event.fields.resize(static_cast<size_t>(fields));
  for (auto& [name, value] : event.fields) {
    if (!get_bounded(in, name, EventLimits::kName) || !get_bounded(in, value, EventLimits::kValue))
      return false;
  }
  return true;
}

bool get_event(std::string_view& in, TimelineEvent& event, const TimelineEvent& last) {
  uint8_t kind = 0;
  int64_t later = 0, steps = 0;
  if (!query::get_byte(in, kind) || !query::get_signed(in, later) || !query::get_signed(in, steps))
    return false;
  event.kind = kind < kEventKinds ? static_cast<EventKind>(kind) : EventKind::other;
  event.at.ns =
      static_cast<int64_t>(static_cast<uint64_t>(last.at.ns) + static_cast<uint64_t>(later));
  event.seq = last.seq + static_cast<uint64_t>(steps);
  if (!get_bounded(in, event.node, EventLimits::kName)) return false;
  if (event.node.empty()) event.node = last.node;
  return get_bounded(in, event.service, EventLimits::kName) &&
         get_bounded(in, event.text, EventLimits::kText) &&
         get_bounded(in, event.incident, EventLimits::kKey) &&
         get_bounded(in, event.key, EventLimits::kKey) && get_fields(in, event);
}

Error corrupt(const std::string& why) {
  return {Errc::corrupt, "timeline events: " + why + "; ask the node that sent them again"};
}

}  // namespace

std::string_view name_of(EventKind kind) noexcept {
  const auto index = static_cast<size_t>(kind);
  return kNames[index < kEventKinds ? index : 0];
}

std::optional<EventKind> kind_named(std::string_view name) noexcept {
  for (size_t i = 0; i < kEventKinds; ++i) {
    if (kNames[i] == name) return static_cast<EventKind>(i);
  }
  return std::nullopt;
}

bool fit(TimelineEvent& event) {
  bool any = event.fields.size() > EventLimits::kFields;
  if (any) event.fields.resize(EventLimits::kFields);
  for (std::string* name : {&event.node, &event.service}) any |= cut(*name, EventLimits::kName);
  for (std::string* key : {&event.incident, &event.key}) any |= cut(*key, EventLimits::kKey);
  for (auto& [name, value] : event.fields) {
    any |= cut(name, EventLimits::kName);
    any |= cut(value, EventLimits::kValue);
  }
  return cut(event.text, EventLimits::kText) || any;
}

size_t memory_bytes(const TimelineEvent& event) noexcept {
  size_t bytes = sizeof event;
  for (const std::string* text :
       {&event.node, &event.service, &event.text, &event.incident, &event.key})
    bytes += text->capacity();
  for (const auto& field : event.fields)
    bytes += sizeof field + field.first.capacity() + field.second.capacity();
  return bytes;
}

std::string encode(const std::vector<TimelineEvent>& events) {
  NINES_ASSERT(events.size() <= EventLimits::kInBlock);
  std::string out;
  query::put_byte(out, kVersion);
  query::put_varint(out, events.size());
  TimelineEvent last;
  for (const TimelineEvent& event : events) {
    TimelineEvent fitted = event;
    fit(fitted);
    put_event(out, fitted, last);
    last = std::move(fitted);
  }
  put_checksum(out);
  return out;
}

Result<std::vector<TimelineEvent>> decode(std::string_view bytes) {
  if (bytes.size() <= kChecksum) return corrupt(std::to_string(bytes.size()) + " bytes are none");
  if (!checksum_fits(bytes))
    return corrupt("the checksum of " + std::to_string(bytes.size()) + " bytes is wrong");
  bytes.remove_suffix(kChecksum);
  uint8_t version = 0;
  uint64_t count = 0;
  if (query::get_byte(bytes, version) && version != kVersion) {
    return Error{Errc::unsupported, "timeline events of version " + std::to_string(version) +
                                        ", this program reads version " + std::to_string(kVersion) +
                                        ": update it"};
  }
  if (!query::get_varint(bytes, count) || count > EventLimits::kInBlock ||
      count > bytes.size() / kLeastEvent)
    return corrupt("more are promised than there are");
  std::vector<TimelineEvent> events(static_cast<size_t>(count));
  const TimelineEvent none;
  for (size_t i = 0; i < events.size(); ++i) {
    if (!get_event(bytes, events[i], i == 0 ? none : events[i - 1]))
      return corrupt("event " + std::to_string(i + 1) + " of " + std::to_string(count) +
                     " cannot be read");
  }
  if (!bytes.empty()) return corrupt(std::to_string(bytes.size()) + " bytes too many");
  return events;
}

}  // namespace nines::timeline
