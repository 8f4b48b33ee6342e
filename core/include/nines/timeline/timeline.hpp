// Timeline: the events of all nodes in one order, as far as it is known. Every event gets the
// interval (by the reference's clock) in which it happened; that one event was before another is
// claimed only
//  - where the intervals of the two do not overlap, or
//  - on one node, where its clock and its sequence agree, or
//  - by key: an alert before its page and its resolution, a page before its ack (where only one
//    event of the key can be meant: one alert, one page).
// What is known that way narrows the intervals of both, too. Everything else is concurrent: shown
// one after the other, by the most likely time, but marked.
//
// build() is pure: O(n log n) for n events, 100 bytes each beside the events, which move in.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "nines/base/time.hpp"
#include "nines/timeline/clock_model.hpp"
#include "nines/timeline/event.hpp"

namespace nines::timeline {

struct TimelineFilter {
  // Empty, none: all. Several kinds: any of them.
  std::string node, service, incident;
  std::vector<EventKind> kinds;
  // Corrected times; an event that may have happened within is kept.
  std::optional<WallTime> since, until;  // [since, until)
  size_t limit = 20'000;                 // of the events that pass, the first so many
};

// An event at its place. Claims: see Timeline::before().
struct Entry {
  TimelineEvent event;
  WallTime at{};  // most likely, by the reference's clock
  // When it happened at the earliest and the latest. Without a known clock they are beyond all
  // times, but for what keys tell.
  WallTime low, high;
  bool clock_known = false;
  // What is known contradicts itself (a clock that was set, a wrong bound): no order is concluded
  // from its time.
  bool doubtful = false;
  // Sequence and clock of its node agree; else no order is claimed against others of its node.
  bool in_sequence = true;
  // Entries that follow each other and overlap, some order of which is not claimed, are one group;
  // those that are doubtful, or of an unknown clock, are in none: they may be anywhere.
  std::optional<size_t> group;
  std::optional<size_t> after;  // the entry that caused it: the alert, or the page

  int64_t uncertainty_ns() const noexcept;  // the wider half; REQUIRES clock_known
};

class Timeline {
 public:
  // `events`: in any order; sorted by node is fastest. Twice the same (node, seq) is kept once.
  // `clocks`: what is known, as ClockModel::solve() gives it; several moments of the same node are
  // welcome (an hour ago, now): the surest for the time of an event is used. All must be against
  // the same `reference`, an event of which needs none.
  static Timeline build(std::vector<TimelineEvent> events, const std::vector<NodeClock>& clocks,
                        std::string_view reference, const TimelineFilter& filter = {});

  const std::vector<Entry>& entries() const noexcept { return entries_; }
  // Whether entry `a` is known to have happened before entry `b`.
  bool before(size_t a, size_t b) const noexcept;

  // One a node that has entries, by name; the newest of `clocks`.
  const std::vector<NodeClock>& nodes() const noexcept { return nodes_; }
  const std::string& reference() const noexcept { return reference_; }
  const TimelineFilter& filter() const noexcept { return filter_; }

  struct Stats {
    uint64_t given = 0, twice = 0, filtered = 0, beyond_limit = 0;
    uint64_t doubtful = 0, out_of_sequence = 0;
    bool keys_unused = false;  // keys go around in circles: nothing is concluded from them
  };
  const Stats& stats() const noexcept { return stats_; }

 private:
  void group_entries();

  std::vector<Entry> entries_;
  std::vector<NodeClock> nodes_;
  std::string reference_;
  TimelineFilter filter_;
  Stats stats_;
};

}  // namespace nines::timeline
