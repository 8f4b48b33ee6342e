// From offsets between pairs of nodes to one offset a node.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "nines/timeline/clock_model.hpp"
#include "timeline/agreement.hpp"

namespace nines::timeline {

// 73 years: sums of two fit 64 bits; beyond, they stay there.
inline constexpr int64_t kMostOffsetNs = int64_t{1} << 61;

struct ClockEdge {
  size_t from = 0, to = 0;  // nodes
  Interval theta;           // holds clock(to) - clock(from)
  int64_t likely = 0;       // within theta
  int64_t spread = 0;       // how well `likely` is known, for its weight: half a width
  NodeClock::Source source = NodeClock::Source::spans;
};

struct SolvedClock {
  int64_t offset = 0, uncertainty = 0;
  NodeClock::Source source = NodeClock::Source::nothing;
  bool reached = false;
};

// Of all nodes that edges lead to from `reference`.
std::vector<SolvedClock> solve_clocks(size_t nodes, const std::vector<ClockEdge>& edges,
                                      size_t reference);

}  // namespace nines::timeline
