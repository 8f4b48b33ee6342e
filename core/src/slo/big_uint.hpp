// Unsigned integers of any length, for sums of many fractions with exact denominators. WideUint is
// the one for a fixed number of counts.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace nines::slo {

class BigUint {
 public:
  explicit BigUint(uint64_t value = 0) {
    for (; value != 0; value >>= 32) limbs_.push_back(static_cast<uint32_t>(value));
  }

  BigUint& operator*=(uint64_t factor) {
    const auto high = static_cast<uint32_t>(factor >> 32);
    BigUint upper;
    if (high != 0) {
      upper = *this;
      upper.times_limb(high);
      if (!upper.limbs_.empty()) upper.limbs_.insert(upper.limbs_.begin(), 0);
    }
    times_limb(static_cast<uint32_t>(factor));
    return *this += upper;
  }

  BigUint& operator+=(const BigUint& other) {
    if (limbs_.size() < other.limbs_.size()) limbs_.resize(other.limbs_.size());
    uint64_t carry = 0;
    for (size_t i = 0; i < limbs_.size(); ++i) {
      carry += uint64_t{limbs_[i]} + (i < other.limbs_.size() ? other.limbs_[i] : 0);
      limbs_[i] = static_cast<uint32_t>(carry);
      carry >>= 32;
    }
    if (carry != 0) limbs_.push_back(static_cast<uint32_t>(carry));
    return *this;
  }

  // power >= 0.
  BigUint& times_pow10(int power) {
    for (; power >= 9; power -= 9) times_limb(1'000'000'000);
    for (; power > 0; --power) times_limb(10);
    return *this;
  }

  friend std::strong_ordering operator<=>(const BigUint& a, const BigUint& b) {
    if (a.limbs_.size() != b.limbs_.size()) return a.limbs_.size() <=> b.limbs_.size();
    for (size_t i = a.limbs_.size(); i-- > 0;) {
      if (a.limbs_[i] != b.limbs_[i]) return a.limbs_[i] <=> b.limbs_[i];
    }
    return std::strong_ordering::equal;
  }
  friend bool operator==(const BigUint&, const BigUint&) = default;

 private:
  void times_limb(uint32_t factor) {
    if (factor == 0) limbs_.clear();
    uint64_t carry = 0;
    for (uint32_t& limb : limbs_) {
      carry += uint64_t{limb} * factor;
      limb = static_cast<uint32_t>(carry);
      carry >>= 32;
    }
    if (carry != 0) limbs_.push_back(static_cast<uint32_t>(carry));
  }

  std::vector<uint32_t> limbs_;  // lowest first, the highest is not 0
};

}  // namespace nines::slo
