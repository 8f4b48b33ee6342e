#include "slo_counts.hpp"

#include <algorithm>

#include "nines/slo/burn.hpp"

namespace nines::slo {
namespace {

constexpr int64_t kDayS = 86400;

int64_t round_down(int64_t s, int64_t step) { return floor_div(s, step) * step; }
int64_t round_up(int64_t s, int64_t step) { return -floor_div(-s, step) * step; }

// How far back any window of this SLO reaches, its own and those of its rules.
int64_t reach_of(const SloSpec& spec) {
  int64_t reach_s = std::max(spec.window_s, kDayS);
  if (spec.calendar != nullptr) reach_s = std::max(reach_s, spec.calendar->longest_s());
  for (const AlertRule& rule : spec.alerts.rules) reach_s = std::max(reach_s, rule.long_s);
  return reach_s + kDayS;
}

}  // namespace

SloCounts::SloCounts(const SloSpec& spec, Decimal budget)
    : window_s_(spec.window_s),
      calendar_(spec.calendar),
      reserve_(multiply(spec.reserve, budget).value_or(Decimal{})),
      budgeting_(spec.budgeting),
      exclusions_(spec.exclusions) {
  if (exclusions_.any(ExclusionEffect::drop)) dropped_ = std::make_unique<TieredRings>();
  if (exclusions_.any(ExclusionEffect::reserve)) reserved_ = std::make_unique<TieredRings>();
  if (budgeting_ != Budgeting::occurrences) {
    slices_ = std::make_unique<SliceCounts>(spec, reach_of(spec));
  }
}

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
  const size_t finest = late ? 1 : 0;
  const int64_t at_s = d.slot * kSlotS;
  const TieredRings::Added added = rings_.add(finest, at_s, d.good, d.bad, d.covered_s);
  saturated += added.saturated;
  if (dropped_ != nullptr) dropped_->keep_pace(at_s);
  if (reserved_ != nullptr) reserved_->keep_pace(at_s);
  if (!added.kept) return Fate::dropped;
  add_excluded(added, d);
  if (slices_ != nullptr) slices_->add(at_s, d.good, d.bad, added.covered_s);
  newest_ = newest_ ? std::max(*newest_, d.slot) : d.slot;
  if (d.covered_s > 0) {
    first_covered_s_ = first_covered_s_ ? std::min(*first_covered_s_, at_s) : at_s;
  }
  return late ? Fate::late : Fate::kept;
}

void SloCounts::add_excluded(const TieredRings::Added& added, const SlotDelta& d) {
  const int64_t at_s = d.slot * kSlotS;
  const auto effect = exclusions_.effect_at(at_s);
  if (!effect) return;
  TieredRings& rings = *effect == ExclusionEffect::drop ? *dropped_ : *reserved_;
  rings.add_like(added, at_s, d.good, d.bad);
}

// The tier's own slots, then finer ones for what is left before the end.
SloCounts::Plan SloCounts::plan(int64_t start_s, int64_t end_s, size_t tier) const {
  Plan out;
  while (tier + 1 < kTiers && !rings_.holds(tier, round_down(start_s, kTier[tier].slot_s))) ++tier;
  out.start_s = round_down(start_s, kTier[tier].slot_s);
  int64_t done_s = out.start_s;
  for (size_t t = tier + 1; t-- > 0;) {
    const int64_t to_s = round_down(end_s, kTier[t].slot_s);
    if (done_s >= to_s) continue;
    if (t != tier && !rings_.holds(t, done_s)) break;
    out.stretches[out.size++] = {t, done_s, to_s};
    done_s = to_s;
  }
  out.end_s = done_s;
  return out;
}

Sums SloCounts::sum(const TieredRings& rings, const Plan& plan) {
  Sums sums;
  for (size_t i = 0; i < plan.size; ++i) {
    const Stretch& s = plan.stretches[i];
    const Sums part = rings.sum(s.tier, s.from_s, s.to_s);
    sums.good += part.good;
    sums.bad += part.bad;
    sums.covered_s += part.covered_s;
  }
  return sums;
}

WindowCounts SloCounts::count_events(int64_t start_s, int64_t end_s, size_t tier) {
  const Plan p = plan(start_s, end_s, tier);
  const Sums all = sum(rings_, p);
  const Sums dropped = dropped_ == nullptr ? Sums{} : sum(*dropped_, p);
  WindowCounts w;
  w.good = std::max<int64_t>(all.good - dropped.good, 0);
  w.bad = std::max<int64_t>(all.bad - dropped.bad, 0);
  w.covered_s = all.covered_s - dropped.covered_s;
  w.start = WallTime::from_s(p.start_s);
  w.end = WallTime::from_s(p.end_s);
  w.dropped_good = std::max<int64_t>(dropped.good, 0);
  w.dropped_bad = std::max<int64_t>(dropped.bad, 0);
  if (dropped_ != nullptr && first_covered_s_) {
    w.excluded_s = exclusions_.seconds_within(ExclusionEffect::drop,
                                              std::max(p.start_s, *first_covered_s_), p.end_s);
  }
  if (reserved_ != nullptr) {
    w.reserved_bad = std::clamp<int64_t>(sum(*reserved_, p).bad, 0, w.bad);
  }
  return w;
}

