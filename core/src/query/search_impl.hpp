// What the engines of LiteralSearch share. A literal is looked for by its fingerprint: up to four
// bytes of it in a row, the rarest. Three forms of it:
//   members  for each of the four bytes, the set of literals that have this byte there: exact, the
//            portable way and the check of what the others find
//   nibbles  Teddy: the same with eight buckets instead of literals, and nibbles instead of bytes,
//            so that a shuffle looks sixteen or thirty-two of them up
//   pairs    two rare bytes of each literal, compared at all places; up to four literals
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "nines/query/search.hpp"

namespace nines::query {

inline constexpr size_t kMaxPairs = 4;
inline constexpr size_t kMaxWidth = 4;    // bytes of a fingerprint
inline constexpr size_t kMaxOffset = 32;  // of it within its literal
inline constexpr size_t kNowhere = SIZE_MAX;

struct BytePair {
  uint8_t first = 0, second = 0;            // in lower case where letters match in either case,
  uint8_t first_fold = 0, second_fold = 0;  // 0x20 then
  uint32_t first_at = 0, second_at = 0;
};

class LiteralSearch::Impl {
 public:
  using Byte = unsigned char;
  // What is looked through. Hits begin at or behind `from`.
  struct Text {
    const Byte* begin;
    const Byte* end;
    const Byte* from;
  };

  std::vector<std::string> literals;
  bool ignore_case = false;
  size_t width = 1;
  size_t min_offset = 0, max_offset = 0;
  size_t reach = 0;  // the farthest byte that pairs look at
  uint32_t offsets[kMaxLiterals] = {};
  uint64_t members[kMaxWidth][256] = {};
  uint64_t shorter[kMaxWidth] = {};  // literals whose fingerprint ends before this byte
  alignas(16) uint8_t low[kMaxWidth][16] = {}, high[kMaxWidth][16] = {};
  BytePair pairs[kMaxPairs];

  Impl(std::span<const std::string> literals, bool ignore_case);
  bool has_pairs() const noexcept { return literals.size() <= kMaxPairs; }
  // Whether literal `i` stands at `start`.
  bool stands(size_t i, const Byte* start, const Text& text) const noexcept;
  // The fingerprints at `place`: the leftmost literal that goes with one of them.
  Hit check(const Byte* place, const Text& text) const noexcept;
  // The first hit whose fingerprint is in [place, end).
  Hit scan(const Byte* place, const Byte* end, const Text& text) const noexcept;

  // An engine looks at fingerprints (pairs: at beginnings) from `place` on as far as whole vectors
  // reach. Without a hit `place` is where the portable way has to go on.
  using Engine = Hit (*)(const Impl& search, const Byte*& place, const Text& text);
  Engine engine = nullptr;  // nullptr: portable
  Hit find(const Text& text) const noexcept;
  bool choose(LiteralSearch::Engine wanted) noexcept;
  // REQUIRES has_pairs().
  void learn_pairs(std::string_view sample);

 private:
  void set_pair(size_t i, uint32_t first_at, uint32_t second_at);
  void place_fingerprint(size_t i);
  void place_pair(size_t i);
  void fill_buckets();
};

// nullptr: the machine, or this build, has no such instructions.
LiteralSearch::Impl::Engine vector16_engine(const LiteralSearch::Impl& search) noexcept;
LiteralSearch::Impl::Engine vector32_engine(const LiteralSearch::Impl& search) noexcept;

}  // namespace nines::query
