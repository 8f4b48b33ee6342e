// Skeleton: the words of a message that are no parameters, by rules that need nothing but the word
// and its neighbour.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace nines::incident {

struct SkeletonWord {
  uint64_t hash = 0;
  uint32_t begin = 0, size = 0;  // in the message
};

struct Skeleton {
  static constexpr size_t kMaxWords = 48;  // those behind are not looked at
  std::array<SkeletonWord, kMaxWords> words;
  size_t count = 0;
};

// Numbers and whatever holds a digit, dates, hosts, paths, hexadecimal strings are parameters; so
// is a unit of time behind a number, while units of size stand for one another. Of equal words in a
// row one is kept: lists differ in their length only.
void read_skeleton(std::string_view message, Skeleton& out) noexcept;

}  // namespace nines::incident
