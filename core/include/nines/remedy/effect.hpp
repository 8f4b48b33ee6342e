// Effect: what a rule has been good for, against what happened to the same signature without it:
// share of successes with its interval, time to recover, toil saved; and whether it should go back
// to shadow. Pure functions of the history.
//
// Times are compared by rank, since a few long outages say nothing about the middle. An incident
// that had not recovered when it was judged counts as one of the longest (worst rank, Lachin 1999):
// leaving it out would make a rule look fast that gives up often.
#pragma once

#include <string>
#include <vector>

#include "nines/base/json_writer.hpp"
#include "nines/remedy/history.hpp"
#include "nines/remedy/statistics.hpp"

namespace nines::remedy {

struct EffectRules {
  uint64_t base_n = 5;  // of others, to compare with
  int failures_in_a_row = 3;
  // That a person is busy with such an incident, while fewer than `hands_on_n` were measured.
  int64_t hands_on_s = 15 * 60;
  uint64_t hands_on_n = 5;
  size_t most_times = 512;  // newest times of each side
};

struct Effect {
  std::string rule, signature;
  uint64_t good = 0, n = 0;
  Interval success{};
  uint64_t base_good = 0, base_n = 0;  // without the rule
  Interval base{};
  double median_s = 0, base_median_s = 0;  // to recover; NaN: none
  uint64_t censored = 0, base_censored = 0;
  Shift change{};                 // of the time to recover, seconds: below 0 is faster
  double p_change = 1;            // Mann-Whitney
  int64_t hands_on_s = 0;         // median of those that people had their hands on
  uint64_t hands_on_n = 0;        // so many of them; 0: too few, `hands_on_s` is assumed
  int64_t toil_saved_s = 0;       // acts that went well times that
  double toil_saved_s_month = 0;  // of 30 days, since the first act of the rule
  int failures = 0;               // in a row, the last ones
  WallTime judged{};              // the newest act of the rule; 0: there is none
  std::string demote;             // why it should go back to shadow; empty: it may stay
};

// `signature` of the rule, and finer ones; acts of the rule elsewhere count as its own, too.
Effect effect_of(const History& history, std::string_view rule, std::string_view signature,
                 WallTime now, const EffectRules& rules = {});

void write_json(JsonWriter& out, const Effect& effect);
std::string to_text(const Effect& effect);  // some lines for people

}  // namespace nines::remedy
