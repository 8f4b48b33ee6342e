// A token bucket on an injected clock: an average rate with a burst of one second. May be overdrawn
// by what cannot be divided (a long line); the debt is waited for.
#pragma once

#include <algorithm>
#include <cstdint>

#include "nines/base/time.hpp"

namespace nines::collector {

class TokenBucket {
 public:
  TokenBucket() = default;  // without limit
  explicit TokenBucket(int64_t per_s) : per_s_(std::clamp<int64_t>(per_s, 0, kMost)) {}

  bool limited() const noexcept { return per_s_ > 0; }
  // What may be taken now; INT64_MAX without limit, <= 0: wait until ready_at().
  int64_t available(Instant now) noexcept {
    if (!limited()) return INT64_MAX;
    refill(now);
    return tokens_;
  }
  void take(int64_t tokens) noexcept {
    if (limited()) tokens_ -= std::min(tokens, kMost);
  }
  Instant ready_at() const noexcept {
    if (!limited() || tokens_ > 0) return filled_;
    const int64_t wait_ms = ((1 - tokens_) * 1000 + per_s_ - 1) / per_s_;
    return {filled_.ns + wait_ms * kNsPerMs};
  }

 private:
  static constexpr int64_t kMost = 1'000'000'000;
  void refill(Instant now) noexcept {
    if (!started_) {
      started_ = true;
      tokens_ = per_s_;
      filled_ = now;
      return;
    }
    constexpr int64_t kLongestUs = 3'600'000'000;
    const int64_t us = std::clamp<int64_t>((now.ns - filled_.ns) / 1000, 0, kLongestUs);
    const int64_t gained = us * per_s_ / 1'000'000;
    if (gained == 0) return;
    tokens_ = std::min(per_s_, tokens_ + gained);
    // The time of the fraction that is not a whole token yet is kept.
    filled_.ns = tokens_ == per_s_ ? now.ns : filled_.ns + gained * 1'000'000 / per_s_ * 1000;
  }

  int64_t per_s_ = 0, tokens_ = 0;
  Instant filled_{};
  bool started_ = false;
};

}  // namespace nines::collector
