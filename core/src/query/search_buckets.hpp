// Which literals share one of the eight buckets of Teddy. A bucket knows nibbles, not bytes, so
// that literals put together badly let through what none of them has; three bad ones cost more than
// the search itself.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "query/search_impl.hpp"

namespace nines::query {

inline constexpr size_t kBuckets = 8;

// For each byte of a fingerprint the sets of its low and of its high nibbles.
struct Bucket {
  std::array<uint16_t, kMaxWidth> low{}, high{};

  void add(size_t place, unsigned byte) noexcept {
    low[place] = static_cast<uint16_t>(low[place] | 1u << (byte & 15));
    high[place] = static_cast<uint16_t>(high[place] | 1u << (byte >> 4));
  }
  friend bool operator==(const Bucket&, const Bucket&) = default;
};

// Puts those together that let through the least, until no more than kBuckets are left.
void share_buckets(std::vector<Bucket>& buckets, size_t width);

}  // namespace nines::query
