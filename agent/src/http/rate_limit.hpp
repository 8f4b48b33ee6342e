// RateLimit: how often one address may ask. A token bucket each, in a table of bounded size. Not
// thread-safe; no clock: `now` is monotonic.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "nines/base/time.hpp"

namespace nines::agent::http {

struct RateLimits {
  int64_t per_s = 100;  // requests of one address; 0: no limit
  int64_t burst = 400;  // that may come at once
  // Beyond, the address that has asked least lately is forgotten: a full bucket anew, so that many
  // addresses can lift each other's limit but never fill the memory.
  size_t max_addresses = 256;
};

class RateLimit {
 public:
  explicit RateLimit(RateLimits limits) : limits_(limits) {}
  // nullopt: it may. Else the seconds after which it may ask again, at least 1.
  std::optional<int64_t> wait(std::string_view address, Instant now);

  uint64_t refused() const noexcept { return refused_; }
  uint64_t forgotten() const noexcept { return forgotten_; }
  size_t addresses() const noexcept { return buckets_.size(); }

 private:
  struct Bucket {
    int64_t millis = 0;  // thousandths of a request that are left
    Instant filled{};
  };
  void make_room();
  RateLimits limits_;
  std::unordered_map<std::string, Bucket> buckets_;
  uint64_t refused_ = 0, forgotten_ = 0;
};

}  // namespace nines::agent::http
