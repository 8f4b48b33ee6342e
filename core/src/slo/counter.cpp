#include "nines/slo/counter.hpp"

namespace nines::slo {

uint64_t CounterSeries::observe(uint64_t value, std::optional<WallTime> start_time,
                                WallTime watching_since) noexcept {
  const bool first = !last.has_value();
  const bool restarted = !first && (value < *last || (start_time && start && *start_time > *start));
  const uint64_t before = last.value_or(0);
  last = value;
  if (start_time) start = start_time;
  if (first) return start_time && *start_time >= watching_since ? value : 0;
  return restarted ? value : value - before;
}

}  // namespace nines::slo
