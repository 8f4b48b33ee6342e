// Puts rows that come out of order within a bound back into the order of time. Rows that are in
// order already, as most logs' are, go through a queue; only the others through a heap.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <vector>

#include "held_row.hpp"
#include "nines/query/operator.hpp"

namespace nines::query {

class Reorder {
 public:
  // Rows are held while a row before them may still come: until one more than `lateness` behind
  // them was seen. Beyond `max_bytes` the first go earlier.
  Reorder(int64_t lateness_ns, size_t max_bytes);

  // The time of a row, whether it is held or not. False: it comes later than allowed.
  bool see(int64_t ts) noexcept {
    if (ts > newest_) {
      newest_ = ts;
      seen_ = true;
      watermark_ = ts < INT64_MIN + lateness_ ? INT64_MIN : ts - lateness_;
      return true;
    }
    seen_ = true;
    return ts >= watermark_ && ts >= released_;
  }
  // Nothing before it comes any more. No row seen: INT64_MIN.
  int64_t watermark() const noexcept { return watermark_; }
  int64_t newest() const noexcept { return newest_; }
  bool seen() const noexcept { return seen_; }

  void push(HeldRow row);
  // The next row in order, once it is time for it. `all`: the input is at its end.
  bool pop(HeldRow& out, bool all = false);
  // Whether pop() would give one; cheap.
  bool due(bool all = false) const noexcept;

  size_t memory_bytes() const noexcept { return bytes_; }
  size_t size() const noexcept { return queue_.size() + heap_.size(); }

 private:
  const HeldRow* first() const noexcept;

  int64_t lateness_;
  size_t max_bytes_;
  int64_t newest_ = INT64_MIN, watermark_ = INT64_MIN, released_ = INT64_MIN;
  bool seen_ = false;
  size_t bytes_ = 0;
  std::deque<HeldRow> queue_;  // ascending
  std::vector<HeldRow> heap_;  // those that came behind a later one; the earliest on top
};

// Counts a row that comes in, and shows its time to `rows`. False: it has none, and no place here.
inline bool arrives(const Row& row, Reorder& rows, OperatorStats& stats) noexcept {
  ++stats.rows_in;
  if (!row.has_ts) {
    ++stats.no_timestamp;
    return false;
  }
  if (!rows.see(row.ts.ns)) ++stats.late;
  return true;
}

}  // namespace nines::query
