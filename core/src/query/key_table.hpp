// Finds the state that belongs to a key: open addressing over 64-bit hashes of the key's bytes
// (append_key()), the whole key compared on a hit. States live in chunks that never move, and are
// reused with the memory that they have, so that a key that comes and goes costs no allocation.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "nines/base/contract.hpp"

namespace nines::query {

// The same on every platform: stable ids are made of it.
inline uint64_t hash_bytes(std::string_view bytes) noexcept {
  constexpr uint64_t kOdd = 0x9e3779b97f4a7c15;
  uint64_t h = (bytes.size() + 1) * kOdd;
  const char* p = bytes.data();
  size_t left = bytes.size();
  for (; left >= 8; p += 8, left -= 8) {
    uint64_t word;
    std::memcpy(&word, p, 8);
    h = (std::rotl(h, 29) ^ word) * kOdd;
    h ^= h >> 32;
  }
  uint64_t word = 0;
  if (left > 0) std::memcpy(&word, p, left);
  h = (std::rotl(h, 29) ^ word) * kOdd;
  h ^= h >> 32;
  h *= 0xd6e8feb86659fd93;
  return h ^ h >> 32;
}

inline constexpr uint32_t kNobody = UINT32_MAX;

// State: default constructible, with members `uint64_t hash` and `std::string key`, which the
// table sets.
template <class State>
class KeyTable {
 public:
  KeyTable() : cells_(kLeastCells) {}

  State& operator[](uint32_t id) noexcept { return chunks_[id / kChunk][id % kChunk]; }
  const State& operator[](uint32_t id) const noexcept { return chunks_[id / kChunk][id % kChunk]; }
  size_t size() const noexcept { return used_; }

  // kNobody when there is none.
  uint32_t find(uint64_t hash, std::string_view key) const noexcept {
    for (size_t at = home_of(hash);; at = (at + 1) & mask()) {
      const Cell& cell = cells_[at];
      if (cell.id == kNobody) return kNobody;
      if (cell.hash == hash && (*this)[cell.id].key == key) return cell.id;
    }
  }

  // A state with the key, not yet found by it: several may have one key.
  uint32_t create(uint64_t hash, std::string_view key) {
    uint32_t id = free_;
    if (id != kNobody) {
      free_ = next_free_[id];
    } else {
      id = static_cast<uint32_t>(next_free_.size());
      if (id % kChunk == 0) chunks_.push_back(std::make_unique<State[]>(kChunk));
      next_free_.push_back(kNobody);
    }
    State& state = (*this)[id];
    state.hash = hash;
    state.key.assign(key);
    return id;
  }
  // REQUIRES that find() does not give it any more.
  void destroy(uint32_t id) noexcept {
    next_free_[id] = free_;
    free_ = id;
  }

  // find() gives `id` from now on. REQUIRES that it gives nobody.
  void link(uint32_t id) {
    if ((used_ + 1) * 3 > cells_.size() * 2) grow();
    put({(*this)[id].hash, id});
    ++used_;
  }
  // REQUIRES that find() gives `id`: gives `instead` from now on, or nobody.
  void relink(uint32_t id, uint32_t instead) noexcept {
    size_t at = home_of((*this)[id].hash);
    while (cells_[at].id != id) at = (at + 1) & mask();
    if (instead != kNobody) {
      cells_[at].id = instead;
      return;
    }
    --used_;
    close_gap(at);
  }

  // Of the cells, without states.
  size_t memory_bytes() const noexcept { return cells_.size() * sizeof(Cell); }

 private:
  static constexpr size_t kChunk = 64, kLeastCells = 64;
  struct Cell {
    uint64_t hash = 0;
    uint32_t id = kNobody;
  };

  size_t mask() const noexcept { return cells_.size() - 1; }
  size_t home_of(uint64_t hash) const noexcept { return static_cast<size_t>(hash) & mask(); }

  void put(Cell cell) noexcept {
    size_t at = home_of(cell.hash);
    while (cells_[at].id != kNobody) at = (at + 1) & mask();
    cells_[at] = cell;
  }

  void grow() {
    std::vector<Cell> old(cells_.size() * 2);
    old.swap(cells_);
    for (const Cell& cell : old) {
      if (cell.id != kNobody) put(cell);
    }
  }

  // Moves what stands behind a gap to where it would be found without it.
  void close_gap(size_t gap) noexcept {
    for (size_t at = (gap + 1) & mask(); cells_[at].id != kNobody; at = (at + 1) & mask()) {
      const size_t home = home_of(cells_[at].hash);
      if (((at - home) & mask()) < ((at - gap) & mask())) continue;
      cells_[gap] = cells_[at];
      gap = at;
    }
    cells_[gap] = {};
  }

  std::vector<std::unique_ptr<State[]>> chunks_;
  std::vector<uint32_t> next_free_;
  uint32_t free_ = kNobody;
  std::vector<Cell> cells_;
  size_t used_ = 0;
};

// Sums and differences of times that stay within int64_t.
inline int64_t plus_ns(int64_t a, int64_t b) noexcept {
  int64_t sum;
  if (__builtin_add_overflow(a, b, &sum)) return b < 0 ? INT64_MIN : INT64_MAX;
  return sum;
}
inline int64_t minus_ns(int64_t a, int64_t b) noexcept {
  int64_t difference;
  if (__builtin_sub_overflow(a, b, &difference)) return b > 0 ? INT64_MIN : INT64_MAX;
  return difference;
}

}  // namespace nines::query
