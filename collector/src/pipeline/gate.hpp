// What of a source is not to count: records before its start, and those beyond its rate when the
// excess is to be dropped.
#pragma once

#include <algorithm>
#include <cstdint>

#include "nines/base/time.hpp"
#include "nines/slo/spec.hpp"

namespace nines::collector {

// A token bucket that holds one second's worth, kept as the moment up to which it is spent.
class RateLimit {
 public:
  RateLimit() = default;
  explicit RateLimit(int64_t per_s) : per_s_(per_s) {}
  bool limited() const noexcept { return per_s_ > 0; }
  // `least`: what must be there; more may be spent than is there, as a debt.
  bool ready(Instant now, int64_t least) noexcept {
    if (!limited()) return true;
    spent_until_ns_ = std::max(spent_until_ns_, now.ns - kNsPerSecond);
    return spent_until_ns_ + cost_ns(least) <= now.ns;
  }
  void spend(int64_t n) noexcept {
    if (limited()) spent_until_ns_ += cost_ns(n);
  }

 private:
  int64_t cost_ns(int64_t n) const noexcept { return n * kNsPerSecond / per_s_; }
  int64_t per_s_ = 0;
  int64_t spent_until_ns_ = INT64_MIN / 2;
};

struct Admission {
  WallTime start{INT64_MIN};  // earlier records do not count
  RateLimit lines, bytes;

  Admission() = default;
  explicit Admission(const slo::SourceSelector& selector);
  bool limits() const noexcept {
    return start.ns != INT64_MIN || lines.limited() || bytes.limited();
  }
  bool take(Instant now, size_t size) noexcept {
    if (!lines.ready(now, 1) || !bytes.ready(now, 1)) return false;
    lines.spend(1);
    bytes.spend(static_cast<int64_t>(size));
    return true;
  }
};

}  // namespace nines::collector
