#include "slo_counts.hpp"

#include <algorithm>

#include "nines/slo/burn.hpp"

namespace nines::slo {

SloCounts::Fate SloCounts::add(const SlotDelta& d, std::optional<int64_t> newest,
                               int64_t late_horizon_s, uint64_t& saturated) {
  constexpr auto kWhole = static_cast<uint32_t>(kSlotS);
  constexpr uint32_t kMostS = 3600;
  SlotDelta one = d;
  one.covered_s = std::min(d.covered_s, kWhole);
  const Fate fate = add_one(one, newest, late_horizon_s, saturated);
  one.good = one.bad = 0;
  for (uint32_t left = std::min(d.covered_s, kMostS) - one.covered_s; left > 0;
       left -= one.covered_s) {
    ++one.slot;
    one.covered_s = std::min(left, kWhole);
    add_one(one, newest, late_horizon_s, saturated);
  }
  return fate;
}

SloCounts::Fate SloCounts::add_one(const SlotDelta& d, std::optional<int64_t> newest,
                                   int64_t late_horizon_s, uint64_t& saturated) {
  const bool late = newest && (*newest - d.slot) * kSlotS > late_horizon_s;
  const int64_t at_s = d.slot * kSlotS;
  const TieredRings::Added added = rings_.add(late ? 1 : 0, at_s, d.good, d.bad, d.covered_s);
  saturated += added.saturated;
  if (!added.kept) return Fate::dropped;
  newest_ = newest_ ? std::max(*newest_, d.slot) : d.slot;
  if (d.covered_s > 0) {
    first_covered_s_ = first_covered_s_ ? std::min(*first_covered_s_, at_s) : at_s;
  }
  return late ? Fate::late : Fate::kept;
}

WindowCounts SloCounts::window(int64_t end_s, int64_t window_s) const {
  size_t tier = tier_for(window_s);
  const auto start_in = [&](size_t t) {
    return floor_div(end_s - window_s, kTier[t].slot_s) * kTier[t].slot_s;
  };
  while (tier + 1 < kTiers && !rings_.holds(tier, start_in(tier))) ++tier;
  const int64_t start_s = start_in(tier);
  Sums sums;
  int64_t done_s = start_s;
  // The tier's own slots, then finer ones for what is left before the end.
  for (size_t t = tier + 1; t-- > 0;) {
    const int64_t to_s = floor_div(end_s, kTier[t].slot_s) * kTier[t].slot_s;
    if (done_s >= to_s) continue;
    if (t != tier && !rings_.holds(t, done_s)) break;
    const Sums part = rings_.sum(t, done_s, to_s);
    sums.good += part.good;
    sums.bad += part.bad;
    sums.covered_s += part.covered_s;
    done_s = to_s;
  }
  return {std::max<int64_t>(sums.good, 0), std::max<int64_t>(sums.bad, 0), sums.covered_s,
          WallTime::from_s(start_s), WallTime::from_s(done_s)};
}

int64_t SloCounts::coverable_s(const WindowCounts& w) const noexcept {
  if (!first_covered_s_) return 0;
  return std::max<int64_t>(0, w.end.seconds() - std::max(w.start.seconds(), *first_covered_s_));
}

bool SloCounts::uncovered(const WindowCounts& w, Decimal share) const noexcept {
  if (!first_covered_s_) return false;
  const int64_t coverable = coverable_s(w);
  if (coverable == 0) return share.mantissa > 0;
  return compare_share(w.covered_s, coverable, share) < 0;
}

}  // namespace nines::slo
