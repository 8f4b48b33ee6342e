// Joins parts into one hash; saved states hold its values, so it stays as it is.
#pragma once

#include <cstdint>

namespace nines::incident {

inline uint64_t mix(uint64_t hash, uint64_t part) noexcept {
  hash = (hash ^ part) * 0x9ddfea08eb382d69ULL;
  return hash ^ (hash >> 32);
}

}  // namespace nines::incident
