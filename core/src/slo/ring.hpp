// TieredRings: the counts of one SLO at four resolutions, 160 KiB when all of it has been touched.
// The memory comes zeroed from calloc and is written only where events are, so that history that
// never was costs no resident page.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <optional>

namespace nines::slo {

// floor(a / b) for b > 0, also for times before 1970.
constexpr int64_t floor_div(int64_t a, int64_t b) {
  const int64_t q = a / b;
  return a % b < 0 ? q - 1 : q;
}

struct Tier {
  int64_t slot_s;
  int64_t span_s;  // windows up to this length are answered by this tier
  int64_t slots;   // the span and a margin, for slots newer than the watermark
  size_t offset;   // of its first slot in each of the arrays
};

inline constexpr size_t kTiers = 4;
inline constexpr std::array<Tier, kTiers> kTier{{
    {10, 2 * 3600, 720 + 60, 0},
    {60, 3 * 86400, 4320 + 60, 780},
    {300, 31 * 86400, 8928 + 36, 780 + 4380},  // a month may have 31 days and an hour
    {3600, 92 * 86400, 2208 + 24, 780 + 4380 + 8964},
}};
inline constexpr size_t kSlotsInAll = 780 + 4380 + 8964 + 2232;

struct Sums {
  int64_t good = 0, bad = 0, covered_s = 0;
};

class TieredRings {
 public:
  TieredRings();

  struct Added {
    bool kept = false;       // some tier reached back to it
    uint32_t saturated = 0;  // how many slots hit the limits of int32
    uint32_t covered_s = 0;  // seconds that were not covered before
    // What each tier took of that; empty where it does not reach back.
    std::array<std::optional<uint32_t>, kTiers> by_tier{};
  };
  // Adds to every tier from `finest` on that reaches back to second `at_s`.
  Added add(size_t finest, int64_t at_s, int64_t good, int64_t bad, uint32_t covered_s);

  // Adds to the tiers that `other` added to, and as much coverage to each: for a part of it.
  void add_like(const Added& other, int64_t at_s, int64_t good, int64_t bad);

  // As if something had been added at `at_s`: forgets what that would push out. For a part of
  // another one, which holds no longer than the whole.
  void keep_pace(int64_t at_s);

  // Sum over [from_s, to_s), both multiples of the tier's slot; what is not kept counts nothing.
  // Whole coarser slots stand for the finer ones inside them (they hold the same events), except
  // for the finest tier, which alone does without late ones.
  Sums sum(size_t tier, int64_t from_s, int64_t to_s) const;

  // Whether the slot at from_s and all later ones are kept.
  bool holds(size_t tier, int64_t from_s) const;

  static constexpr size_t memory_bytes() {
    return kSlotsInAll * (2 * sizeof(int32_t) + sizeof(uint16_t));
  }

 private:
  struct Free {
    void operator()(void* p) const noexcept { std::free(p); }
  };
  void reach(int64_t slot);         // makes room for a slot that may be the newest
  int64_t head(size_t tier) const;  // index of its newest slot
  void advance(size_t tier, int64_t from, int64_t to);
  void add_range(size_t tier, int64_t first, int64_t end, Sums& sums) const;

  std::unique_ptr<void, Free> memory_;
  int32_t* good_;
  int32_t* bad_;
  uint16_t* covered_;
  int64_t newest_ = 0;  // newest finest slot
  bool any_ = false;
};

}  // namespace nines::slo
