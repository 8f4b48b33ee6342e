// Backoff: how long to wait before something is tried again. Exponential with full jitter (M.
// Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015): the wait is drawn from
// [0, min(max, base * 2^tries)], so that many nodes that lost the same receiver do not come back
// together. What a receiver asked for (Retry-After) is kept as the least, with the jitter on top.
//
// A value; chance comes in as a seed. Not thread-safe.
#pragma once

#include <cstdint>
#include <optional>

#include "nines/base/time.hpp"

namespace nines {

struct RetryPolicy {
  int64_t base_ms = 1'000;
  int64_t max_ms = 60'000;                // so that an outage's end is noticed within a minute
  int64_t min_ms = 100;                   // full jitter may draw 0: never a busy loop
  int64_t max_retry_after_ms = 3600'000;  // what a receiver may ask for at most
};

// SplitMix64 (S. Vigna): enough for jitter, and the same numbers everywhere.
class SplitMix64 {
 public:
  explicit SplitMix64(uint64_t seed) : state_(seed) {}
  uint64_t next() {
    uint64_t z = (state_ += 0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
  }

 private:
  uint64_t state_;
};

class Backoff {
 public:
  Backoff(RetryPolicy policy, uint64_t seed) : policy_(policy), random_(seed) {}

  // After a failure: when to try again.
  Instant next(Instant now, std::optional<int64_t> at_least_ms = std::nullopt) {
    const int doublings = tries_ < kMostDoublings ? tries_++ : kMostDoublings;
    const int64_t most = policy_.base_ms << doublings;
    const int64_t ceiling = most < policy_.max_ms ? most : policy_.max_ms;
    auto wait_ms = static_cast<int64_t>(random_.next() % static_cast<uint64_t>(ceiling + 1));
    if (wait_ms < policy_.min_ms) wait_ms = policy_.min_ms;
    if (at_least_ms && *at_least_ms > 0) {
      wait_ms +=
          *at_least_ms < policy_.max_retry_after_ms ? *at_least_ms : policy_.max_retry_after_ms;
    }
    return {now.ns + wait_ms * kNsPerMs};
  }
  void succeeded() { tries_ = 0; }
  int tries() const { return tries_; }

 private:
  static constexpr int kMostDoublings = 20;
  RetryPolicy policy_;
  SplitMix64 random_;
  int tries_ = 0;
};

}  // namespace nines
