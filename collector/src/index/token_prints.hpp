// Fingerprints of tokens (tokens.hpp), for both sides of the index.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "index/tokens.hpp"

namespace nines::collector::prints {

inline constexpr size_t kGramBytes = 24;
inline constexpr size_t kWindow = kLongTokenBytes - kGramBytes + 1;  // grams, the least is taken
inline constexpr size_t kAround = 8;  // bytes that print_of_small may read

inline uint64_t load8(const char* p) noexcept {
  uint64_t out;
  std::memcpy(&out, p, sizeof out);
  return out;
}
// Upper case to lower; no two bytes of tokens to one.
inline uint64_t folded(const char* p) noexcept { return load8(p) | 0x2020202020202020ULL; }

inline uint64_t mix(uint64_t x) noexcept {
  x *= 0x9FB21C651E98DF25ULL;
  return x ^ (x >> 32);
}
inline uint32_t print_of(uint64_t hash) noexcept {
  const auto print = static_cast<uint32_t>((hash * 0xD6E8FEB86659FD93ULL) >> 32);
  return print + (print == 0 ? 1 : 0);
}

// REQUIRES kMinTokenBytes or more.
inline uint32_t print_of_short(const char* p, size_t size) noexcept {
  return print_of(mix(folded(p) ^ size) ^ folded(p + size - 8));
}
// REQUIRES kMinIdBytes to 8 bytes, and kAround readable ones behind `p`.
inline uint32_t print_of_small(const char* p, size_t size) noexcept {
  return print_of(mix((folded(p) << (64 - 8 * size)) ^ size));
}

inline uint32_t print_of_gram(const char* p) noexcept {
  // Small ones as they are, they would crowd in few places of a filter.
  return print_of(mix(mix(mix(folded(p)) ^ folded(p + 8)) ^ folded(p + 16)));
}

// Where grams stand in the order of which the least is taken: by a hash of their first bytes, and
// of equal ones the first. REQUIRES i < kBlobBytes.
inline uint64_t order_of_gram(const char* p, size_t i) noexcept {
  return ((folded(p + i) * 0x9FB21C651E98DF25ULL) & ~uint64_t{0x1FF}) | i;
}

// The least gram of every window. REQUIRES kLongTokenBytes or more, less than kBlobBytes.
template <class Visit>
void each_minimizer(const char* p, size_t size, Visit&& visit) {
  const size_t grams = size - kGramBytes + 1;
  std::array<uint64_t, kBlobBytes> order;
  for (size_t i = 0; i < kWindow - 1; ++i) order[i] = order_of_gram(p, i);
  uint64_t before = UINT64_MAX;
  for (size_t end = kWindow; end <= grams; ++end) {
    order[end - 1] = order_of_gram(p, end - 1);
    uint64_t least = order[end - kWindow];
    for (size_t i = end - kWindow + 1; i < end; ++i) least = std::min(least, order[i]);
    if (least != before) visit(print_of_gram(p + (least & 0x1FF)));
    before = least;
  }
}

// Two dots or more in 8 bytes, as in an address.
inline bool has_dots(const char* p) noexcept {
  constexpr uint64_t kDots = 0x2E2E2E2E2E2E2E2EULL, kLow = 0x7F7F7F7F7F7F7F7FULL;
  const uint64_t x = load8(p) ^ kDots;
  const uint64_t dots = ~(((x & kLow) + kLow) | x | kLow);  // the upper bit of each
  return (dots & (dots - 1)) != 0;
}

// 12.345, 51.262484239Z, 262484Z: every line has another one, and nobody looks for them.
inline bool is_fraction(const char* p, size_t size) noexcept {
  if (size >= 8 && has_dots(p)) return false;
  const bool zulu = (p[size - 1] | 0x20) == 'z';
  bool dot = false;
  for (size_t i = 0; i < size - (zulu ? 1 : 0); ++i) {
    if (p[i] == '.') {
      if (dot) return false;
      dot = true;
    } else if (p[i] < '0' || p[i] > '9') {
      return false;
    }
  }
  return dot || zulu;
}

}  // namespace nines::collector::prints
