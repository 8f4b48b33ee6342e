// The most frequent values of a column. All are counted exactly while at most kExact different ones
// (and kExactBytes of text) have come. Beyond that counts live in a count-min sketch, which only
// ever counts too much (by at most 1/12,000 of all rows, with 98 % certainty), and the texts of
// those that may be frequent are kept beside it: all values that make up 1/kCandidates of the rows
// or more, by counters that are merged as Agarwal et al. show ("Mergeable Summaries", 2012, for
// those of Misra and Gries), whatever the order of rows and merges.
//
// Which of the others are kept does depend on it. So only values are told that the sketch counts
// kShare of the rows for: the sketch adds up to the same bits however rows are divided, and with it
// the answer. One could be missing from it only where all rows of the sketch count nearly as much
// too much as the value needs, less than once in 1,000 at the worst.
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
  // The `k` most frequent, the smaller value first among equally frequent ones; fewer when the
  // others are too rare to tell.
  std::vector<Entry> top(size_t k) const;
  bool exact() const noexcept { return sketch_.empty(); }

  void save(std::string& out) const;
  bool load(std::string_view& in, size_t& grown);

 private:
  static constexpr size_t kRows = 4, kColumns = 32768;
  static constexpr size_t kCandidates = 4096;
  static constexpr size_t kMostCandidates = kCandidates + kCandidates / 2;
  static constexpr uint64_t kShare = 2000;        // of so many rows a value needs one to be told
  static constexpr size_t kCandidateBytes = 512;  // longer values are no candidates
  static constexpr size_t kAround = 80;           // of an entry, beside its key
  // What the measure of a state grows to: nothing exact is larger.
  static constexpr size_t kSketchBytes =
      kMostCandidates * (kAround + kCandidateBytes) + kRows * kColumns * sizeof(uint64_t);
  static_assert(kMostCandidates * (kAround + kCandidateBytes) > kExact * kAround + kExactBytes);

  size_t add_exact(std::string_view key, uint64_t count);
  static size_t cell_of(size_t row, uint64_t hash, uint64_t step);
  uint64_t add_sketch(std::string_view key, uint64_t count);  // the new estimate
  uint64_t estimate(std::string_view key) const;
  uint64_t least_told() const;
  size_t to_sketch();
  void offer(std::string_view key, uint64_t count, uint64_t estimate);
  void prune();

  struct Hash {
    using is_transparent = void;
    size_t operator()(std::string_view key) const noexcept;
  };
  using Counts = std::unordered_map<std::string, uint64_t, Hash, std::equal_to<>>;

  Counts counts_;     // exact ones; else candidates, at most bar_ less than their true counts
  size_t bytes_ = 0;  // the measure while exact
  std::vector<uint64_t> sketch_;  // kRows rows; empty while exact
  uint64_t bar_ = 0;              // what is no candidate has come no more often
  std::string key_;
};

}  // namespace nines::query
