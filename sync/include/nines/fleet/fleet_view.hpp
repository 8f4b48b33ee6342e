// What the fleet's state says of an SLO over all nodes: sums of counts, never averages of ratios.
// Nodes count to one budget when name, generation, target and window are the same. The window is
// [end - window, end), end = `now` rounded down to the minute, its start rounded down to the hour
// for windows of more than 3 h. An hour is taken from its hour cell, and as long as there is none
// from its minutes. Pure functions.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "nines/base/decimal.hpp"
#include "nines/fleet/fleet_state.hpp"

namespace nines::fleet {

struct FleetPart {
  std::string node;
  Counts counts;
  // Of the seconds since the node first covered anything in the window; null: nothing was covered.
  std::optional<double> coverage;
  WallTime newest{};     // end of the newest minute or hour told
  int64_t behind_s = 0;  // of `now`
  bool stale = false;    // behind by more than stale_after_s
};

struct FleetBudget {
  std::string slo, generation, service, target;
  int64_t window_s = 0;
  WallTime start{}, end{};
  Counts counts;                 // sums over the parts
  std::vector<FleetPart> parts;  // by node
  size_t stale_parts = 0;
  // Display; the integers above decide. Null without events.
  std::optional<double> sli, consumed, remaining;
  bool violated = false;  // exactly: more bad events than the target allows
};

struct ViewOptions {
  int64_t stale_after_s = 300;
};

// By SLO name, then generation.
std::vector<FleetBudget> fleet_budgets(const FleetState& state, WallTime now,
                                       const ViewOptions& options = {});

// The counts of one node's series in [start, end), in seconds since 1970.
Counts counts_between(const FleetState& state, std::string_view origin, uint64_t series,
                      int64_t start_s, int64_t end_s);

}  // namespace nines::fleet
