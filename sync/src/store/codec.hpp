// Bytes of the rows: what SQLite stores as `body`. Integers are LEB128, signed ones zigzag, lists
// are delta coded; every body begins with its version. The reader is bounded by the bytes it was
// given and never trusts a count in them.
//
//   journal  1 | runs of (slo id, n, n x (slot delta, good, bad, covered)) | sketches
//              | positions | late, dropped_late, skewed, newest event (ns) | alerts or nothing
//   chunk    1 | 60-bit mask of minutes | (good, bad, covered) of each | sketch bins
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "nines/slo/batch.hpp"
#include "nines/slo/changes.hpp"
#include "nines/slo/engine.hpp"

namespace nines::store {

class ByteWriter {
 public:
  void varint(uint64_t value);
  void zigzag(int64_t value);
  void bytes(std::string_view value);  // length first
  std::string take() { return std::move(out_); }

 private:
  std::string out_;
};

// After the first fault everything reads as zero and ok() stays false.
class ByteReader {
 public:
  explicit ByteReader(std::string_view in) : in_(in) {}
  uint64_t varint();
  int64_t zigzag();
  std::string_view bytes();
  // A number of elements of at least one byte each: never more than bytes are left.
  size_t count();
  void fail() { ok_ = false; }
  bool ok() const { return ok_; }
  bool complete() const { return ok_ && at_ == in_.size(); }

 private:
  std::string_view in_;
  size_t at_ = 0;
  bool ok_ = true;
};

// In a JournalRow `slo` is the persistent id of the file, not the engine's index.
struct JournalRow {
  slo::Batch batch;
  std::optional<std::string> alerts;  // encoded memory, when it changed with this row
};

// REQUIRES every slo of `batch` < ids.size().
std::string encode_journal(const slo::Batch& batch, const std::vector<uint32_t>& ids,
                           const std::string* alerts);
std::optional<JournalRow> decode_journal(std::string_view body);

inline constexpr int64_t kSlotsPerMinute = 60 / slo::kSlotS;
inline constexpr int64_t kSlotsPerHour = 3600 / slo::kSlotS;
constexpr int64_t hour_of_slot(int64_t slot) {
  return slot >= 0 ? slot / kSlotsPerHour : -((-slot + kSlotsPerHour - 1) / kSlotsPerHour);
}

// One SLO in one hour, by the minute.
class Chunk {
 public:
  void add(const slo::SlotDelta& delta);
  void add(const slo::SketchDelta& delta);
  void add(const Chunk& other);
  std::string encode() const;
  static std::optional<Chunk> decode(std::string_view body);
  // Appends what add() was given, by the minute.
  void replay(int64_t hour, uint32_t slo_index, slo::Batch& out) const;

 private:
  struct Minute {
    int64_t good = 0, bad = 0;
    uint64_t covered_s = 0;
    bool empty() const { return good == 0 && bad == 0 && covered_s == 0; }
  };
  void add_bin(uint16_t bin, uint64_t count);
  void replay_sketch(int64_t hour, uint32_t slo_index, slo::Batch& out) const;
  std::array<Minute, 60> minutes_{};
  std::vector<std::pair<uint16_t, uint64_t>> bins_;  // ascending
};

std::string encode_alerts(const std::vector<slo::AlertMemory>& alerts);
std::optional<std::vector<slo::AlertMemory>> decode_alerts(std::string_view body);
std::string encode_event(const slo::AlertEvent& event);
std::optional<slo::AlertEvent> decode_event(std::string_view body, uint64_t sequence);
// Kind by its name, so that kinds may come and go.
std::string encode_change(const slo::Change& change);
std::optional<slo::Change> decode_change(std::string_view body, uint64_t id);

// Sums that belong to no SLO: late, dropped_late, skewed, newest event; positions and slots empty.
std::string encode_totals(const slo::Batch& totals);
bool decode_totals(std::string_view body, slo::Batch& totals);
void add_totals(const slo::Batch& from, slo::Batch& totals);

}  // namespace nines::store
