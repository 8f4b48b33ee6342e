// TimelineEvent: one thing that happened on a node and is worth a line in the story of an incident
// (a transition, a template seen for the first time, a deploy, a page...; never a log line as
// such). Bounded in size, so that a node can keep a day of them, and written as bytes for its store
// and its peers. Plain values; whoever holds them owns them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "nines/base/result.hpp"
#include "nines/base/time.hpp"

namespace nines::timeline {

// Stored and sent as numbers: append only.
enum class EventKind : uint8_t {
  other,        // of a kind that a newer version knows
  note,         // somebody wrote it down
  state,        // an SLO, an incident or a service changed its state
  first_seen,   // a template that the service never logged before
  change,       // a deploy, a configuration, a scale
  alert,        // an alert fires
  resolved,     // and does not any more
  page,         // somebody was told
  ack,          // somebody answered
  action,       // remediation, by a person or a rule
  recovery,     // it works again
  node_silent,  // not heard by its peers
  node_back,    // heard again
  kubernetes,   // an event of the API server
  kernel,       // out of memory, under-voltage, a disk that fails
};
inline constexpr size_t kEventKinds = 15;
std::string_view name_of(EventKind kind) noexcept;  // "alert", "first seen", "node silent"...
std::optional<EventKind> kind_named(std::string_view name) noexcept;

struct EventLimits {
  static constexpr size_t kName = 253;  // node, service, name of a field; bytes
  static constexpr size_t kKey = 256;
  static constexpr size_t kText = 1024;
  static constexpr size_t kValue = 256;
  static constexpr size_t kFields = 8;
  static constexpr size_t kInBlock = 65'536;  // events encoded together
};

struct TimelineEvent {
  std::string node;     // where it was recorded
  std::string service;  // empty: the node itself
  EventKind kind = EventKind::note;
  WallTime at{};         // by the clock of `node`, uncorrected
  uint64_t seq = 0;      // rises with every event that the node records
  std::string text;      // for people; any bytes, renderings make it harmless
  std::string incident;  // "INC-2026-1122-001"; empty: of none
  // One occurrence: of an alert and of its pages, acks and resolution, on all nodes. What fires
  // anew later has another key: order is concluded from it.
  std::string key;
  std::vector<std::pair<std::string, std::string>> fields;  // template id, version, person...

  friend bool operator==(const TimelineEvent&, const TimelineEvent&) = default;
};

// Cuts what is longer than its limit, never within a UTF-8 character. True: something was cut.
bool fit(TimelineEvent& event);
size_t memory_bytes(const TimelineEvent& event) noexcept;

// Bytes: a version, the events with their time and sequence as differences, CRC-32C of all that.
// Events are fitted as they are written. REQUIRES at most kInBlock of them.
std::string encode(const std::vector<TimelineEvent>& events);
// corrupt: not what encode() gives; unsupported: of a version that this program does not know.
// Kinds that are not known become `other`.
Result<std::vector<TimelineEvent>> decode(std::string_view bytes);

}  // namespace nines::timeline
