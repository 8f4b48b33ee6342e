// Delivery: the sans-I/O half of a webhook. Decides which event is sent when, and what an answer
// means; time comes in as Instants and chance as a seed, so that a year of outages can be simulated
// in a second. Events go out in order, one at a time.
//
//   2xx                        delivered; the cursor moves on
//   408, 429, 5xx, no answer   tried again, for as long as it takes: exponential back-off with
//                              full jitter; Retry-After is kept
//   1xx, 3xx                   tried again: a captive portal answers so, and must not eat an alert
//   any other 4xx              the receiver will never take it: counted as dead, the cursor moves
//   on
//
// Memory: at most max_queue events. Not thread-safe.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

#include "nines/base/time.hpp"
#include "nines/slo/engine.hpp"

namespace nines::agent::notify {

struct RetryPolicy {
  int64_t base_ms = 1'000;
  int64_t max_ms = 60'000;                // so that an outage's end is noticed within a minute
  int64_t min_ms = 100;                   // full jitter may draw 0: never a busy loop
  int64_t max_retry_after_ms = 3600'000;  // what a receiver may ask for at most
};

struct DeliveryStats {
  uint64_t sent = 0, dead = 0, attempts = 0, failures = 0;
  size_t pending = 0;
};

enum class Outcome : uint8_t { delivered, dead, retry };

class Delivery {
 public:
  static constexpr size_t kMaxQueue = 64;

  Delivery(RetryPolicy policy, uint64_t cursor, uint64_t seed);

  // How many more events may be added; they must follow the last one by sequence. Others (already
  // told, or repeated) are ignored, so a source may answer twice.
  size_t room() const;
  void add(std::vector<slo::AlertEvent> events);
  // Sequence after which the next events are to be fetched.
  uint64_t last_known() const;

  // The event to send now, or null: nothing to do, one in flight, or waiting until due().
  // The pointer is valid until answered() or failed().
  const slo::AlertEvent* begin(Instant now);
  // When begin() will have something to give; nullopt: nothing waits.
  std::optional<Instant> due() const;

  // It is not for this destination: the cursor goes past it, and nothing counts it.
  void pass_over();
  Outcome answered(int status, std::optional<int64_t> retry_after_ms, Instant now);
  Outcome failed(Instant now);

  // Everything up to here has been told or is dead.
  uint64_t cursor() const { return cursor_; }
  DeliveryStats stats() const;

 private:
  Outcome finish(Outcome outcome);
  Outcome retry(std::optional<int64_t> at_least_ms, Instant now);
  uint64_t random();

  RetryPolicy policy_;
  uint64_t cursor_;
  uint64_t random_state_;
  std::deque<slo::AlertEvent> queue_;
  bool in_flight_ = false;
  int tries_ = 0;
  Instant not_before_{};
  DeliveryStats stats_;
};

}  // namespace nines::agent::notify
