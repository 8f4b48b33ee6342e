// Finds the preferred match that begins at one row: all ways to read the rows are followed side by
// side, in the order in which backtracking would try them, so that no row is read twice (K.
// Thompson, R. Pike). Conditions may look at the labels so far: ways that stand at the same place
// of the pattern are one only if no condition can tell them apart.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "pattern_program.hpp"

namespace nines::query {

// One match in the making. Rows have numbers within their partition.
struct Attempt {
  struct Reading {
    uint32_t pc = 0;    // a match instruction
    uint32_t path = 0;  // its last label among `paths`; kNoPath: none yet
  };
  struct Label {
    uint32_t before = 0;  // index of the label of the row before
    uint16_t label = 0;
    bool excluded = false;
  };
  static constexpr uint32_t kNoPath = UINT32_MAX;

  int64_t start = 0;
  int64_t next = 0;  // row to be read
  bool active = false;
  bool has_match = false;  // the best so far; readings that are left are preferred to it
  uint32_t match_path = kNoPath;
  int64_t match_end = 0;          // row behind the match
  std::vector<Reading> readings;  // most preferred first; empty: it is known what matches
  std::vector<uint64_t> words;    // of each reading: what conditions can see of its labels
  std::vector<Label> paths;
  size_t compact_at = 1024;

  size_t memory_bytes() const noexcept {
    return readings.capacity() * sizeof(Reading) + words.capacity() * sizeof(uint64_t) +
           paths.capacity() * sizeof(Label);
  }
};

// What of a variable's rows the conditions can see.
struct Visible {
  enum class What : uint8_t { first, last, count, all } what = What::all;
  size_t label = 0;
  friend bool operator==(const Visible&, const Visible&) = default;
};

class Recognizer {
 public:
  // Ways to read the rows that are followed when conditions can tell them apart; beyond them the
  // least preferred are dropped and counted. Without such conditions no way is ever dropped.
  static constexpr size_t kMaxReadings = 1024;

  class Conditions {
   public:
    virtual ~Conditions() = default;
    // Whether the row attempt.next, behind the labels of the reading, is a `label`.
    virtual bool holds(const Attempt& attempt, const Attempt::Reading& reading, size_t label) = 0;
    // False: this reading of this row is known to lead nowhere. `bit`: see dead_bit().
    virtual bool may_read(int64_t row, uint64_t bit) = 0;
  };

  Recognizer(PatternProgram program, std::vector<Visible> visible);
  const PatternProgram& program() const noexcept { return program_; }

  void begin(Attempt& attempt, int64_t start);
  // Reads attempt.next. `is_last`: no row follows it.
  void read(Attempt& attempt, Conditions& conditions, bool is_last);
  // Of the match or of a reading, from the first row on.
  void labels(const Attempt& attempt, uint32_t path, std::vector<uint16_t>& out) const;
  void excluded(const Attempt& attempt, uint32_t path, std::vector<bool>& out) const;

  // False: the pattern is too large for dead ends to be remembered.
  bool has_dead_bits() const noexcept { return has_bits_; }
  uint64_t dropped() const noexcept { return dropped_; }

 private:
  // Instructions that `pc` leads to without reading a row, the most preferred first. False: the
  // match is complete, what is less preferred is not wanted.
  bool follow(Attempt& attempt, uint32_t pc, uint32_t path, int64_t row, bool at_end);
  void add(uint32_t pc, uint32_t path);
  void compact(Attempt& attempt);
  void see(size_t label, int64_t row);

  PatternProgram program_;
  std::vector<Visible> visible_;
  std::vector<uint64_t> bits_;  // by instruction: of matches
  bool has_bits_ = true;
  uint64_t dropped_ = 0;

  // Scratch memory.
  std::vector<uint32_t> stack_;
  std::vector<uint64_t> stamps_;  // by instruction: when it was followed last
  uint64_t stamp_ = 0;
  std::vector<uint32_t> last_at_;      // by instruction: the last of next_ there
  std::vector<uint64_t> last_stamps_;  // and whether that is of this row
  uint64_t row_stamp_ = 0;
  std::vector<Attempt::Reading> next_;
  std::vector<uint64_t> next_words_;
  std::vector<uint32_t> same_;  // the one of next_ before it at the same instruction
  std::vector<uint64_t> words_;
  std::vector<uint32_t> moved_;
};

}  // namespace nines::query
