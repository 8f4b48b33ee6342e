// All that stands against a proposal at a moment.
#pragma once

#include <vector>

#include "remedy/guard_state.hpp"

namespace nines::remedy {

struct Weighed {
  std::vector<Refusal> refused;
  std::string approval;  // that it takes; empty: it needs none, or there is none
  bool page = false;
};
struct Scales {
  const GuardState& state;
  const GuardLimits& limits;
  const std::string& node;  // that proposes
  bool full = false;        // the log has no room for an act
  bool clock_back = false;  // it was later already
  std::optional<uint64_t> token;
  WallTime now{};
};
Weighed weigh(const Proposal& proposal, const Scales& scales);

}  // namespace nines::remedy
