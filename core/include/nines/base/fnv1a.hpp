// FNV-1a with 64 bits (Fowler, Noll, Vo; draft-eastlake-fnv): a hash of short texts for tables,
// tags and names. Its upper bits vary little where texts do, so what takes some of its bits mixes
// it first; and whoever may choose the text can make two of them meet.
#pragma once

#include <cstdint>
#include <string_view>

namespace nines {

inline constexpr uint64_t kFnvBasis = 0xcbf29ce484222325U;

// `hash`: of what came before it, to go on from.
constexpr uint64_t fnv1a64(std::string_view bytes, uint64_t hash = kFnvBasis) noexcept {
  for (const char c : bytes) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3U;
  return hash;
}

}  // namespace nines
