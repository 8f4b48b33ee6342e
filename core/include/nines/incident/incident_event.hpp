// IncidentEvent: one fact about an incident, written once by one node and never altered. Events are
// a set that only grows: an incident is what folding the set gives (incident_book.hpp), so that any
// order, repetition and partition of them ends in the same incidents everywhere.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "nines/base/time.hpp"
#include "nines/incident/condition.hpp"
#include "nines/slo/changes.hpp"

namespace nines::incident {

using slo::Details;

// Numbers are stored and sent: never reuse one.
enum class EventKind : uint8_t {
  condition_began = 0,  // details: see condition_details(); once more: it is worse, or holds still
  condition_ended = 1,
  declared = 2,  // by a person, without a condition; details: service, priority
  acknowledged = 3,
  mitigated = 4,
  resolved = 5,
  reopened = 6,
  severity_set = 7,   // details: priority
  role_assigned = 8,  // details: role, person
  note = 9,
  action = 10,              // what was done; details: outcome (when it is known), action (of which)
  communication_sent = 11,  // details: template, channel
  page_sent = 12,           // details: channel, person
  suspects = 13,            // text and numbers; details: wrong_if, service...
  impact = 14,
  diagnostics = 15,
  cause_stated = 16,  // by a person: the root cause
  item_added = 17,    // details: item, owner, due, priority
  item_done = 18,     // details: item
  linked = 19,        // is one with another; details: with (its key), with_opened (ns)
};
inline constexpr size_t kEventKinds = 20;
std::string_view event_kind_name(EventKind kind) noexcept;

struct IncidentEvent {
  // Who wrote it: unique.
  std::string node;
  uint64_t boot = 0, sequence = 0;
  WallTime at{};  // by the clock of `node`
  // The newest event of the incident that the writer knew: it comes behind that, whatever its clock
  // says. 0: none.
  WallTime after{};
  std::string key;    // of the incident
  WallTime opened{};  // which of that key: the last one opened by then. 0: the one of its time
  std::string id;     // of the incident as it was told where this was written; may be empty
  EventKind kind = EventKind::note;
  std::string who;  // empty: Nines
  std::string text;
  Details details;

  WallTime order() const noexcept;  // max(at, after, opened)
  const std::string* detail(std::string_view name) const noexcept;
  friend bool operator==(const IncidentEvent&, const IncidentEvent&) = default;
};
// The order in which events are folded: total, since no two have one writer and sequence.
bool comes_before(const IncidentEvent& a, const IncidentEvent& b) noexcept;

// An event travels as one fleet event of so many bytes.
inline constexpr size_t kMaxEventBytes = 1000;
inline constexpr size_t kMaxEventNode = 96, kMaxEventKey = 128, kMaxEventWho = 64, kMaxEventId = 24;
inline constexpr size_t kMaxEventDetails = 12, kMaxDetailKey = 16;

// Makes it fit: names too long end in '~' and a hash, control characters become blanks, the text is
// cut, then details from the last on.
void fit(IncidentEvent& event);
std::string encode_event(const IncidentEvent& event);               // REQUIRES fit()
std::optional<IncidentEvent> decode_event(std::string_view bytes);  // nullopt: broken, or too large

// A name of at most `most` bytes that is as good as unique.
std::string short_name(std::string_view name, size_t most);

Details condition_details(const Condition& condition);
std::optional<Condition> condition_of(const IncidentEvent& event);

}  // namespace nines::incident
