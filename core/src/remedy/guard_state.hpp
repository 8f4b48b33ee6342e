// GuardState: what the fold of all guard events is, and what follows from it at a moment.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "nines/remedy/guard.hpp"

namespace nines::remedy {

inline constexpr int64_t kHourS = 3600;

// How long ago; what is ahead of now is of now, so that a clock set back opens nothing.
inline int64_t age_s(WallTime at, WallTime now) noexcept {
  return now <= at ? 0 : (now.ns - at.ns) / kNsPerSecond;
}
// Still within so many seconds.
inline bool within(WallTime at, WallTime now, int64_t s) noexcept {
  return now <= at || now.ns - at.ns < s * kNsPerSecond;
}

class GuardState {
 public:
  void apply(const GuardEvent& event);  // in the order of comes_before()

  struct Life : RuleLife {
    std::string draft;             // uid of the event that defined it
    std::set<std::string> drafts;  // and of those that said the same again
    WallTime began{};              // the draft before which nothing but demotions counts
    bool anew = false;             // a person wrote it
    WallTime changed{};            // what is said of it comes behind that
    std::set<std::string> hit;
  };
  struct Approval {
    std::string rule, target, incident;
    WallTime at{};
    WallTime order{};  // where it stands among all events
  };

  const Act* find(std::string_view id) const;
  std::vector<const Act*> of_target(std::string_view target) const;
  int begun_within_hour(WallTime now, bool (*counts)(const Act&, const std::string&),
                        const std::string& name) const;
  // For how long a target is left alone, counted from its last act.
  int64_t cool_down_s(std::string_view target, const GuardLimits& limits) const;
  bool cooling(std::string_view target, const GuardLimits& limits, WallTime now) const;
  bool frozen(std::string_view target, const GuardLimits& limits, WallTime now) const;
  bool tripped(const GuardLimits& limits, WallTime now) const;
  bool breaker_open(const GuardLimits& limits, WallTime now) const;
  bool lifted(const std::string& stop) const { return lifted_.contains(stop); }
  // uid of an approval that fits and was not used.
  std::string approval(const Proposal& proposal, const GuardLimits& limits, WallTime now) const;
  WallTime order_of_approval(const std::string& uid) const;  // 0: it is not known

  std::vector<Act> acts;  // in the order of their intents
  std::map<std::string, Life, std::less<>> rules;
  std::map<std::string, GuardEvent> stops;  // not lifted

 private:
  Act* act(const GuardEvent& event);
  void begin(const GuardEvent& event);
  void end(Act& act, Phase phase, const GuardEvent& event);
  void apply_act(const GuardEvent& event);
  void apply_rule(const GuardEvent& event);
  void draft(Life& life, const GuardEvent& event);
  void draft_again(Life& life, const GuardEvent& event);

  std::map<std::string, size_t, std::less<>> by_id_;
  std::map<std::string, Approval> approvals_;
  std::set<std::string> used_;  // approvals, whether they were folded before their intent or not
  std::map<std::string, WallTime, std::less<>> unfrozen_;
  std::set<std::string> lifted_;
  WallTime resumed_{};
};

}  // namespace nines::remedy
