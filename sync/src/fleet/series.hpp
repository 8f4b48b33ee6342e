// The cells of one series: two tiers of packed blocks, ascending, with their hashes.
#pragma once

#include <array>
#include <limits>
#include <string>
#include <vector>

#include "fleet/cells.hpp"
#include "nines/fleet/fleet_state.hpp"

namespace nines::fleet {

constexpr PartKind kind_of(Tier tier) {
  return tier == Tier::minute ? PartKind::minutes : PartKind::hours;
}
// What a part adds to the hash of what holds it: order makes no difference.
uint64_t part_hash(const PartKey& key, uint64_t hash) noexcept;

std::string encode_meta(const SeriesMeta& meta);
std::optional<SeriesMeta> decode_meta(std::string_view body);

struct Block {
  int64_t index = 0;
  uint64_t hash = 0;
  std::string packed;
};

struct MergedCells {
  uint64_t taken = 0, known = 0, old = 0;  // old: beyond what is kept
  uint64_t mask = 0;                       // of the cells taken
};

class Series {
 public:
  explicit Series(uint64_t id) : id_(id) {}

  const SeriesMeta* meta() const { return has_meta_ ? &meta_ : nullptr; }
  uint64_t meta_hash() const { return meta_hash_; }
  // False: what is there is as new.
  bool set_meta(const SeriesMeta& meta, const FleetLimits& limits);

  MergedCells merge(Tier tier, int64_t index, const CellBlock& incoming, const FleetLimits& limits);
  // Whether a block of that index would be kept.
  bool keeps(Tier tier, int64_t index, const FleetLimits& limits) const;
  // Drops the days before `day`; how many.
  size_t drop_hours_before(int64_t day);

  const std::vector<Block>& blocks(Tier tier) const { return rings_[at(tier)].blocks; }
  const Block* block(Tier tier, int64_t index) const;
  uint64_t hash() const { return hash_; }
  size_t bytes() const { return bytes_; }

 private:
  struct Ring {
    std::vector<Block> blocks;
    int64_t newest = std::numeric_limits<int64_t>::min();  // slot
  };
  static size_t at(Tier tier) { return static_cast<size_t>(tier); }
  int64_t kept_slots(Tier tier, const FleetLimits& limits) const;
  void prune(Tier tier, const FleetLimits& limits);
  size_t drop_before(Tier tier, int64_t index);
  void replace(Tier tier, Block& block, std::string packed);
  void account(Tier tier, const Block& block, bool in);

  uint64_t id_;
  bool has_meta_ = false;
  SeriesMeta meta_;
  uint64_t meta_hash_ = 0;
  std::array<Ring, 2> rings_;
  uint64_t hash_ = 0;
  size_t bytes_ = 0;
};

}  // namespace nines::fleet
