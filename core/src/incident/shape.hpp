// The shape of a message: a hash of its bytes in which every digit stands for every other. Digits
// are parameters whatever their value, so messages of one shape have one skeleton, and whoever has
// kept it for the shape need not read the words again. Hashing eight bytes at a time it costs a
// fraction of that.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "incident/hash.hpp"

namespace nines::incident {

// Longer ones are rarely the same twice.
inline constexpr size_t kMaxShapeBytes = 512;

// Each of the eight bytes that is a digit becomes '0'.
constexpr uint64_t without_digits(uint64_t bytes) noexcept {
  constexpr uint64_t kEach = 0x0101010101010101ULL;
  const uint64_t low = bytes ^ (kEach * '0');  // of digits 0 to 9
  const uint64_t no_digit = (((low & (kEach * 0x7f)) + kEach * (0x80 - 10)) | low) & (kEach * 0x80);
  const uint64_t digit = (no_digit ^ (kEach * 0x80)) >> 7;  // 1 in each byte that is one
  return bytes & ~(digit * 0x0f);
}

// Never 0, which Shapes takes for none. A good hash: what collides would be taken for the same.
inline uint64_t shape_of(std::string_view message) noexcept {
  const uint64_t hash = hash_text(message, [](uint64_t bytes) { return without_digits(bytes); });
  return hash | (hash == 0 ? 1 : 0);
}

// The hash of the skeleton that a message of a shape has, for the shapes seen last, which never
// becomes wrong; and where its template was found, a guess to be tested.
class Shapes {
 public:
  struct Known {
    uint64_t shape = 0, skeleton = 0;
    uint32_t entry = UINT32_MAX, generation = 0;
  };
  Shapes() : known_(kSlots) {}
  // What is known of the shape is in the answer when `shape` is equal; else the place to keep it.
  Known& at(uint64_t shape) noexcept { return known_[shape & (kSlots - 1)]; }
  size_t memory_bytes() const noexcept { return known_.size() * sizeof(Known); }

 private:
  static constexpr size_t kSlots = 4096;  // power of two
  std::vector<Known> known_;
};

}  // namespace nines::incident
