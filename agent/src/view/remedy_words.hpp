// What the views of remediation have in common.
#pragma once

#include <string>
#include <string_view>

#include "nines/base/json_writer.hpp"
#include "nines/remedy/effect.hpp"
#include "nines/remedy/guard.hpp"
#include "nines/remedy/learner.hpp"

namespace nines::agent::view {

std::string moment(WallTime t);  // RFC 3339, whole seconds
std::string_view phase_name(nines::remedy::Phase phase);
std::string share_text(double share);                       // "57 %"; NaN: "-"
std::string span_text(double seconds);                      // "-3m 20s"; NaN: "-"
std::string range_text(const nines::remedy::Interval& of);  // "57-99 %"
// Names of rules that would undo it about the same incidents; empty: there is none.
std::string opposed_to(const nines::remedy::RuleLife& rule, const nines::remedy::Guard& guard);
// As objects.
void write(JsonWriter& json, const nines::remedy::RuleLife& rule,
           const nines::remedy::Guard& guard);
void write(JsonWriter& json, const nines::remedy::Act& act);
void write(JsonWriter& json, const nines::remedy::Lesson& lesson);
void write_number(JsonWriter& json, const char* name, double value);  // NaN: null

}  // namespace nines::agent::view
