// Joins parts, or the bytes of a text, into one hash, the same on every machine. Saved states and
// other nodes hold the values, so they stay as they are. Not against those who choose texts to
// collide.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace nines::incident {

inline uint64_t mix(uint64_t hash, uint64_t part) noexcept {
  hash = (hash ^ part) * 0x9ddfea08eb382d69ULL;
  return hash ^ (hash >> 32);
}

// The rounds and the end of xxHash64, in two lanes. `each` is applied to every eight bytes, taken
// in the order of little-endian machines, which all are that we run on.
template <class Each>
uint64_t hash_text(std::string_view text, Each each) noexcept {
  constexpr uint64_t kFirst = 0x9e3779b185ebca87ULL, kSecond = 0xc2b2ae3d27d4eb4fULL;
  constexpr uint64_t kThird = 0x165667b19e3779f9ULL;
  const auto eight = [&](const char* at) {
    uint64_t bytes = 0;
    std::memcpy(&bytes, at, sizeof bytes);
    return each(bytes);
  };
  const auto round = [](uint64_t hash, uint64_t part) {
    return std::rotl(hash + part * kSecond, 31) * kFirst;
  };
  uint64_t even = kThird, odd = text.size();
  const char* at = text.data();
  size_t left = text.size();
  for (; left >= 16; left -= 16, at += 16) {
    even = round(even, eight(at));
    odd = round(odd, eight(at + 8));
  }
  if (left >= 8) {
    even = round(even, eight(at));
    left -= 8;
    at += 8;
  }
  if (left > 0 && text.size() >= 8) {
    odd = round(odd, eight(at + left - 8) >> (8 * (8 - left)));
  } else if (left > 0) {
    char bytes[8] = {};
    std::memcpy(bytes, at, left);
    odd = round(odd, eight(bytes));
  }
  uint64_t hash = std::rotl(even, 1) + std::rotl(odd, 7);
  hash = (hash ^ (hash >> 33)) * kSecond;
  hash = (hash ^ (hash >> 29)) * kThird;
  return hash ^ (hash >> 32);
}

// For names that mostly are equal and short: a call of memcmp() costs more than the comparison.
inline bool same_text(std::string_view a, std::string_view b) noexcept {
  if (a.size() != b.size()) return false;
  const char* x = a.data();
  const char* y = b.data();
  size_t left = a.size();
  const auto differ = [](const char* p, const char* q, auto of_p) {
    auto of_q = of_p;
    std::memcpy(&of_p, p, sizeof of_p);
    std::memcpy(&of_q, q, sizeof of_q);
    return of_p != of_q;
  };
  if (left >= 8) {  // the last eight overlap those before
    for (; left > 8; left -= 8, x += 8, y += 8) {
      if (differ(x, y, uint64_t{})) return false;
    }
    return !differ(x + left - 8, y + left - 8, uint64_t{});
  }
  if (left >= 4) {
    return !differ(x, y, uint32_t{}) && !differ(x + left - 4, y + left - 4, uint32_t{});
  }
  for (; left > 0; --left) {
    if (*x++ != *y++) return false;
  }
  return true;
}

}  // namespace nines::incident
