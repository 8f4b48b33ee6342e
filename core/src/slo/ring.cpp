#include "ring.hpp"

#include <algorithm>
#include <limits>

#include "nines/base/contract.hpp"

namespace nines::slo {
namespace {

constexpr int64_t kFinest = kTier[0].slot_s;

// Adds and stops at the limits of int32; true when it had to.
bool add_capped(int32_t& to, int64_t value) {
  constexpr int64_t kMin = std::numeric_limits<int32_t>::min();
  constexpr int64_t kMax = std::numeric_limits<int32_t>::max();
  const int64_t clamped = std::clamp(value, 2 * kMin, 2 * kMax);
  const int64_t sum = to + clamped;
  to = static_cast<int32_t>(std::clamp(sum, kMin, kMax));
  return sum < kMin || sum > kMax;
}

size_t place(const Tier& t, int64_t index) {
  const int64_t r = index % t.slots;
  return t.offset + static_cast<size_t>(r < 0 ? r + t.slots : r);
}

}  // namespace

TieredRings::TieredRings() : memory_(std::calloc(memory_bytes(), 1)) {
  NINES_ASSERT(memory_ != nullptr);
  good_ = static_cast<int32_t*>(memory_.get());
  bad_ = good_ + kSlotsInAll;
  // Behind the int32 arrays, hence aligned for uint16_t.
  covered_ = static_cast<uint16_t*>(static_cast<void*>(bad_ + kSlotsInAll));
}

int64_t TieredRings::head(size_t tier) const {
  return floor_div(newest_ * kFinest, kTier[tier].slot_s);
}

bool TieredRings::holds(size_t tier, int64_t from_s) const {
  const Tier& t = kTier[tier];
  return !any_ || floor_div(from_s, t.slot_s) > head(tier) - t.slots;
}

// Empties the slots (from, to], which stood for older times. Reads before it writes: a page that
// was never written stays unbacked.
void TieredRings::advance(size_t tier, int64_t from, int64_t to) {
  const Tier& t = kTier[tier];
  for (int64_t i = std::max(from + 1, to - t.slots + 1); i <= to; ++i) {
    const size_t p = place(t, i);
    if (good_[p] != 0) good_[p] = 0;
    if (bad_[p] != 0) bad_[p] = 0;
    if (covered_[p] != 0) covered_[p] = 0;
  }
}

void TieredRings::reach(int64_t slot) {
  if (any_ && slot <= newest_) return;
  const int64_t old = newest_;
  newest_ = slot;
  for (size_t tier = 0; any_ && tier < kTiers; ++tier) {
    advance(tier, floor_div(old * kFinest, kTier[tier].slot_s), head(tier));
  }
  any_ = true;
}

void TieredRings::keep_pace(int64_t at_s) { reach(floor_div(at_s, kFinest)); }

void TieredRings::add_like(const Added& other, int64_t at_s, int64_t good, int64_t bad) {
  reach(floor_div(at_s, kFinest));
  for (size_t tier = 0; tier < kTiers; ++tier) {
    if (!other.by_tier[tier]) continue;
    const size_t p = place(kTier[tier], floor_div(at_s, kTier[tier].slot_s));
    if (good != 0) add_capped(good_[p], good);
    if (bad != 0) add_capped(bad_[p], bad);
    if (*other.by_tier[tier] != 0) {
      covered_[p] = static_cast<uint16_t>(covered_[p] + *other.by_tier[tier]);
    }
  }
}

TieredRings::Added TieredRings::add(size_t finest, int64_t at_s, int64_t good, int64_t bad,
                                    uint32_t covered_s) {
  reach(floor_div(at_s, kFinest));
  Added added;
  for (size_t tier = finest; tier < kTiers; ++tier) {
    const Tier& t = kTier[tier];
    if (!holds(tier, at_s)) continue;
    added.kept = true;
    const size_t p = place(t, floor_div(at_s, t.slot_s));
    if (good != 0 && add_capped(good_[p], good)) ++added.saturated;
    if (bad != 0 && add_capped(bad_[p], bad)) ++added.saturated;
    // No second can be covered twice. The finest tier that holds the slot says how much of it is
    // news, so that all tiers agree.
    const auto room = static_cast<uint32_t>(t.slot_s) - covered_[p];
    covered_s = std::min({covered_s, room, static_cast<uint32_t>(kFinest)});
    if (covered_s != 0) covered_[p] = static_cast<uint16_t>(covered_[p] + covered_s);
    added.by_tier[tier] = covered_s;
  }
  if (added.kept) added.covered_s = covered_s;
  return added;
}

void TieredRings::add_range(size_t tier, int64_t first, int64_t end, Sums& sums) const {
  const Tier& t = kTier[tier];
  first = std::max(first, head(tier) - t.slots + 1);
  end = std::min(end, head(tier) + 1);
  while (first < end) {
    const size_t from = place(t, first);
    const int64_t until_wrap =
        static_cast<int64_t>(t.offset) + t.slots - static_cast<int64_t>(from);
    const auto n = static_cast<size_t>(std::min(end - first, until_wrap));
    for (size_t i = from; i < from + n; ++i) {
      sums.good += good_[i];
      sums.bad += bad_[i];
      sums.covered_s += covered_[i];
    }
    first += static_cast<int64_t>(n);
  }
}

Sums TieredRings::sum(size_t tier, int64_t from_s, int64_t to_s) const {
  Sums sums;
  if (!any_) return sums;
  size_t t = tier;
  // Outside in: the ends in this tier, what whole coarser slots cover in the next one.
  while (from_s < to_s) {
    const int64_t slot = kTier[t].slot_s;
    if (t == 0 || t + 1 == kTiers) {
      add_range(t, floor_div(from_s, slot), floor_div(to_s, slot), sums);
      break;
    }
    const int64_t wide = kTier[t + 1].slot_s;
    const int64_t inner_from = -floor_div(-from_s, wide) * wide;
    const int64_t inner_to = floor_div(to_s, wide) * wide;
    if (inner_from >= inner_to) {
      add_range(t, floor_div(from_s, slot), floor_div(to_s, slot), sums);
      break;
    }
    add_range(t, floor_div(from_s, slot), floor_div(inner_from, slot), sums);
    add_range(t, floor_div(inner_to, slot), floor_div(to_s, slot), sums);
    from_s = inner_from;
    to_s = inner_to;
    ++t;
  }
  return sums;
}

}  // namespace nines::slo
