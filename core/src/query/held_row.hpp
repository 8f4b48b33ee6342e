// A row that outlives its source: values and texts copied into one piece of memory, shared by
// whoever holds it. Not thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>

#include "nines/query/row.hpp"

namespace nines::query {

class HeldRow {
 public:
  HeldRow() = default;
  // Columns that are not in `kept` become NULL. `mark`: a number that the holder needs.
  HeldRow(const Row& row, std::span<const size_t> kept, uint64_t mark = 0);
  HeldRow(const HeldRow& other) noexcept : block_(other.block_) {
    if (block_ != nullptr) ++block_->holders;
  }
  HeldRow(HeldRow&& other) noexcept : block_(std::exchange(other.block_, nullptr)) {}
  HeldRow& operator=(HeldRow other) noexcept {
    std::swap(block_, other.block_);
    return *this;
  }
  ~HeldRow() { release(); }

  explicit operator bool() const noexcept { return block_ != nullptr; }
  // The rest REQUIRES a row.
  const Row& row() const noexcept { return block_->row; }
  uint64_t mark() const noexcept { return block_->mark; }
  int64_t ts() const noexcept { return block_->row.ts.ns; }
  size_t memory_bytes() const noexcept { return block_->bytes; }

 private:
  struct Block {
    Row row;
    uint64_t mark;
    uint32_t holders;
    size_t bytes;
  };
  void release() noexcept;

  Block* block_ = nullptr;
};

// By time, rows of equal time by where they stand.
inline bool earlier(const Row& a, const Row& b) noexcept {
  return a.ts != b.ts ? a.ts < b.ts : a.place < b.place;
}

}  // namespace nines::query
