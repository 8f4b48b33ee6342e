// Split-block Bloom filters: eight bits of each fingerprint, all within one bucket of 32 bytes, so
// that a look costs one cache line. At 12 bits a token about one in 200 others seems to be there.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <vector>

#include "index/tokens.hpp"

namespace nines::collector {

static_assert(std::endian::native == std::endian::little);  // filters are written as they stand

inline constexpr size_t kBucketBytes = 32;
inline constexpr size_t kBitsPerToken = 12;

struct BloomHash {
  static constexpr uint32_t kSalts[8] = {0x47b6137bU, 0x44974d91U, 0x8824ad5bU, 0xa2b7289dU,
                                         0x705495c7U, 0x2df1424bU, 0x9efc4947U, 0x5c6bfb31U};
  static uint32_t bucket(uint32_t print, uint32_t buckets) noexcept {
    return static_cast<uint32_t>((uint64_t{print} * buckets) >> 32);
  }
  // Buckets take the upper bits; those that are left are spread first.
  static uint32_t bit(uint32_t print, size_t word) noexcept {
    return uint32_t{1} << ((print * 0x9E3779B1U * kSalts[word]) >> 27);
  }
};

// Buckets that so many tokens want.
inline uint32_t buckets_for(size_t tokens) noexcept {
  return static_cast<uint32_t>((tokens * kBitsPerToken + 8 * kBucketBytes - 1) /
                               (8 * kBucketBytes));
}

inline std::vector<uint32_t> make_bloom(const TokenSet& tokens, uint32_t buckets) {
  std::vector<uint32_t> words(size_t{buckets} * 8);
  if (words.empty()) return words;
  tokens.each([&](uint32_t print) {
    uint32_t* const bucket = words.data() + size_t{8} * BloomHash::bucket(print, buckets);
    for (size_t i = 0; i < 8; ++i) bucket[i] |= BloomHash::bit(print, i);
  });
  return words;
}

// `filter`: buckets * kBucketBytes bytes, aligned or not. False: it is certainly not there.
inline bool may_hold(const char* filter, uint32_t buckets, uint32_t print) noexcept {
  if (buckets == 0) return false;
  uint32_t words[8];
  std::memcpy(words, filter + kBucketBytes * BloomHash::bucket(print, buckets), sizeof words);
  bool all = true;
  for (size_t i = 0; i < 8; ++i) all = all && (words[i] & BloomHash::bit(print, i)) != 0;
  return all;
}

}  // namespace nines::collector
