// Where most of many intervals agree: Marzullo, "Maintaining the time in a distributed system"
// (1984), as in RFC 5905 section 11.2.1.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

namespace nines::timeline {

struct Interval {
  int64_t low = 0, high = 0;
};

struct Agreement {
  Interval best;       // hull of where as many as possible agree
  Interval plausible;  // the same with `slack` fewer
  int64_t spread = 0;  // from the middle of best to the farther end of plausible
};

// Slack: 2 % of all intervals and as many as do not agree: what is wrong elsewhere may be wrong
// here. None: no intervals. REQUIRES low <= high in each.
std::optional<Agreement> agree(const std::vector<Interval>& intervals);

}  // namespace nines::timeline
