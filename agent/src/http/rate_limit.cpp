#include "http/rate_limit.hpp"

#include <algorithm>

namespace nines::agent::http {
namespace {

constexpr int64_t kOne = 1000;  // a request, in thousandths

}  // namespace

void RateLimit::make_room() {
  if (buckets_.size() < limits_.max_addresses) return;
  const auto oldest = std::min_element(
      buckets_.begin(), buckets_.end(),
      [](const auto& a, const auto& b) { return a.second.filled.ns < b.second.filled.ns; });
  buckets_.erase(oldest);
  ++forgotten_;
}

std::optional<int64_t> RateLimit::wait(std::string_view address, Instant now) {
  if (limits_.per_s <= 0) return std::nullopt;
  const int64_t full = limits_.burst * kOne;
  auto found = buckets_.find(std::string(address));
  if (found == buckets_.end()) {
    make_room();
    found = buckets_.emplace(std::string(address), Bucket{full, now}).first;
  }
  Bucket& bucket = found->second;
  // Whole milliseconds, so that what is asked often still fills the bucket.
  const int64_t passed_ms = std::max<int64_t>(0, (now.ns - bucket.filled.ns) / kNsPerMs);
  const int64_t fill_ms = (full - bucket.millis) / limits_.per_s + 1;
  bucket.millis = std::min(full, bucket.millis + std::min(passed_ms, fill_ms) * limits_.per_s);
  bucket.filled.ns += passed_ms * kNsPerMs;
  if (bucket.millis >= kOne) {
    bucket.millis -= kOne;
    return std::nullopt;
  }
  ++refused_;
  const int64_t missing_ms = (kOne - bucket.millis + limits_.per_s - 1) / limits_.per_s;
  return std::max<int64_t>(1, (missing_ms + 999) / 1000);
}

}  // namespace nines::agent::http
