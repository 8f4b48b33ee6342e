#include "fleet/series.hpp"

#include <algorithm>
#include <bit>

#include "store/codec.hpp"

namespace nines::fleet {
namespace {

constexpr uint64_t kFormat = 1;
constexpr int64_t kDayS = 86400;

auto find_block(std::vector<Block>& blocks, int64_t index) {
  return std::lower_bound(blocks.begin(), blocks.end(), index,
                          [](const Block& block, int64_t i) { return block.index < i; });
}

}  // namespace

uint64_t part_hash(const PartKey& key, uint64_t hash) noexcept {
  const auto kind = static_cast<uint64_t>(key.kind);
  const uint64_t place = mix64(key.id + 0x9e3779b97f4a7c15ULL * (kind * 4 + key.stream + 1));
  return mix64(hash ^ mix64(place + static_cast<uint64_t>(key.index)));
}

uint64_t series_id(const SeriesMeta& meta) noexcept {
  store::ByteWriter out;
  out.bytes(meta.slo);
  out.bytes(meta.generation);
  out.bytes(meta.target);
  out.zigzag(meta.window_s);
  return hash64(out.take());
}

std::string encode_meta(const SeriesMeta& meta) {
  store::ByteWriter out;
  out.varint(kFormat);
  out.varint(meta.version.boot);
  out.varint(meta.version.counter);
  for (const auto* text : {&meta.slo, &meta.generation, &meta.service, &meta.target}) {
    out.bytes(*text);
  }
  out.zigzag(meta.window_s);
  return out.take();
}

std::optional<SeriesMeta> decode_meta(std::string_view body) {
  store::ByteReader in(body);
  if (in.varint() != kFormat) return std::nullopt;
  SeriesMeta meta;
  meta.version.boot = in.varint();
  meta.version.counter = in.varint();
  for (auto* text : {&meta.slo, &meta.generation, &meta.service, &meta.target}) {
    const auto bytes = in.bytes();
    if (bytes.size() > kMaxName) return std::nullopt;
    *text = bytes;
  }
  meta.window_s = in.zigzag();
  if (!in.complete() || meta.window_s <= 0 || meta.slo.empty()) return std::nullopt;
  return meta;
}

bool Series::set_meta(const SeriesMeta& meta, const FleetLimits& limits) {
  const std::string body = encode_meta(meta);
  if (has_meta_) {
    if (meta.version < meta_.version) return false;
    const std::string held = encode_meta(meta_);
    if (meta.version == meta_.version && body <= held) return false;
    bytes_ -= held.size();
  }
  const PartKey key{PartKind::meta, id_};
  if (has_meta_) hash_ ^= part_hash(key, meta_hash_);
  meta_ = meta;
  has_meta_ = true;
  meta_hash_ = hash64(body);
  hash_ ^= part_hash(key, meta_hash_);
  bytes_ += body.size();
  for (const Tier tier : {Tier::minute, Tier::hour}) prune(tier, limits);
  return true;
}

int64_t Series::kept_slots(Tier tier, const FleetLimits& limits) const {
  if (tier == Tier::minute) return limits.minutes_kept_s / slot_seconds(tier);
  const int64_t window_s = has_meta_ ? meta_.window_s : limits.hours_kept_s;
  return (std::min(limits.hours_kept_s, window_s) + kDayS) / slot_seconds(tier);
}

bool Series::keeps(Tier tier, int64_t index, const FleetLimits& limits) const {
  const int64_t newest = rings_[at(tier)].newest;
  if (newest == std::numeric_limits<int64_t>::min()) return true;
  return (index + 1) * cells_of_block(tier) > newest - kept_slots(tier, limits);
}

const Block* Series::block(Tier tier, int64_t index) const {
  const auto& blocks = rings_[at(tier)].blocks;
  const auto found =
      std::lower_bound(blocks.begin(), blocks.end(), index,
                       [](const Block& block, int64_t i) { return block.index < i; });
  return found != blocks.end() && found->index == index ? &*found : nullptr;
}

void Series::account(Tier tier, const Block& block, bool in) {
  hash_ ^= part_hash({kind_of(tier), id_, 0, block.index}, block.hash);
  const size_t bytes = sizeof(Block) + block.packed.size();
  bytes_ = in ? bytes_ + bytes : bytes_ - bytes;
}

void Series::replace(Tier tier, Block& block, std::string packed) {
  if (!block.packed.empty()) account(tier, block, false);
  block.packed = std::move(packed);
  block.hash = hash64(block.packed);
  account(tier, block, true);
}

MergedCells Series::merge(Tier tier, int64_t index, const CellBlock& incoming,
                          const FleetLimits& limits) {
  MergedCells merged;
  if (!keeps(tier, index, limits)) {
    merged.old = static_cast<uint64_t>(std::popcount(incoming.mask));
    return merged;
  }
  Ring& ring = rings_[at(tier)];
  auto found = find_block(ring.blocks, index);
  CellBlock held;
  if (found != ring.blocks.end() && found->index == index) {
    const auto unpacked = unpack(found->packed, tier);
    NINES_ASSERT(unpacked.has_value());
    held = *unpacked;
  } else {
    found = ring.blocks.insert(found, Block{index, 0, {}});
  }
  for (uint64_t rest = incoming.mask; rest != 0; rest &= rest - 1) {
    const int64_t i = std::countr_zero(rest);
    const Cell& cell = incoming.cells[static_cast<size_t>(i)];
    if (held.has(i) && cell <= held.cells[static_cast<size_t>(i)]) {
      ++merged.known;
      continue;
    }
    held.set(i, cell);
    merged.mask |= uint64_t{1} << i;
    ++merged.taken;
    ring.newest = std::max(ring.newest, index * cells_of_block(tier) + i);
  }
  if (merged.taken > 0) {
    replace(tier, *found, pack(held, tier));
    prune(tier, limits);
  }
  return merged;
}

void Series::prune(Tier tier, const FleetLimits& limits) {
  const auto& blocks = rings_[at(tier)].blocks;
  if (blocks.empty() || keeps(tier, blocks.front().index, limits)) return;
  const auto first = std::find_if(blocks.begin(), blocks.end(), [&](const Block& block) {
    return keeps(tier, block.index, limits);
  });
  drop_before(tier, first == blocks.end() ? blocks.back().index + 1 : first->index);
}

size_t Series::drop_before(Tier tier, int64_t index) {
  auto& blocks = rings_[at(tier)].blocks;
  const auto end = find_block(blocks, index);
  for (auto block = blocks.begin(); block != end; ++block) account(tier, *block, false);
  const auto count = static_cast<size_t>(end - blocks.begin());
  blocks.erase(blocks.begin(), end);
  return count;
}

size_t Series::drop_hours_before(int64_t day) { return drop_before(Tier::hour, day); }

}  // namespace nines::fleet
