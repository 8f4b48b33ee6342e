// CounterSeries: exact increments of a scraped cumulative counter (Prometheus style, with start
// times where the source tells them). Nothing is extrapolated or interpolated: what a scrape gap hides
// is a matter of coverage.
//
//   first value seen    counts only if the series is known to have started while we were watching;
//                       otherwise it is the past of someone else
//   value grew          the difference
//   value fell, or the start time changed: the counter began again at 0; all of the new value counts
#pragma once

#include <cstdint>
#include <optional>

#include "nines/base/time.hpp"

namespace nines::slo {

// State of one series; plain data, so that it can be kept over a restart.
struct CounterSeries {
  std::optional<uint64_t> last;
  std::optional<WallTime> start;  // of the counter, as last told

  // Returns by how much the counter grew since the last scrape. `watching_since`: when the first
  // scrape of this target was made or tried.
  uint64_t observe(uint64_t value, std::optional<WallTime> start_time, WallTime watching_since) noexcept;
};

}  // namespace nines::slo
