// SliceCounts: good and bad events per slice of time over the whole window, for budgets that are
// counted in time (Timeslices, RatioTimeslices). A slice is judged from all that was counted in it,
// so that the verdict does not depend on the order in which things came. 10 bytes a slice: 432 KB
// for 1-minute slices over 30 days, touched only where events are.
#pragma once

#include <array>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <optional>
#include <vector>

#include "nines/slo/exclusions.hpp"
#include "nines/slo/spec.hpp"
#include "ring.hpp"

namespace nines::slo {

class SliceCounts {
 public:
  SliceCounts(const SloSpec& spec, int64_t reach_s);

  // One 10 s slot; covered_s are seconds not covered before.
  void add(int64_t at_s, int64_t good, int64_t bad, uint32_t covered_s);

  // Verdicts, in shares of 2^-31 of a slice.
  struct Judged {
    int64_t slices = 0, bad_q31 = 0;
  };
  struct Window {
    int64_t start_s = 0, end_s = 0;
    Judged counted, dropped, reserved;
    int64_t covered_s = 0;       // of slices that were not dropped
    int64_t dropped_slices = 0;  // from `coverable_from_s` on
    void add(const Window& other) noexcept;
  };
  static constexpr int64_t kOne = int64_t{1} << 31;

  // Whole slices of [start_s, end_s), both multiples of the slice. From coverable_from_s on the
  // logs could have been covered; none: this SLO has no coverage, and silence tells nothing.
  Window window(int64_t start_s, int64_t end_s, std::optional<int64_t> coverable_from_s,
                Exclusions& exclusions);

  int64_t slice_s() const noexcept { return slice_s_; }
  size_t memory_bytes() const noexcept {
    return static_cast<size_t>(slots_) * kBytesPerSlice + blocks_.size() * sizeof(Block);
  }

 private:
  static constexpr size_t kBytesPerSlice = 2 * sizeof(int32_t) + sizeof(uint16_t);
  struct Free {
    void operator()(void* p) const noexcept { std::free(p); }
  };
  // Verdicts of 128 slices together: a window of 30 days is some 340 of them and two ends, not
  // 43,200 slices. Made when first asked for, forgotten when something is counted in it.
  static constexpr int64_t kBlock = 128;
  struct Block {
    Window sum;
    int64_t index = INT64_MIN;
  };
  size_t place(int64_t index) const noexcept;
  void advance(int64_t to);
  // Share that is bad in 2^-31, or nothing when the slice is not judged.
  std::optional<int64_t> judge(size_t place, bool coverable) const;
  Window scan(int64_t start_s, int64_t end_s, std::optional<int64_t> coverable_from_s,
              Exclusions& exclusions);
  // Slices [first, end) one by one.
  void judge_each(int64_t first, int64_t end, std::optional<int64_t> coverable_from_s,
                  Exclusions& exclusions, Window& w) const;
  const Window& block(int64_t index, std::optional<int64_t> coverable_from_s,
                      Exclusions& exclusions);
  Block& block_at(int64_t index) noexcept {
    const auto n = static_cast<int64_t>(blocks_.size());
    return blocks_[static_cast<size_t>(index - floor_div(index, n) * n)];
  }

  const Budgeting budgeting_;
  const SlicePolicy policy_;
  const int64_t slice_s_;
  const int64_t covered_from_s_;  // so many seconds are enough to judge silence
  // A slice is bad when bad * whole_ > total * part_, part_ / whole_ being 1 - target.
  int64_t part_ = 0, whole_ = 1;
  const int64_t slots_;
  std::unique_ptr<void, Free> memory_;
  int32_t* good_;
  int32_t* bad_;
  uint16_t* covered_;
  int64_t newest_ = 0;
  bool any_ = false;

  std::vector<Block> blocks_;  // ring
  std::optional<int64_t> blocks_coverable_from_s_;

  // What was last scanned: between two closed slices all evaluations ask for the same.
  struct Memo {
    Window window;
    uint64_t version = 0;
    std::optional<int64_t> coverable_from_s;
    bool used = false;
  };
  std::array<Memo, 12> memo_;
  size_t next_memo_ = 0;
  uint64_t version_ = 0;
  int64_t scanned_to_s_ = INT64_MIN;
};

}  // namespace nines::slo
