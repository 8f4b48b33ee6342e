#include "scan/time_range.hpp"

#include <algorithm>

namespace nines::collector {
int64_t TimeRange::add(int64_t a, int64_t b) noexcept {
  int64_t sum = 0;
  if (!__builtin_add_overflow(a, b, &sum)) return sum;
  return b > 0 ? INT64_MAX : INT64_MIN;
}

FileScan::Part find_stretch(int64_t size, const TimeRange& range, int64_t fine,
                            const Probe& probe) {
  FileScan::Part out{0, size};
  // Everything before out.begin is early, at every step; likewise behind out.end.
  if (range.since) {
    int64_t low = 0, high = size;
    while (high - low > fine) {
      const int64_t middle = low + (high - low) / 2;
      const auto found = probe(middle);
      if (found && found->at < high && range.all_before_are_early(found->ts)) {
        low = out.begin = found->at;
      } else {
        high = middle;
      }
    }
  }
  if (range.until) {
    int64_t low = out.begin, high = size;
    // A file that begins too late is left out as a whole.
    const auto first = probe(low);
    if (first && range.all_behind_are_late(first->ts)) {
      // What stands before it has no time, and so is in no range.
      out.end = out.begin;
      return out;
    }
    while (high - low > fine) {
      const int64_t middle = low + (high - low) / 2;
      const auto found = probe(middle);
      if (found && found->at < high && range.all_behind_are_late(found->ts)) {
        out.end = found->at;
        high = middle;
      } else {
        low = middle;
      }
    }
  }
  return out;
}

}  // namespace nines::collector
