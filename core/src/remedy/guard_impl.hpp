#pragma once

#include <map>
#include <string>
#include <vector>

#include "remedy/guard_limits.hpp"

namespace nines::remedy {

struct GuardOrder {
  bool operator()(const GuardEvent& a, const GuardEvent& b) const noexcept {
    return comes_before(a, b);
  }
};

// The set of events and the fold of it, which is made anew when one arrives that belongs before
// others.
struct Guard::Impl {
  GuardIdentity identity;
  GuardLimits limits;
  std::set<GuardEvent, GuardOrder> events;
  std::set<std::string> uids;
  GuardState state;
  bool stale = false;  // `state` is not the fold of `events`
  Counters counters;
  uint64_t sequence = 0;
  WallTime latest{};  // that this life was told it is
  WallTime floor{};   // what is over and older than this was pruned, and does not come back

  bool clock_back(WallTime now);  // and remembers it
  bool is_back(WallTime now) const noexcept;
  // REQUIRES that p.target.local is true of this node only.
  Weighed weighed(const Proposal& p, std::optional<uint64_t> token, bool back, WallTime now) const;
  std::vector<GuardEvent> ledger(WallTime now) const;
  bool take(const GuardEvent& event);
  bool replace(const GuardEvent& event);  // of a known name; false: what is there stays
  void refold();
  GuardEvent draft(GuardKind kind, WallTime after, WallTime now);
  Done keep(GuardEvent event);
  bool full() const noexcept;
  Result<const Act*> open_act(std::string_view id) const;
  Result<const GuardState::Life*> life(std::string_view rule) const;
  Done promote(std::string_view rule, GuardKind kind, RuleState from, std::string_view who,
               WallTime now);
  GuardEvent about(const Act& act, GuardKind kind, std::string_view text, WallTime now);
  GuardEvent intent(const Proposal& proposal, const Weighed& weighed, std::optional<uint64_t> token,
                    WallTime now);
  void prune(WallTime now);
  void prune_before(WallTime horizon);
  bool is_superseded(const GuardEvent& event, WallTime horizon) const;
  bool is_ours_to_say(std::string_view rule, WallTime now) const;
};

}  // namespace nines::remedy
