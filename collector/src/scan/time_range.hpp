// Which stretch of a file SINCE and UNTIL leave, found by bisection.
//
// A time stamp lies at most `disorder` before or behind those of its neighbours; so what stands
// before a record of time t is not later than t + disorder, and what stands behind it not earlier
// than t - disorder. Only what follows from that is left out; the rest is filtered record by
// record.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>

#include "nines/base/time.hpp"
#include "nines/collector/scan.hpp"

namespace nines::collector {

struct TimeRange {
  std::optional<WallTime> since, until;
  int64_t disorder_ns = 0;

  bool is_set() const noexcept { return since || until; }
  bool all_before_are_early(WallTime t) const noexcept {
    return since && add(t.ns, disorder_ns) < since->ns;
  }
  bool all_behind_are_late(WallTime t) const noexcept {
    return until && add(t.ns, -disorder_ns) >= until->ns;
  }

 private:
  static int64_t add(int64_t a, int64_t b) noexcept;  // stops at the ends of time
};

// The first record with a time that begins at `offset` or a little behind.
struct TimedPlace {
  int64_t at = 0;
  WallTime ts;
};
using Probe = std::function<std::optional<TimedPlace>(int64_t offset)>;

// The part of [0, size) that may hold records of the range; empty (begin == end) when none can. Up
// to `fine` bytes at either end are in it without need.
FileScan::Part find_stretch(int64_t size, const TimeRange& range, int64_t fine, const Probe& probe);

}  // namespace nines::collector