// Whole slices only. A period of the calendar that does not begin with one begins with the next.
WindowCounts SloCounts::count_slices(int64_t start_s, int64_t end_s) {
  const int64_t slice_s = slices_->slice_s();
  end_s = round_down(end_s, slice_s);
  start_s = std::min(start_s, end_s);
  const SliceCounts::Window v = slices_->window(start_s, end_s, first_covered_s_, exclusions_);
  const bool ratios = budgeting_ == Budgeting::ratio_timeslices;
  const int64_t scale = ratios ? SliceCounts::kOne : 1;
  const auto bad = [&](const SliceCounts::Judged& j) {
    return j.bad_q31 / (SliceCounts::kOne / scale);
  };
  WindowCounts w;
  w.scale = scale;
  w.reserved_bad = bad(v.reserved);
  w.bad = bad(v.counted) + w.reserved_bad;
  w.good = (v.counted.slices + v.reserved.slices) * scale - w.bad;
  w.dropped_bad = bad(v.dropped);
  w.dropped_good = v.dropped.slices * scale - w.dropped_bad;
  w.covered_s = v.covered_s;
  w.excluded_s = v.dropped_slices * slice_s;
  w.start = WallTime::from_s(start_s);
  w.end = WallTime::from_s(end_s);
  return w;
}

WindowCounts SloCounts::events(int64_t end_s) {
  const int64_t start_s = calendar_ != nullptr ? calendar_->start_of(end_s) : end_s - window_s_;
  return count_events(start_s, end_s, tier_for(window_s_));
}

WindowCounts SloCounts::slo_window(int64_t end_s) {
  WindowCounts w;
  if (slices_ == nullptr) {
    w = events(end_s);
  } else {
    const int64_t slice_s = slices_->slice_s();
    const int64_t start_s = calendar_ != nullptr
                                ? round_up(calendar_->start_of(end_s), slice_s)
                                : round_down(round_down(end_s, slice_s) - window_s_, slice_s);
    w = count_slices(start_s, end_s);
  }
  const int64_t reserved_s =
      exclusions_.seconds_within(ExclusionEffect::reserve, w.start.seconds(), w.end.seconds());
  if (reserved_s == 0) return w;
  w.reserve = share_of(reserve_, w.total());
  w.forgiven = std::min(w.reserve, w.reserved_bad);
  w.bad -= w.forgiven;
  return w;
}

WindowCounts SloCounts::window(int64_t end_s, int64_t window_s, bool reserve_exhausted) {
  WindowCounts w;
  if (slices_ == nullptr) {
    w = count_events(end_s - window_s, end_s, tier_for(window_s));
  } else {
    const int64_t slice_s = slices_->slice_s();
    w = count_slices(round_down(round_down(end_s, slice_s) - window_s, slice_s), end_s);
  }
  if (!reserve_exhausted) w.forgiven = w.reserved_bad;
  w.bad -= w.forgiven;
  return w;
}

WindowCounts SloCounts::stretch(size_t tier, int64_t from_s, int64_t to_s, int64_t end_s) {
  WindowCounts w;
  if (slices_ != nullptr) {
    const int64_t slice_s = slices_->slice_s();
    const int64_t to = std::min(round_up(to_s, slice_s), round_down(end_s, slice_s));
    w = count_slices(std::min(round_up(from_s, slice_s), to), to);
    w.bad -= w.reserved_bad;
    return w;
  }
  const Sums all = rings_.sum(tier, from_s, to_s);
  const Sums dropped = dropped_ == nullptr ? Sums{} : dropped_->sum(tier, from_s, to_s);
  const Sums reserved = reserved_ == nullptr ? Sums{} : reserved_->sum(tier, from_s, to_s);
  w.good = std::max<int64_t>(all.good - dropped.good, 0);
  w.bad = std::max<int64_t>(all.bad - dropped.bad - reserved.bad, 0);
  w.reserved_bad = std::max<int64_t>(reserved.bad, 0);
  w.covered_s = all.covered_s - dropped.covered_s;
  return w;
}

int64_t SloCounts::coverable_s(const WindowCounts& w) const noexcept {
  if (!first_covered_s_) return 0;
  const int64_t all_s = w.end.seconds() - std::max(w.start.seconds(), *first_covered_s_);
  return std::max<int64_t>(0, all_s - w.excluded_s);
}

bool SloCounts::uncovered(const WindowCounts& w, Decimal share) const noexcept {
  if (!first_covered_s_) return false;
  const int64_t coverable = coverable_s(w);
  if (coverable == 0) return w.excluded_s == 0 && share.mantissa > 0;
  return compare_share(w.covered_s, coverable, share) < 0;
}

size_t SloCounts::memory_bytes() const noexcept {
  const size_t rings = 1 + (dropped_ != nullptr ? 1U : 0U) + (reserved_ != nullptr ? 1U : 0U);
  return rings * TieredRings::memory_bytes() + (slices_ ? slices_->memory_bytes() : 0);
}

}  // namespace nines::slo
