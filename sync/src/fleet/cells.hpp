// A block of cells, packed and unpacked.
//
//   mask of cells | boot, counter of the first | for each cell: boot - previous boot (zigzag),
//   counter - previous counter (zigzag), good, bad, slot seconds - covered seconds
//
// All LEB128. What is stored and hashed is always what pack() gives.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>

#include "nines/fleet/fleet_state.hpp"

namespace nines::fleet {

struct Cell {
  Version version;
  Counts counts;
  friend auto operator<=>(const Cell&, const Cell&) = default;  // version first: the merge's order
};

struct CellBlock {
  uint64_t mask = 0;
  std::array<Cell, 60> cells;

  bool has(int64_t at) const { return (mask >> at & 1U) != 0; }
  void set(int64_t at, const Cell& cell) {
    mask |= uint64_t{1} << at;
    cells[static_cast<size_t>(at)] = cell;
  }
};

std::string pack(const CellBlock& block, Tier tier);
// nullopt: no block, or a value out of its limits.
std::optional<CellBlock> unpack(std::string_view packed, Tier tier);

uint64_t mix64(uint64_t x) noexcept;
uint64_t hash64(std::string_view bytes) noexcept;

}  // namespace nines::fleet
