#include "fleet/cells.hpp"

#include <bit>

#include "nines/base/fnv1a.hpp"
#include "store/codec.hpp"

namespace nines::fleet {
namespace {

// Differences of versions wrap: any two of 64 bits have one.
int64_t difference(uint64_t a, uint64_t b) { return static_cast<int64_t>(a - b); }

}  // namespace

std::string pack(const CellBlock& block, Tier tier) {
  store::ByteWriter out;
  out.varint(block.mask);
  Version previous;
  for (uint64_t rest = block.mask; rest != 0; rest &= rest - 1) {
    const Cell& cell = block.cells[static_cast<size_t>(std::countr_zero(rest))];
    out.zigzag(difference(cell.version.boot, previous.boot));
    out.zigzag(difference(cell.version.counter, previous.counter));
    out.varint(static_cast<uint64_t>(cell.counts.good));
    out.varint(static_cast<uint64_t>(cell.counts.bad));
    out.varint(static_cast<uint64_t>(slot_seconds(tier) - cell.counts.covered_s));
    previous = cell.version;
  }
  return out.take();
}

std::optional<CellBlock> unpack(std::string_view packed, Tier tier) {
  constexpr auto kMost = static_cast<uint64_t>(kMaxCellCount);
  const auto width = static_cast<uint64_t>(slot_seconds(tier));
  store::ByteReader in(packed);
  CellBlock block;
  block.mask = in.varint();
  if (!in.ok() || block.mask == 0 || block.mask >> cells_of_block(tier) != 0) return std::nullopt;
  Version previous;
  for (uint64_t rest = block.mask; rest != 0; rest &= rest - 1) {
    Cell& cell = block.cells[static_cast<size_t>(std::countr_zero(rest))];
    cell.version.boot = previous.boot + static_cast<uint64_t>(in.zigzag());
    cell.version.counter = previous.counter + static_cast<uint64_t>(in.zigzag());
    const uint64_t good = in.varint(), bad = in.varint(), uncovered = in.varint();
    if (!in.ok() || good > kMost || bad > kMost || uncovered > width) return std::nullopt;
    cell.counts = {static_cast<int64_t>(good), static_cast<int64_t>(bad),
                   static_cast<int64_t>(width - uncovered)};
    previous = cell.version;
  }
  if (!in.complete()) return std::nullopt;
  return block;
}

// The finaliser of splitmix64 (Steele, Lea, Flood 2014).
uint64_t mix64(uint64_t x) noexcept {
  x ^= x >> 30;
  x *= 0xbf58476d1ce4e5b9ULL;
  x ^= x >> 27;
  x *= 0x94d049bb133111ebULL;
  return x ^ x >> 31;
}

uint64_t hash64(std::string_view bytes) noexcept {
  return mix64(fnv1a64(bytes) ^ bytes.size());
}

}  // namespace nines::fleet
