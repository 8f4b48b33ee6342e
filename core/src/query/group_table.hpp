// GroupTable: groups by key, found by hash. Each group is one piece of memory: head, aggregate
// states, key.
//
// When a limit is reached the groups with the smallest hashes stay. A group that stays was there
// from its first row on, whichever way the rows were divided, so its aggregates are complete; the
// others are left out whole. Bytes are measured by what rows bring in, not by what the allocator
// takes, for the same reason.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "distinct_sketch.hpp"
#include "hash.hpp"
#include "nines/query/aggregate.hpp"
#include "nines/query/operator.hpp"

namespace nines::query {

struct Group {
  uint64_t hash = 0;
  int64_t ts = 0;                      // of its earliest row, when has_ts
  Place place{UINT32_MAX, INT64_MAX};  // the smallest of its rows
  size_t bytes = 0;                    // measure of its size
  uint32_t key_size = 0;
  bool has_ts = false;
};

class GroupTable {
 public:
  // `aggregates` outlives the table. without_limits: a single group that is never given up.
  GroupTable(AggregateSet& aggregates, const Limits& limits, bool without_limits);
  ~GroupTable();
  GroupTable(const GroupTable&) = delete;
  GroupTable& operator=(const GroupTable&) = delete;

  // nullptr: beyond a limit. REQUIRES hash == hash_of(key).
  Group* find_or_add(std::string_view key, uint64_t hash) {
    Group* const group = find(key, hash);
    return group != nullptr ? group : add(key, hash);
  }
  static uint64_t hash_of(std::string_view key) noexcept { return hash_bytes(key) >> 1; }
  // To be told whenever aggregates of a group have grown.
  void grow(Group& group, size_t bytes) {
    if (bytes == 0) return;
    group.bytes += bytes;
    bytes_ += bytes;
    if (bytes_ > high_bytes_) cut();
  }
  // Changes whenever groups may have been given up: pointers to them are void then.
  uint64_t epoch() const noexcept { return epoch_; }
  // Takes the groups of `later` out of it.
  void merge(GroupTable& later);
  // Gives up what is beyond the limits. After it and until a row comes the table is a function of
  // the rows alone.
  void cut();

  char* states_of(Group& group) const noexcept {
    return reinterpret_cast<char*>(&group) + kHeadBytes;
  }
  const char* states_of(const Group& group) const noexcept {
    return reinterpret_cast<const char*>(&group) + kHeadBytes;
  }
  std::string_view key_of(const Group& group) const noexcept {
    return {states_of(group) + state_bytes_, group.key_size};
  }
  std::vector<const Group*> groups() const;  // in no order
  size_t size() const noexcept { return size_; }
  size_t peak_bytes() const noexcept { return peak_bytes_; }

  uint64_t evicted() const { return left_out_.estimate(); }
  void save(std::string& out) const;
  // REQUIRES an empty table. False: these are no bytes of a table with keys of `columns` values.
  bool load(std::string_view& in, size_t columns);

 private:
  struct Slot {
    uint64_t hash;
    Group* group;
  };
  static constexpr size_t kAlign = alignof(std::max_align_t);
  static constexpr size_t kHeadBytes = (sizeof(Group) + kAlign - 1) / kAlign * kAlign;

  Group* find(std::string_view key, uint64_t hash) const noexcept {
    const size_t mask = slots_.size() - 1;
    for (size_t i = static_cast<size_t>(hash) & mask;; i = (i + 1) & mask) {
      const Slot& slot = slots_[i];
      if (slot.group == nullptr) return nullptr;
      if (slot.hash == hash && key_of(*slot.group) == key) return slot.group;
    }
  }
  Group* add(std::string_view key, uint64_t hash);
  Group* make(std::string_view key, uint64_t hash);
  void place(Group* group);
  bool load_group(std::string_view& in, size_t columns);
  std::vector<Group*> by_hash() const;
  void rehash(size_t slots);
  void destroy(Group* group) noexcept;

  AggregateSet& aggregates_;
  size_t state_bytes_;
  size_t max_groups_, max_bytes_;
  size_t high_groups_, high_bytes_;  // when to cut: a little above the limits
  std::vector<Slot> slots_;          // a power of two, at most 3/4 full
  size_t size_ = 0, bytes_ = 0, peak_bytes_ = 0;
  uint64_t bound_ = UINT64_MAX;  // groups of this hash and above are given up
  DistinctSketch left_out_;      // of the hashes given up
  uint64_t epoch_ = 0;
};

}  // namespace nines::query
