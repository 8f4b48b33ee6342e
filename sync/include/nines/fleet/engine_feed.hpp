// EngineFeed: tells the fleet state what this node's SLO engine has counted. Nothing is queued: the
// engine knows every minute and hour of the past, and publish() only takes what differs. Closed
// minutes and hours are told; those before are looked at again, since lines come late: the last 15
// minutes each time, 3 hours of minutes and a day of hours once in 10 minutes. Events that are late
// for the engine's 10 s tier (SloSpec::data) are seen when that has left their hour, 2 h later.
//
// Told are events as they were counted, whatever the budgeting method, without exclusions. Not told
// are composites (their parts are) and rows of groups (their SLO has the sums).
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "nines/fleet/fleet_state.hpp"
#include "nines/slo/engine.hpp"

namespace nines::fleet {

class EngineFeed {
 public:
  // Both outlive it.
  EngineFeed(const slo::SloEngine& engine, FleetState& state);

  // Names the SLOs to the fleet and tells their past, up to `watermark`. Before the first peer is
  // met, and again when SLOs came or went. `exhausted`: more SLOs than may be told; the first ones
  // are.
  Status begin(WallTime watermark, WallTime now);
  // What was closed since, and what changed before. The number of cells that differ.
  size_t advance(WallTime watermark);

 private:
  size_t tell(Tier tier, int64_t from_slot, int64_t to_slot);

  const slo::SloEngine& engine_;
  FleetState& state_;
  std::vector<std::pair<uint32_t, uint64_t>> series_;  // index of the engine, id
  WallTime told_{};
  int64_t next_review_s_ = 0;
};

// An alert event of the store, as all nodes keep it.
FleetEvent fleet_event(const slo::AlertEvent& event, bool isolated);

}  // namespace nines::fleet
