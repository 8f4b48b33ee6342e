// TokenCollector for different processors.
#pragma once

#include <cstdint>
#include <string_view>

#include "index/tokens.hpp"

namespace nines::collector {

// Classes of 64 bytes, a bit each.
struct Masks {
  uint64_t token = 0, digit = 0, dot = 0;  // token: without dots
  uint64_t odd = 0;                        // backslash or 'P'
};

using CollectTokens = void (*)(std::string_view text, uint64_t serial, TokenCollector::Work& work,
                               TokenSet& out, Oddities& odd);

void collect_plain(std::string_view text, uint64_t serial, TokenCollector::Work& work,
                   TokenSet& out, Oddities& odd);
// Null where the processor lacks it.
CollectTokens collector_for_avx2() noexcept;

}  // namespace nines::collector
