// Hashes of keys with a fixed seed: which groups stay at a limit and what HyperLogLog counts must
// be the same on every machine and in every process.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "nines/log/value.hpp"

namespace nines::query {

struct Product {
  uint64_t low, high;
};
// 64 x 64 -> 128 bits.
inline Product multiply(uint64_t a, uint64_t b) noexcept {
#ifdef __SIZEOF_INT128__
  __extension__ using Wide = unsigned __int128;
  const Wide product = static_cast<Wide>(a) * b;
  return {static_cast<uint64_t>(product), static_cast<uint64_t>(product >> 64)};
#else
  constexpr uint64_t kHalf = 0xffff'ffff;
  const uint64_t low = (a & kHalf) * (b & kHalf);
  const uint64_t middle = (a >> 32) * (b & kHalf) + (low >> 32);
  const uint64_t other = (a & kHalf) * (b >> 32) + (middle & kHalf);
  return {other << 32 | (low & kHalf), (a >> 32) * (b >> 32) + (middle >> 32) + (other >> 32)};
#endif
}

namespace hash_detail {
inline constexpr uint64_t kA = 0xa0761d6478bd642fULL, kB = 0xe7037ed1a0b428dbULL,
                          kC = 0x8ebc6af09c88c6e3ULL;
inline uint64_t fold(uint64_t a, uint64_t b) noexcept {
  const Product p = multiply(a, b);
  return p.low ^ p.high;
}
template <class T>
uint64_t read(const char* p) noexcept {
  T v;
  std::memcpy(&v, p, sizeof v);
  if constexpr (std::endian::native == std::endian::big) {
    v = sizeof v == 8 ? static_cast<T>(__builtin_bswap64(v)) : static_cast<T>(__builtin_bswap32(v));
  }
  return v;
}
}  // namespace hash_detail

// After wyhash (Wang Yi, public domain): folded products of 16 bytes at a time.
inline uint64_t hash_bytes(std::string_view text, uint64_t seed = 0) noexcept {
  using namespace hash_detail;
  const char* p = text.data();
  size_t n = text.size();
  seed ^= kA;
  uint64_t a = 0;
  uint64_t b = 0;
  if (n <= 16) {
    if (n >= 8) {
      a = read<uint64_t>(p);
      b = read<uint64_t>(p + n - 8);
    } else if (n >= 4) {
      a = read<uint32_t>(p);
      b = read<uint32_t>(p + n - 4);
    } else if (n > 0) {
      a = uint64_t{static_cast<uint8_t>(p[0])} << 16 |
          uint64_t{static_cast<uint8_t>(p[n / 2])} << 8 | static_cast<uint8_t>(p[n - 1]);
    }
  } else {
    for (; n > 16; n -= 16, p += 16) {
      seed = fold(read<uint64_t>(p) ^ kB, read<uint64_t>(p + 8) ^ seed);
    }
    a = read<uint64_t>(p + n - 16);
    b = read<uint64_t>(p + n - 8);
  }
  const Product last = multiply(a ^ kB, b ^ seed);
  return fold(last.low ^ kA ^ text.size(), last.high ^ kC);
}

inline uint64_t hash_integer(uint64_t v, uint64_t seed) noexcept {
  using namespace hash_detail;
  return fold(fold(v ^ kB, seed ^ kA) ^ kA, kC);
}

// Equal for values that compare_values() calls equal.
uint64_t hash_value(const Value& value);

}  // namespace nines::query
