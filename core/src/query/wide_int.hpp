// Signed integers of a fixed number of 64-bit words: sums that never round and never overflow, so
// that it doesn't matter in which order their parts are added.
#pragma once

#include <array>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>

#include "hash.hpp"

namespace nines::query {

template <size_t N>
class WideInt {  // two's complement, lowest word first
 public:
  // Adds (high, low) * 2^(64 * word), or takes it away. REQUIRES word + 1 < N.
  void add(bool negative, uint64_t low, uint64_t high = 0, size_t word = 0) noexcept {
    bool carry = false;
    carry = step(words_[word], low, negative, carry);
    carry = step(words_[word + 1], high, negative, carry);
    for (size_t i = word + 2; carry && i < N; ++i) carry = step(words_[i], 0, negative, carry);
  }

  WideInt& operator+=(const WideInt& other) noexcept {
    bool carry = false;
    for (size_t i = 0; i < N; ++i) carry = step(words_[i], other.words_[i], false, carry);
    return *this;
  }
  WideInt& operator-=(const WideInt& other) noexcept {
    bool carry = false;
    for (size_t i = 0; i < N; ++i) carry = step(words_[i], other.words_[i], true, carry);
    return *this;
  }

  bool negative() const noexcept { return words_[N - 1] >> 63 != 0; }
  WideInt size() const noexcept {
    if (!negative()) return *this;
    WideInt positive;
    positive -= *this;
    return positive;
  }
  uint64_t& operator[](size_t i) noexcept { return words_[i]; }
  uint64_t operator[](size_t i) const noexcept { return words_[i]; }

  // Nearest double of the value times 2^power.
  double to_double(int power = 0) const noexcept {
    const WideInt positive = size();
    size_t top = N;
    while (top > 0 && positive.words_[top - 1] == 0) --top;
    if (top == 0) return 0;
    const int shift = std::countl_zero(positive.words_[top - 1]);
    uint64_t bits = positive.words_[top - 1] << shift;
    uint64_t rest = 0;
    if (top > 1 && shift > 0) bits |= positive.words_[top - 2] >> (64 - shift);
    if (top > 1) rest = positive.words_[top - 2] << shift;
    for (size_t i = 0; i + 2 < top; ++i) rest |= positive.words_[i];
    if (rest != 0) bits |= 1;  // tells halves from more than halves
    const double d =
        std::ldexp(static_cast<double>(bits), static_cast<int>(top - 1) * 64 - shift + power);
    return negative() ? -d : d;
  }

  // Divides a value that is not negative; returns the rest.
  uint32_t divide(uint32_t by) noexcept {
    uint64_t rest = 0;
    for (size_t i = N; i-- > 0;) {
      const uint64_t high = rest << 32 | words_[i] >> 32;
      const uint64_t low = (high % by) << 32 | (words_[i] & 0xffff'ffffU);
      words_[i] = (high / by) << 32 | low / by;
      rest = low % by;
    }
    return static_cast<uint32_t>(rest);
  }

  friend bool operator==(const WideInt&, const WideInt&) = default;

 private:
  static bool step(uint64_t& word, uint64_t by, bool subtract, bool carry) noexcept {
    uint64_t part = 0;
    const bool first = subtract ? __builtin_sub_overflow(word, by, &part)
                                : __builtin_add_overflow(word, by, &part);
    const bool second = subtract ? __builtin_sub_overflow(part, uint64_t{carry}, &word)
                                 : __builtin_add_overflow(part, uint64_t{carry}, &word);
    return first || second;
  }

  std::array<uint64_t, N> words_{};
};

// Of values that are not negative. REQUIRES that the product fits N words.
template <size_t N, size_t A, size_t B>
WideInt<N> product(const WideInt<A>& a, const WideInt<B>& b) noexcept {
  WideInt<N + 1> sum;  // room for the word that add() may touch
  for (size_t i = 0; i < A; ++i) {
    if (a[i] == 0) continue;
    for (size_t k = 0; k < B && i + k < N; ++k) {
      const Product p = multiply(a[i], b[k]);
      sum.add(false, p.low, p.high, i + k);
    }
  }
  WideInt<N> result;
  for (size_t i = 0; i < N; ++i) result[i] = sum[i];
  return result;
}

}  // namespace nines::query
