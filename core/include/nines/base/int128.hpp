// Signed 128-bit integers for exact decimals. Int128 is the compiler's own type where there is one
// and PortableInt128 on 32-bit ARM, which has none. REQUIRES of both: results stay within +-2^127,
// divisors are not 0. A division of more than 64 bits takes the portable one up to 128 steps.
#pragma once

#include <compare>
#include <cstdint>

#include "nines/base/contract.hpp"

namespace nines {

class PortableInt128 {
 public:
  constexpr PortableInt128() noexcept = default;
  constexpr PortableInt128(int64_t value) noexcept  // as implicit as that of the compiler's type
      : low_(static_cast<uint64_t>(value)), high_(value < 0 ? ~uint64_t{0} : 0) {}

  // The low 64 bits: exact for a value within int64_t.
  constexpr explicit operator int64_t() const noexcept { return static_cast<int64_t>(low_); }

  constexpr PortableInt128 operator-() const noexcept {
    return from_bits(~high_ + (low_ == 0 ? 1 : 0), 0 - low_);
  }
  friend constexpr PortableInt128 operator+(PortableInt128 a, PortableInt128 b) noexcept {
    const uint64_t low = a.low_ + b.low_;
    return from_bits(a.high_ + b.high_ + (low < a.low_ ? 1 : 0), low);
  }
  friend constexpr PortableInt128 operator-(PortableInt128 a, PortableInt128 b) noexcept {
    return a + -b;
  }
  friend constexpr PortableInt128 operator*(PortableInt128 a, PortableInt128 b) noexcept {
    PortableInt128 product = product_of(a.low_, b.low_);
    product.high_ += a.high_ * b.low_ + a.low_ * b.high_;
    return product;
  }
  friend constexpr PortableInt128 operator/(PortableInt128 a, PortableInt128 b) noexcept {
    PortableInt128 rest = a.size();
    const PortableInt128 size = divide_out(rest, b.size());
    return a.negative() != b.negative() ? -size : size;
  }
  // Sign of the dividend, as in C.
  friend constexpr PortableInt128 operator%(PortableInt128 a, PortableInt128 b) noexcept {
    PortableInt128 rest = a.size();
    divide_out(rest, b.size());
    return a.negative() ? -rest : rest;
  }
  // count within 0..127; the shifts are those of the bits.
  friend constexpr PortableInt128 operator<<(PortableInt128 a, int count) noexcept {
    if (count == 0) return a;
    if (count >= 64) return from_bits(a.low_ << (count - 64), 0);
    return from_bits(a.high_ << count | a.low_ >> (64 - count), a.low_ << count);
  }
  constexpr PortableInt128& operator+=(PortableInt128 b) noexcept { return *this = *this + b; }
  constexpr PortableInt128& operator*=(PortableInt128 b) noexcept { return *this = *this * b; }
  constexpr PortableInt128& operator/=(PortableInt128 b) noexcept { return *this = *this / b; }

  friend constexpr std::strong_ordering operator<=>(PortableInt128 a, PortableInt128 b) noexcept {
    if (a.high_ != b.high_) return static_cast<int64_t>(a.high_) <=> static_cast<int64_t>(b.high_);
    return a.low_ <=> b.low_;
  }
  friend constexpr bool operator==(PortableInt128, PortableInt128) noexcept = default;

 private:
  static constexpr PortableInt128 from_bits(uint64_t high, uint64_t low) noexcept {
    PortableInt128 made;
    made.low_ = low;
    made.high_ = high;
    return made;
  }
  constexpr bool negative() const noexcept { return high_ >> 63 != 0; }
  constexpr PortableInt128 size() const noexcept { return negative() ? -*this : *this; }
  constexpr int bits() const noexcept {
    return high_ != 0 ? 128 - __builtin_clzll(high_) : low_ != 0 ? 64 - __builtin_clzll(low_) : 0;
  }

  // 64 x 64 -> 128 bits out of four products of halves.
  static constexpr PortableInt128 product_of(uint64_t a, uint64_t b) noexcept {
    constexpr uint64_t kHalf = 0xffff'ffff;
    const uint64_t low = (a & kHalf) * (b & kHalf);
    const uint64_t middle = (a >> 32) * (b & kHalf) + (low >> 32);
    const uint64_t other = (a & kHalf) * (b >> 32) + (middle & kHalf);
    return from_bits((a >> 32) * (b >> 32) + (middle >> 32) + (other >> 32),
                     other << 32 | (low & kHalf));
  }

  // Sizes only, that is, nothing negative. Returns the quotient and leaves the rest: the machine's
  // division where it reaches, else long division bit by bit from where the leading bits meet.
  static constexpr PortableInt128 divide_out(PortableInt128& rest, PortableInt128 b) noexcept {
    NINES_ASSERT(b != 0);
    if (rest.high_ == 0 && b.high_ == 0) {
      const uint64_t low = rest.low_;
      rest.low_ = low % b.low_;
      return from_bits(0, low / b.low_);
    }
    PortableInt128 quotient;
    for (int shift = rest.bits() - b.bits(); shift >= 0; --shift) {
      const PortableInt128 part = b << shift;
      if (rest < part) continue;
      rest = rest - part;
      quotient += PortableInt128(1) << shift;
    }
    return quotient;
  }

  uint64_t low_ = 0;
  uint64_t high_ = 0;  // two's complement
};

#ifdef __SIZEOF_INT128__
using Int128 = __int128;
#else
using Int128 = PortableInt128;
#endif

}  // namespace nines
