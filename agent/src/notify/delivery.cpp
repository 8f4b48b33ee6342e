#include "notify/delivery.hpp"

#include <algorithm>

#include "nines/base/contract.hpp"

namespace nines::agent::notify {

Delivery::Delivery(RetryPolicy policy, uint64_t cursor, uint64_t seed)
    : policy_(policy), cursor_(cursor), random_state_(seed), not_before_{INT64_MIN} {}

size_t Delivery::room() const { return kMaxQueue - queue_.size(); }

uint64_t Delivery::last_known() const { return queue_.empty() ? cursor_ : queue_.back().sequence; }

void Delivery::add(std::vector<slo::AlertEvent> events) {
  for (slo::AlertEvent& event : events) {
    if (event.sequence <= last_known() || room() == 0) continue;
    queue_.push_back(std::move(event));
  }
}

const slo::AlertEvent* Delivery::begin(Instant now) {
  if (in_flight_ || queue_.empty() || now < not_before_) return nullptr;
  in_flight_ = true;
  ++stats_.attempts;
  return &queue_.front();
}

void Delivery::pass_over() {
  NINES_ASSERT(in_flight_);
  --stats_.attempts;
  cursor_ = queue_.front().sequence;
  queue_.pop_front();
  in_flight_ = false;
}

std::optional<Instant> Delivery::due() const {
  if (in_flight_ || queue_.empty()) return std::nullopt;
  return not_before_;
}

Outcome Delivery::answered(int status, std::optional<int64_t> retry_after_ms, Instant now) {
  NINES_ASSERT(in_flight_);
  if (status >= 200 && status < 300) return finish(Outcome::delivered);
  const bool final = status >= 400 && status < 500 && status != 408 && status != 429;
  return final ? finish(Outcome::dead) : retry(retry_after_ms, now);
}

Outcome Delivery::failed(Instant now) {
  NINES_ASSERT(in_flight_);
  return retry(std::nullopt, now);
}

DeliveryStats Delivery::stats() const {
  DeliveryStats stats = stats_;
  stats.pending = queue_.size();
  return stats;
}

Outcome Delivery::finish(Outcome outcome) {
  cursor_ = queue_.front().sequence;
  queue_.pop_front();
  in_flight_ = false;
  tries_ = 0;
  not_before_ = {INT64_MIN};
  ++(outcome == Outcome::delivered ? stats_.sent : stats_.dead);
  return outcome;
}

Outcome Delivery::retry(std::optional<int64_t> at_least_ms, Instant now) {
  in_flight_ = false;
  ++stats_.failures;
  const int doublings = std::min(tries_++, 30);
  const int64_t ceiling = std::min(policy_.max_ms, policy_.base_ms << std::min(doublings, 20));
  int64_t wait_ms = static_cast<int64_t>(random() % static_cast<uint64_t>(ceiling + 1));
  wait_ms = std::max(wait_ms, policy_.min_ms);
  // Jitter on top of what the receiver asked for: all its clients come back at that instant.
  if (at_least_ms) wait_ms += std::clamp<int64_t>(*at_least_ms, 0, policy_.max_retry_after_ms);
  not_before_ = {now.ns + wait_ms * kNsPerMs};
  return Outcome::retry;
}

// SplitMix64 (S. Vigna): enough for jitter, and the same numbers everywhere.
uint64_t Delivery::random() {
  uint64_t z = (random_state_ += 0x9e3779b97f4a7c15);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return z ^ (z >> 31);
}

}  // namespace nines::agent::notify
