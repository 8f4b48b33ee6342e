// Alert events: rows that are written once and told to many, and those that a broken disk does not
// take yet.
#include <algorithm>

#include "sqlite_store.hpp"

namespace nines::store {

Status SqliteStore::write_event(const slo::AlertEvent& event, uint64_t sequence) {
  const auto seq = static_cast<int64_t>(sequence);
  const std::string told = encode_event(event);
  return connection_->event_put
      .with(seq, event.at.seconds(), static_cast<int64_t>(row_crc(seq, told)), Blob{told})
      .run();
}

Status SqliteStore::write_events(const std::vector<slo::AlertEvent>& events) {
  for (const slo::AlertEvent& event : held_) NINES_CHECK(write_event(event, event.sequence));
  uint64_t next = next_event_;
  for (const slo::AlertEvent& event : events) {
    if (event.sequence == 0) NINES_CHECK(write_event(event, next++));
  }
  return Ok{};
}

// They are written, and so is what was held.
void SqliteStore::number_events(std::vector<slo::AlertEvent>& events) {
  for (slo::AlertEvent& event : events) {
    if (event.sequence == 0) event.sequence = next_event_++;
  }
  held_.clear();
}

void SqliteStore::hold_events(std::vector<slo::AlertEvent>& events) {
  for (slo::AlertEvent& event : events) {
    // Rows of standing queries are large, and asked for again.
    if (event.sequence != 0 || event.kind == slo::AlertEvent::Kind::rows) continue;
    if (held_.size() >= kMaxHeld) return;
    event.sequence = next_event_++;
    held_.push_back(event);
  }
}

Status SqliteStore::read_events(uint64_t after, uint64_t before, size_t max,
                                std::vector<slo::AlertEvent>& out) {
  NINES_CHECK(ready());
  Statement& scan =
      connection_->event_after.with(static_cast<int64_t>(std::min<uint64_t>(after, INT64_MAX)));
  while (out.size() < max) {
    NINES_TRY(const bool more, scan.row());
    if (!more) return Ok{};
    const int64_t seq = scan.integer(0);
    if (static_cast<uint64_t>(seq) >= before) break;  // held, and written by a commit in doubt
    const std::string_view body = scan.bytes(2);
    auto event = row_crc(seq, body) == static_cast<uint32_t>(scan.integer(1))
                     ? decode_event(body, static_cast<uint64_t>(seq))
                     : std::nullopt;
    if (event) {
      out.push_back(std::move(*event));
    } else {
      ++restored_.skipped_rows;
    }
  }
  scan.reset();
  return Ok{};
}

// What is held can be told when nothing that comes before it is on a disk that can't be read.
Result<std::vector<slo::AlertEvent>> SqliteStore::events_after(uint64_t sequence, size_t max) {
  std::vector<slo::AlertEvent> events;
  const uint64_t held_from = held_.empty() ? UINT64_MAX : held_.front().sequence;
  if (sequence + 1 < held_from) {
    NINES_CHECK(note(read_events(sequence, held_from, max, events)));
  }
  for (const slo::AlertEvent& event : held_) {
    if (event.sequence > sequence && events.size() < max) events.push_back(event);
  }
  return events;
}

}  // namespace nines::store
