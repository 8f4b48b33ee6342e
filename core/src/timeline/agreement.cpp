#include "timeline/agreement.hpp"

#include <algorithm>

namespace nines::timeline {
namespace {

struct End {
  int64_t at = 0;
  bool closes = false;  // after those that open at the same time: intervals are closed
  bool operator<(const End& o) const { return at != o.at ? at < o.at : closes < o.closes; }
};

size_t most(const std::vector<End>& ends) {
  size_t open = 0, best = 0;
  for (const End& end : ends) {
    end.closes ? --open : ++open;
    best = std::max(best, open);
  }
  return best;
}

// Hull of where at least `need` are open. REQUIRES 1 <= need <= most().
Interval hull(const std::vector<End>& ends, size_t need) {
  Interval out;
  size_t open = 0;
  bool found = false;
  for (const End& end : ends) {
    if (end.closes) {
      if (open-- >= need) out.high = end.at;
    } else if (++open >= need && !found) {
      out.low = end.at;
      found = true;
    }
  }
  return out;
}

}  // namespace

std::optional<Agreement> agree(const std::vector<Interval>& intervals) {
  if (intervals.empty()) return std::nullopt;
  std::vector<End> ends;
  ends.reserve(2 * intervals.size());
  for (const Interval& interval : intervals) {
    ends.push_back({interval.low, false});
    ends.push_back({interval.high, true});
  }
  std::sort(ends.begin(), ends.end());
  const size_t best = most(ends);
  const size_t slack = intervals.size() / 50 + (intervals.size() - best);
  Agreement out{hull(ends, best), hull(ends, best > slack ? best - slack : 1)};
  const int64_t middle = out.best.low + (out.best.high - out.best.low) / 2;
  out.spread = std::max(middle - out.plausible.low, out.plausible.high - middle);
  return out;
}

}  // namespace nines::timeline
