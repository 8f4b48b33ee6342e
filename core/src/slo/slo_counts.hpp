// SloCounts: what has been counted for one SLO, and the windows over it. Definitions: engine.hpp.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "nines/slo/engine.hpp"
#include "nines/slo/exclusions.hpp"
#include "ring.hpp"
#include "slice_counts.hpp"

namespace nines::slo {

// Finest tier whose span takes a window of this length.
constexpr size_t tier_for(int64_t window_s) {
  size_t tier = 0;
  while (tier + 1 < kTiers && kTier[tier].span_s < window_s) ++tier;
  return tier;
}

class SloCounts {
 public:
  SloCounts(const SloSpec& spec, Decimal budget);

  enum class Fate : uint8_t { kept, late, dropped };
  // `newest` was the SLO's newest slot before this batch.
  Fate add(const SlotDelta& delta, std::optional<int64_t> newest, int64_t late_horizon_s,
           uint64_t& saturated);

  // The SLO's own window, rolling or of the calendar, that ends at end_s.
  WindowCounts slo_window(int64_t end_s);
  // Any other; bad events within reserved times count only when the reserve is exhausted.
  WindowCounts window(int64_t end_s, int64_t window_s, bool reserve_exhausted = false);
  // Events, whatever the budgeting, exclusions applied: the SLO's own window, or any.
  WindowCounts events(int64_t end_s);
  WindowCounts events(int64_t end_s, int64_t window_s) {
    return count_events(end_s - window_s, end_s, tier_for(window_s));
  }
  std::optional<int64_t> period_end(int64_t at_s) const {
    if (calendar_ == nullptr) return std::nullopt;
    return calendar_->end_of(at_s);
  }
  // What [from, to), multiples of the tier's slot, holds of the SLO's own units (events, slices
  // that began in it and are closed at end_s), without what is excluded; of bad events in reserved
  // times reserved_bad tells only.
  WindowCounts stretch(size_t tier, int64_t from_s, int64_t to_s, int64_t end_s);
  // What is set aside for reserved times, of all events; 0: there are none.
  Decimal reserve() const noexcept { return reserved_ ? reserve_ : Decimal{0, 0}; }
  bool touches_reserved(int64_t from_s, int64_t to_s) {
    return exclusions_.seconds_within(ExclusionEffect::reserve, from_s, to_s) > 0;
  }
  std::optional<int64_t> period_start(int64_t at_s) const {
    if (calendar_ == nullptr) return std::nullopt;
    return calendar_->start_of(at_s);
  }
  // Events of [from, to), multiples of the tier's slot, without exclusions.
  Sums sum(size_t tier, int64_t from_s, int64_t to_s) const {
    return rings_.sum(tier, from_s, to_s);
  }

  bool ever() const noexcept { return newest_.has_value(); }  // covered or counted
  std::optional<int64_t> newest() const noexcept { return newest_; }
  bool has_coverage() const noexcept { return first_covered_s_.has_value(); }
  // Seconds of the window that could have been covered: [max(start, first covered), end) without
  // what is excluded.
  int64_t coverable_s(const WindowCounts& w) const noexcept;
  // Coverage known and below `share`.
  bool uncovered(const WindowCounts& w, Decimal share) const noexcept;
  std::string_view excluded_by(int64_t at_s) { return exclusions_.name_at(at_s); }
  size_t memory_bytes() const noexcept;

 private:
  // Stretches of the tiers that make up a window.
  struct Stretch {
    size_t tier;
    int64_t from_s, to_s;
  };
  struct Plan {
    int64_t start_s = 0, end_s = 0;
    std::array<Stretch, kTiers> stretches{};
    size_t size = 0;
  };
  Plan plan(int64_t start_s, int64_t end_s, size_t tier) const;
  static Sums sum(const TieredRings& rings, const Plan& plan);

  Fate add_one(const SlotDelta& delta, std::optional<int64_t> newest, int64_t late_horizon_s,
               uint64_t& saturated);
  void add_excluded(const TieredRings::Added& added, const SlotDelta& delta);
  WindowCounts count_events(int64_t start_s, int64_t end_s, size_t tier);
  WindowCounts count_slices(int64_t start_s, int64_t end_s);

  const int64_t window_s_;
  const std::shared_ptr<const Calendar> calendar_;
  const Decimal reserve_;  // of all events: spec.reserve * (1 - target)
  const Budgeting budgeting_;
  TieredRings rings_;
  Exclusions exclusions_;
  std::unique_ptr<TieredRings> dropped_, reserved_;  // the part of rings_ that is excluded
  std::unique_ptr<SliceCounts> slices_;
  std::optional<int64_t> newest_;           // 10 s slot
  std::optional<int64_t> first_covered_s_;  // start of a 10 s slot
};

}  // namespace nines::slo
