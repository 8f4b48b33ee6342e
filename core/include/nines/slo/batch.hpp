// Batch: the partial aggregate that ingest hands over. One associative, commutative merge serves
// threads, restarts (the journal is a list of batches) and, later, nodes. Positions of the files
// that produced the counts travel in the same batch, and the store commits both in one
// transaction: that is law 1.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "nines/base/time.hpp"

namespace nines::slo {

inline constexpr int64_t kSlotS = 10;  // finest slot
inline constexpr int64_t slot_of(WallTime t) {
  const int64_t s = t.seconds();
  return s >= 0 ? s / kSlotS : -((-s + kSlotS - 1) / kSlotS);
}

// Counts of one SLO in one 10 s slot of event time (slot = unix seconds / 10, floored). Signed: an
// SLI whose good and total events come from different sources adds +1/-1 so that sums are right.
struct SlotDelta {
  uint32_t slo = 0;  // index of the SLO in the running engine
  int64_t slot = 0;
  int64_t good = 0, bad = 0;
  // Seconds from the start of this slot on of which the logs are known completely. More than 10
  // reach into the slots that follow: a long quiet stretch is a delta an hour. Beyond an hour: cut.
  uint32_t covered_s = 0;
};

// Latency sketch increments of one SLO in one hour (hour = unix seconds / 3600).
struct SketchDelta {
  uint32_t slo = 0;
  int64_t hour = 0;
  std::vector<std::pair<uint16_t, uint32_t>> bins;  // ascending bin index, count
};

// Where reading of one file stands. `key` identifies the file (see collector), `state` is opaque to
// everyone but the collector. Later wins. An empty state forgets the file.
struct Position {
  std::string key;
  std::string state;
};

// A group that ingest has met for the first time in this life. Its deltas bear `slo`, an index that
// ingest made up; the engine's is given by whoever adds the row.
struct GroupRow {
  static constexpr uint32_t kFirst = 1U << 31U;
  uint32_t slo = 0;    // kFirst and up
  uint32_t whole = 0;  // index of the SLO in the running engine
  std::string group;
  bool gone = false;  // let go: its index may come back with another group
};

struct Batch {
  std::vector<SlotDelta> slots;  // sorted by (slo, slot), unique after normalize()
  std::vector<SketchDelta> sketches;
  std::vector<Position> positions;  // unique by key after normalize()
  std::vector<GroupRow> groups;     // never stored: gone before the engine has the batch
  // Increments of the counters of the same name, for what the maker of the batch decided itself (a
  // clamped time stamp is `skewed`). The engine adds what it finds late or beyond all tiers.
  int64_t late = 0, dropped_late = 0, skewed = 0;
  // Newest event time in here, after clamping against the clock: the maker vouches for it, and the
  // engine follows it over any gap (see SloEngine::apply). 0: no event.
  WallTime max_event_time{};

  bool empty() const noexcept;
  // Adds `other` and normalizes; equal (slo, slot) add up, positions of `other` replace ours.
  // Associative; commutative in all but the positions, of which the later must stay the later.
  // O(n log n): use gather() for many pieces.
  void merge(Batch&& other);
  // The same without normalizing, until the batch has doubled since it was last normalized: adding
  // n pieces one by one stays O(n log n) in time and within twice the memory.
  void gather(Batch&& other);
  // Sorts and folds; idempotent. Deltas that cancel to zero stay, for they tell where events were.
  void normalize();

 private:
  void take(Batch&& other);
  size_t entries() const noexcept;
  size_t normalized_ = 0;  // entries after the last normalize()
};

}  // namespace nines::slo
