#include "slice_counts.hpp"

#include <algorithm>
#include <limits>

#include "nines/slo/burn.hpp"
#include "ring.hpp"

namespace nines::slo {
namespace {

int32_t add_capped(int32_t to, int64_t value) {
  constexpr int64_t kMax = std::numeric_limits<int32_t>::max();
  return static_cast<int32_t>(std::clamp(to + std::clamp(value, -2 * kMax, 2 * kMax), -kMax, kMax));
}

int64_t least_covered_s(int64_t slice_s, Decimal share) {
  int64_t s = 0;
  while (s < slice_s && compare_share(s, slice_s, share) < 0) ++s;
  return s;
}

}  // namespace

SliceCounts::SliceCounts(const SloSpec& spec, int64_t reach_s)
    : budgeting_(spec.budgeting),
      policy_(spec.slices),
      slice_s_(spec.slices.slice_s),
      covered_from_s_(least_covered_s(spec.slices.slice_s, spec.data.min_coverage)),
      slots_(reach_s / slice_s_ + 2),
      memory_(std::calloc(static_cast<size_t>(slots_), kBytesPerSlice)) {
  NINES_ASSERT(memory_ != nullptr);
  good_ = static_cast<int32_t*>(memory_.get());
  bad_ = good_ + slots_;
  covered_ = static_cast<uint16_t*>(static_cast<void*>(bad_ + slots_));
  // At most nine places (SloEngine::add): all products below fit 64 bits.
  const Decimal share = subtract({1, 0}, policy_.target).value_or(Decimal{});
  part_ = share.mantissa;
  for (int e = share.exponent; e < 0; ++e) whole_ *= 10;
}

size_t SliceCounts::place(int64_t index) const noexcept {
  return static_cast<size_t>(index - floor_div(index, slots_) * slots_);
}

// Reads before it writes: a page that was never written stays unbacked.
void SliceCounts::advance(int64_t to) {
  for (int64_t i = std::max(newest_ + 1, to - slots_ + 1); any_ && i <= to; ++i) {
    const size_t p = place(i);
    if (good_[p] != 0) good_[p] = 0;
    if (bad_[p] != 0) bad_[p] = 0;
    if (covered_[p] != 0) covered_[p] = 0;
  }
  // What was scanned of slices that go now is not remembered: a restart would not know them either.
  const int64_t kept_from_s = (to - slots_ + 1) * slice_s_;
  for (const Memo& memo : memo_) {
    if (memo.used && memo.version == version_ && memo.window.start_s < kept_from_s) {
      ++version_;
      break;
    }
  }
  newest_ = to;
  any_ = true;
}

void SliceCounts::add(int64_t at_s, int64_t good, int64_t bad, uint32_t covered_s) {
  const int64_t index = floor_div(at_s, slice_s_);
  if (!any_ || index > newest_) advance(index);
  if (index <= newest_ - slots_) return;
  if (at_s < scanned_to_s_) ++version_;
  if (!blocks_.empty()) {
    Block& b = block_at(floor_div(index, kBlock));
    if (b.index == floor_div(index, kBlock)) b.index = INT64_MIN;
  }
  const size_t p = place(index);
  if (good != 0) good_[p] = add_capped(good_[p], good);
  if (bad != 0) bad_[p] = add_capped(bad_[p], bad);
  const auto room = static_cast<uint32_t>(slice_s_) - covered_[p];
  if (covered_s != 0) covered_[p] = static_cast<uint16_t>(covered_[p] + std::min(room, covered_s));
}

std::optional<int64_t> SliceCounts::judge(size_t p, bool coverable) const {
  const int64_t good = std::max(good_[p], 0), bad = std::max(bad_[p], 0);
  const int64_t total = good + bad;
  const bool covered = coverable && covered_[p] >= covered_from_s_;
  if (total < policy_.floor) return covered ? std::optional(kOne) : std::nullopt;
  if (total == 0) {
    if (!covered || policy_.on_empty == OnEmpty::skip) return std::nullopt;
    return policy_.on_empty == OnEmpty::bad ? kOne : 0;
  }
  if (budgeting_ == Budgeting::ratio_timeslices) return (bad * kOne + total / 2) / total;
  return bad * whole_ > total * part_ ? kOne : 0;
}

void SliceCounts::judge_each(int64_t first, int64_t end, std::optional<int64_t> coverable_from_s,
                             Exclusions& exclusions, Window& w) const {
  const bool drops = exclusions.any(ExclusionEffect::drop);
  const bool reserves = exclusions.any(ExclusionEffect::reserve);
  for (int64_t index = first; index < end; ++index) {
    const int64_t at_s = index * slice_s_;
    const bool kept = any_ && index <= newest_ && index > newest_ - slots_;
    const auto within = [&](ExclusionEffect effect) {
      return exclusions.seconds_within(effect, at_s, at_s + slice_s_) > 0;
    };
    const bool dropped = drops && within(ExclusionEffect::drop);
    const bool coverable = coverable_from_s && at_s >= *coverable_from_s;
    if (dropped && coverable) ++w.dropped_slices;
    if (!kept) continue;
    const size_t p = place(index);
    if (!dropped) w.covered_s += covered_[p];
    const auto share = judge(p, coverable);
    if (!share) continue;
    Judged& to = dropped                                        ? w.dropped
                 : reserves && within(ExclusionEffect::reserve) ? w.reserved
                                                                : w.counted;
    ++to.slices;
    to.bad_q31 += *share;
  }
}

void SliceCounts::Window::add(const Window& other) noexcept {
  const auto add_to = [](Judged& to, const Judged& more) {
    to.slices += more.slices;
    to.bad_q31 += more.bad_q31;
  };
  add_to(counted, other.counted);
  add_to(dropped, other.dropped);
  add_to(reserved, other.reserved);
  covered_s += other.covered_s;
  dropped_slices += other.dropped_slices;
}

const SliceCounts::Window& SliceCounts::block(int64_t index,
                                              std::optional<int64_t> coverable_from_s,
                                              Exclusions& exclusions) {
  if (blocks_.empty() || blocks_coverable_from_s_ != coverable_from_s) {
    blocks_.assign(static_cast<size_t>(slots_ / kBlock + 2), Block{});
    blocks_coverable_from_s_ = coverable_from_s;
  }
  Block& b = block_at(index);
  if (b.index != index) {
    b = {{}, index};
    judge_each(index * kBlock, (index + 1) * kBlock, coverable_from_s, exclusions, b.sum);
  }
  return b.sum;
}

SliceCounts::Window SliceCounts::scan(int64_t start_s, int64_t end_s,
                                      std::optional<int64_t> coverable_from_s,
                                      Exclusions& exclusions) {
  Window w;
  w.start_s = start_s;
  w.end_s = end_s;
  const int64_t end = floor_div(end_s, slice_s_);
  for (int64_t index = floor_div(start_s, slice_s_); index < end;) {
    const int64_t block_of = floor_div(index, kBlock);
    const int64_t next = (block_of + 1) * kBlock;
    // All of it is kept, and none of it is still to come.
    const bool whole = index == block_of * kBlock && next <= end && any_ && next <= newest_ + 1 &&
                       index > newest_ - slots_;
    if (whole) {
      w.add(block(block_of, coverable_from_s, exclusions));
    } else {
      judge_each(index, std::min(next, end), coverable_from_s, exclusions, w);
    }
    index = next;
  }
  return w;
}

SliceCounts::Window SliceCounts::window(int64_t start_s, int64_t end_s,
                                        std::optional<int64_t> coverable_from_s,
                                        Exclusions& exclusions) {
  for (const Memo& memo : memo_) {
    if (memo.used && memo.version == version_ && memo.window.start_s == start_s &&
        memo.window.end_s == end_s && memo.coverable_from_s == coverable_from_s) {
      return memo.window;
    }
  }
  scanned_to_s_ = std::max(scanned_to_s_, end_s);
  Memo& memo = memo_[next_memo_++ % memo_.size()];
  memo = {scan(start_s, end_s, coverable_from_s, exclusions), version_, coverable_from_s, true};
  return memo.window;
}

}  // namespace nines::slo
