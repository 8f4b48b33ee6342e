// SloCounts: what has been counted for one SLO, and the windows over it. Definitions: engine.hpp.
#pragma once

#include <cstdint>
#include <optional>

#include "nines/slo/engine.hpp"
#include "ring.hpp"

namespace nines::slo {

class SloCounts {
 public:
  enum class Fate : uint8_t { kept, late, dropped };
  // `newest` was the SLO's newest slot before this batch.
  Fate add(const SlotDelta& delta, std::optional<int64_t> newest, int64_t late_horizon_s,
           uint64_t& saturated);

  WindowCounts window(int64_t end_s, int64_t window_s) const;
  // Sum of [from, to), multiples of the tier's slot.
  Sums sum(size_t tier, int64_t from_s, int64_t to_s) const {
    return rings_.sum(tier, from_s, to_s);
  }

  bool ever() const noexcept { return newest_.has_value(); }  // covered or counted
  std::optional<int64_t> newest() const noexcept { return newest_; }
  bool has_coverage() const noexcept { return first_covered_s_.has_value(); }
  // Seconds of the window that could have been covered: [max(start, first covered), end).
  int64_t coverable_s(const WindowCounts& w) const noexcept;
  // Coverage known and below `share`.
  bool uncovered(const WindowCounts& w, Decimal share) const noexcept;

 private:
  Fate add_one(const SlotDelta& delta, std::optional<int64_t> newest, int64_t late_horizon_s,
               uint64_t& saturated);

  TieredRings rings_;
  std::optional<int64_t> newest_;           // 10 s slot
  std::optional<int64_t> first_covered_s_;  // start of a 10 s slot
};

// Finest tier whose span takes a window of this length.
constexpr size_t tier_for(int64_t window_s) {
  size_t tier = 0;
  while (tier + 1 < kTiers && kTier[tier].span_s < window_s) ++tier;
  return tier;
}

}  // namespace nines::slo
