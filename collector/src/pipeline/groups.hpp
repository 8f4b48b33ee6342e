// GroupTable: which row a record of an SLO with groups counts in. One look-up by hash a record; a
// known value allocates nothing.
//
// Kept over a restart in one Position, "group:<slo>:<generation>": the values in the order in which
// they came, each with the hour of its last event (written at most once an hour and value). A value
// of which no window holds an event any more is let go, at the next start or while we run, and its
// place is free.
//
//   state = version 1 | each: hour (zigzag varint) | length (varint) | text
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "nines/collector/pipeline.hpp"
#include "nines/log/value.hpp"
#include "nines/slo/batch.hpp"
#include "nines/slo/spec.hpp"

namespace nines::collector {

// What a value is called: valid, printable, at most 64 bytes.
std::string group_name(const Value& value);

class GroupTable {
 public:
  // `first_row`: of kOtherGroup; the others follow it, `max` in number.
  GroupTable(uint32_t slo, const slo::SloSpec& spec, uint32_t first_row);

  // The row of a value (among those of all tables), counted at `slot`.
  uint32_t row(const Value& value, int64_t slot);

  uint32_t slo() const noexcept { return slo_; }
  uint32_t first_row() const noexcept { return first_row_; }
  uint32_t rows() const noexcept { return static_cast<uint32_t>(max_) + 1; }
  // Rows that were taken since the last call, for the engine to have them.
  void take_new(std::vector<slo::GroupRow>& out);
  // Rows that are idle, once an hour of event time, for the engine to let them go. Not those that
  // were counted in since the last time: nothing of them is in the batch. Their places are free
  // from the next time on: by then the engine has let go of them.
  void let_go(WallTime newest, std::vector<slo::GroupRow>& out);

  // False: not ours. Values without an event within the SLO's windows before `newest` stay out.
  bool restore(const slo::Position& position, WallTime newest);
  void take_position(std::vector<slo::Position>& out);

  struct Counts {
    uint64_t overflow = 0, missing = 0;  // events in `other`: beyond max, without a value
  };
  const Counts& counts() const noexcept { return counts_; }
  size_t groups() const noexcept;

 private:
  struct Group {
    std::string name;  // empty: a free place
    int64_t hour = INT64_MIN;
    bool told = false;     // the engine has it
    bool counted = false;  // since the last look at what is idle
    bool resting = false;  // let go, not free yet: it may come back
    bool in_use() const noexcept { return !name.empty() && !resting; }
  };
  struct Known {
    uint64_t hash = 0;  // 0: free
    uint32_t group = 0;
  };
  uint32_t other(uint64_t& counter);
  uint32_t learn(uint64_t hash, const Value& value);
  void remember(uint64_t hash, uint32_t group);
  uint32_t seen(uint32_t group, int64_t slot);
  uint32_t take_place(std::string name);
  void forget_idle();
  int64_t oldest_hour(WallTime newest) const;

  uint32_t slo_, first_row_;
  size_t max_;
  int64_t window_s_;  // the longest that it or one of its rules has
  std::string key_;
  std::vector<Known> table_;  // open addressing, never more than half full
  size_t known_ = 0;
  std::vector<Group> groups_;
  size_t used_ = 0;                  // places of groups_, those that rest among them
  int64_t looked_hour_ = INT64_MIN;  // at what is idle
  bool other_used_ = false, other_told_ = false, dirty_ = false;
  Counts counts_;
};

}  // namespace nines::collector
