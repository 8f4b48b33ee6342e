// LoadReport: how the load of being on call was shared, and which rules page for nothing.
//
// Gini: 0 when all have the same, towards 1 when one has everything; in thousandths, of pages, of
// pages at night, and of hours on call. Hours are of the schedules that are given.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "nines/base/json_writer.hpp"
#include "nines/oncall/router.hpp"

namespace nines::oncall {

struct PersonLoad {
  uint32_t person = kNobody;
  int64_t on_call_s = 0;
  int64_t pages = 0, night_pages = 0, acknowledged = 0, resolved = 0;
  std::optional<int64_t> median_ack_s, slowest_ack_s;  // none was acknowledged
  int64_t fatigue_milli = 0;                           // at the end
  int64_t most_in_a_day = 0;                           // pages within any 24 h
};

// A signature that pages often, with what is worth changing about its rule.
struct NoisyRule {
  std::string signature;
  int64_t pages = 0, night_pages = 0;
  int64_t unanswered = 0;  // nobody acknowledged
  int64_t by_itself = 0;   // over without anybody's doing
  int64_t brief = 0;       // of these within 5 minutes
  std::string hint;
};

struct LoadReport {
  static constexpr size_t kMaxRules = 20;
  Span span;
  std::vector<PersonLoad> people;  // everybody of the roster, most pages first
  int64_t pages = 0, night_pages = 0;
  int64_t gini_pages_milli = 0, gini_nights_milli = 0, gini_hours_milli = 0;
  std::optional<int64_t> median_ack_s;
  std::vector<NoisyRule> rules;  // noisiest first
};

// invalid_argument: a time that Schedule::shifts() refuses.
Result<LoadReport> load_report(const Plan& plan, const PageLedger& ledger, const Span& span);

// Of values that are not negative; 0 for none.
int64_t gini_milli(std::vector<int64_t> values);

void write_json(JsonWriter& out, const Plan& plan, const LoadReport& report);

}  // namespace nines::oncall
