// The most frequent values of a column. All are counted exactly while at most kExact different ones
// (and kExactBytes of text) have come. Beyond that counts live in a count-min sketch, which only
// ever counts too much (by at most 1/6,000 of all rows, with 98 % certainty), and the texts of the
// values that seem most frequent are kept beside it.
//
// The sketch adds up to the same bits however rows are divided; a value among the most frequent of
// all is among the most frequent candidates of some part, so the answer is the same too unless
// candidates of hardly any frequency are asked for.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "nines/log/value.hpp"

namespace nines::query {

class TopValues {
 public:
  static constexpr size_t kExact = 10'000;
  static constexpr size_t kExactBytes = size_t{1} << 20;

  struct Entry {
    std::string_view key;  // of append_key()
    uint64_t count;
  };

  size_t add(const Value& value);
  size_t merge(const TopValues& other);
  // The `k` most frequent, the smaller value first among equally frequent ones.
  std::vector<Entry> top(size_t k) const;
  bool exact() const noexcept { return sketch_.empty(); }

  void save(std::string& out) const;
  bool load(std::string_view& in, size_t& grown);

 private:
  static constexpr size_t kRows = 4, kColumns = 16384;
  static constexpr size_t kCandidates = 1024;
  static constexpr size_t kCandidateBytes = 512;  // longer values are no candidates
  static constexpr size_t kAround = 80;           // of an entry, beside its key
  // What the measure of a state grows to: nothing exact is larger.
  static constexpr size_t kSketchBytes =
      (kExact + 1) * kAround + 2 * kExactBytes + kRows * kColumns * sizeof(uint64_t);

  size_t add_exact(std::string_view key, uint64_t count);
  static size_t cell_of(size_t row, uint64_t hash, uint64_t step);
  void add_sketch(std::string_view key, uint64_t count);
  uint64_t estimate(std::string_view key) const;
  size_t to_sketch();
  void offer(std::string_view key, uint64_t estimate);
  void prune();

  struct Hash {
    using is_transparent = void;
    size_t operator()(std::string_view key) const noexcept;
  };
  using Counts = std::unordered_map<std::string, uint64_t, Hash, std::equal_to<>>;

  Counts counts_;     // exact ones; else candidates with the estimate when they were last seen
  size_t bytes_ = 0;  // the measure while exact
  std::vector<uint64_t> sketch_;  // kRows rows; empty while exact
  uint64_t bar_ = 0;              // a new candidate must be above this
  std::string key_;
};

}  // namespace nines::query
