// What a condition says about the time of the records that satisfy it, for systems that are asked
// for a range of time. Never too narrow: a record for which WHERE is true lies within.
#pragma once

#include <optional>

#include "nines/base/time.hpp"
#include "nines/query/plan.hpp"

namespace nines::query {

struct TimeBounds {
  std::optional<WallTime> since, until;  // [since, until)
};
// SINCE and UNTIL of the scan, and the comparisons of `ts` with a time that stand alone or between
// ANDs of its WHERE.
TimeBounds time_bounds(const ScanPlan& scan);

}  // namespace nines::query
