// Bytes that may be written, at most so many in any 24 hours.
#pragma once

#include <algorithm>
#include <cstdint>

#include "nines/base/time.hpp"

namespace nines::collector {

// A token bucket: half of the day's bytes may be saved up, the other half trickles in over the day.
class ByteBudget {
 public:
  // `used`: of what was saved up, before now. daily 0: no limit.
  ByteBudget(int64_t daily, int64_t used, Instant now)
      : daily_(daily), level_(std::max<int64_t>(0, daily / 2 - used)), at_(now) {}

  bool take(int64_t bytes, Instant now) {
    if (daily_ == 0) return true;
    refill(now);
    if (level_ < bytes) return false;
    level_ -= bytes;
    return true;
  }
  bool has(int64_t bytes, Instant now) {
    if (daily_ == 0) return true;
    refill(now);
    return level_ >= bytes;
  }

 private:
  static constexpr int64_t kDayMs = 86'400'000;
  void refill(Instant now) {
    const int64_t ms = std::min((now.ns - at_.ns) / kNsPerMs, kDayMs);
    const int64_t gained = daily_ / 2 * ms / kDayMs;
    if (gained <= 0) return;
    level_ = std::min(daily_ / 2, level_ + gained);
    at_ = now;
  }

  int64_t daily_, level_;
  Instant at_;
};

}  // namespace nines::collector
