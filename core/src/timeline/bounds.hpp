// When each of many events can have happened, narrowed by what is known to be before what.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace nines::timeline {

inline constexpr int64_t kFirstTime = -(int64_t{1} << 62), kLastTime = int64_t{1} << 62;
inline constexpr uint32_t kNone = 0xFFFFFFFFU;

struct Cause {
  uint32_t from = kNone, to = kNone;
};

// One element an event. The chain of a node is a linked list; low, high and likely rise along it.
struct Bounds {
  explicit Bounds(size_t n)
      : low(n, kFirstTime), high(n, kLastTime), likely(n), next(n, kNone), previous(n, kNone) {}
  std::vector<int64_t> low, high, likely;
  std::vector<uint32_t> next, previous;
};

// Afterwards low, high and likely rise along `causes` as they do along chains, likely (and high)
// by at least 1 ns; where low > high, what is known contradicts itself, else low <= likely <= high.
// False: causes and chains go around in circles; `bounds` is as it was.
bool narrow(Bounds& bounds, std::vector<Cause> causes);

}  // namespace nines::timeline
