// Procedure: a template of recovery made of resolutions that went well: which steps, in which
// order, what is checked before and after each, and what undoes it. For people to read and for
// rules to be drafted from; every check is one that an executor knows. Pure functions.
#pragma once

#include <string>
#include <vector>

#include "nines/base/json_writer.hpp"
#include "nines/remedy/learner.hpp"

namespace nines::remedy {

enum class Check : uint8_t {
  // before
  condition_holds,    // it is still wrong
  no_other_incident,  // on the same service; unknown counts as one
  target_exists,      // and is the one that was meant (uid)
  not_paused,         // the rollout
  above_minimum,      // ready replicas stay at or above the minimum, the disruption budget agrees
  not_scaled_by_others,
  earlier_revision,
  state_remembered,  // what it was is written down, for the way back
  allow_listed,
  // after
  condition_over,
  target_ready,
  burn_below_one,
  stays_over,
};
std::string_view check_text(Check check) noexcept;  // a sentence

struct Step {
  Action action;
  std::vector<Check> before, after;
  std::optional<Action> rollback;  // nullopt: nothing undoes it, call a person
  int64_t wait_s = 600;            // for the checks after it
  uint64_t taken = 0;              // in so many of the resolutions
};

struct Procedure {
  std::string signature;
  Standing standing = Standing::suggested;
  std::vector<Step> steps;
  uint64_t resolutions = 0;            // that it was made of
  std::vector<std::string> incidents;  // the newest of them, at most kMaxExamples
};
inline constexpr size_t kMaxExamples = 5, kMaxSteps = 8;

// One for each lesson that has resolutions, of its signature or finer ones. A step is what was done
// in at least half of them, before the action of the lesson; earlier in most of them is earlier
// here (ties: by name).
std::vector<Procedure> procedures_of(const History& history, const std::vector<Lesson>& lessons);

// Of an action that nothing was learned about: its checks and its way back all the same.
Procedure procedure_for(const std::string& signature, const Action& action);

void write_json(JsonWriter& out, const Procedure& procedure);
std::string to_markdown(const Procedure& procedure);

}  // namespace nines::remedy
