// Unsigned integers of 384 bits, enough for every comparison of counts with decimal targets: three
// 63-bit totals, a budget of 18 digits and a factor of 18 digits multiply to 318 bits. 32-bit
// limbs, because 32-bit ARM has no 128-bit integers. A result that does not fit stops the program.
#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>

#include "nines/base/contract.hpp"

namespace nines::slo {

class WideUint {
 public:
  static constexpr size_t kLimbs = 12;

  constexpr explicit WideUint(uint64_t value = 0) noexcept
      : limbs_{static_cast<uint32_t>(value), static_cast<uint32_t>(value >> 32)} {}

  constexpr WideUint& operator*=(uint64_t factor) noexcept {
    const auto high = static_cast<uint32_t>(factor >> 32);
    if (high == 0) return times_limb(static_cast<uint32_t>(factor));
    WideUint upper = *this;
    upper.times_limb(high).shift_limb();
    times_limb(static_cast<uint32_t>(factor));
    return *this += upper;
  }

  constexpr WideUint& operator+=(const WideUint& other) noexcept {
    uint64_t carry = 0;
    for (size_t i = 0; i < kLimbs; ++i) {
      carry += uint64_t{limbs_[i]} + other.limbs_[i];
      limbs_[i] = static_cast<uint32_t>(carry);
      carry >>= 32;
    }
    NINES_ASSERT(carry == 0);
    return *this;
  }

  // Multiplies by 10^power; power >= 0.
  constexpr WideUint& times_pow10(int power) noexcept {
    for (; power >= 9; power -= 9) times_limb(1'000'000'000);
    for (; power > 0; --power) times_limb(10);
    return *this;
  }

  friend constexpr std::strong_ordering operator<=>(const WideUint& a, const WideUint& b) noexcept {
    for (size_t i = kLimbs; i-- > 0;) {
      if (a.limbs_[i] != b.limbs_[i]) return a.limbs_[i] <=> b.limbs_[i];
    }
    return std::strong_ordering::equal;
  }
  friend constexpr bool operator==(const WideUint&, const WideUint&) noexcept = default;

 private:
  constexpr WideUint& times_limb(uint32_t factor) noexcept {
    uint64_t carry = 0;
    for (uint32_t& limb : limbs_) {
      carry += uint64_t{limb} * factor;
      limb = static_cast<uint32_t>(carry);
      carry >>= 32;
    }
    NINES_ASSERT(carry == 0);
    return *this;
  }

  constexpr void shift_limb() noexcept {
    NINES_ASSERT(limbs_[kLimbs - 1] == 0);
    for (size_t i = kLimbs - 1; i > 0; --i) limbs_[i] = limbs_[i - 1];
    limbs_[0] = 0;
  }

  std::array<uint32_t, kLimbs> limbs_;
};

}  // namespace nines::slo
