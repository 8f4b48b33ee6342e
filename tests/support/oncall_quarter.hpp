// A quarter of being on call, simulated: incidents that come in bursts, more by day than by night,
// from some services more than from others; routed as the on-call room does, or always to whoever
// is on call. The same seed gives the same incidents for both.
#pragma once

#include <algorithm>
#include <memory>
#include <random>
#include <string>
#include <utility>

#include "nines/base/time.hpp"
#include "nines/oncall/load_report.hpp"

namespace nines::oncall::test {

struct QuarterResult {
  int64_t pages = 0, night_pages = 0, most_pages = 0, most_in_a_day = 0;
  int64_t gini_pages_milli = 0, gini_nights_milli = 0;
  int64_t tired_pages = 0;  // told to somebody with a fatigue above 3
  int64_t worst_fatigue_milli = 0;
  int64_t expert_pages = 0;  // told to somebody who had resolved one like it
  int64_t not_on_call = 0;   // told to somebody who is not on the first level
};

// Eight people in weekly turns; the one behind is the second level, the rest of them the third.
inline Plan quarter_plan() {
  Plan plan;
  auto roster = std::make_shared<Roster>();
  for (int i = 0; i < 8; ++i) {
    Person person;
    person.id = "p" + std::to_string(i);
    roster->people.push_back(person);
  }
  plan.roster = roster;
  Policy policy;
  policy.name = "all";
  for (const int behind : {0, 1}) {
    Layer layer;
    layer.name = "weekly";
    for (int i = 0; i < 8; ++i) layer.people.push_back(static_cast<uint32_t>((i + behind) % 8));
    layer.rotation.first_s = days_from_civil(2026, 1, 5) * 86400 + 9 * 3600;
    auto made = Schedule::make({"level" + std::to_string(behind), roster, {layer}, {}, {}});
    policy.levels.push_back({static_cast<uint32_t>(plan.schedules.size()), {}});
    plan.schedules.push_back(std::move(*made));
  }
  Level rest;
  for (uint32_t i = 0; i < 8; ++i) rest.people.push_back(i);
  policy.levels.push_back(rest);
  plan.policies = {policy};
  return plan;
}

struct Burst {
  int64_t at_s = 0;
  std::string service;
  bool night = false;
};

inline std::vector<Burst> quarter_incidents(const Plan& plan, uint32_t seed) {
  std::mt19937 chance(seed);
  std::vector<Burst> out;
  const auto up_to = [&](uint32_t n) { return static_cast<uint32_t>(chance() % n); };
  const int64_t start = days_from_civil(2026, 1, 5) * 86400 + 9 * 3600;
  for (int64_t day = 0; day < 91; ++day) {
    const bool storm = up_to(12) == 0;  // a bad day
    const uint32_t count = storm ? 6 + up_to(8) : up_to(3);
    for (uint32_t i = 0; i < count; ++i) {
      const int64_t at = start + day * 86400 + static_cast<int64_t>(up_to(86400));
      const auto service = std::min({up_to(6), up_to(6)});
      out.push_back(
          {at, "s" + std::to_string(service), is_night(*plan.roster->people[0].zone, at)});
    }
  }
  std::sort(out.begin(), out.end(), [](const Burst& a, const Burst& b) { return a.at_s < b.at_s; });
  return out;
}

inline QuarterResult run_quarter(uint32_t seed, bool routed) {
  const Plan plan = quarter_plan();
  PageLedger ledger(plan.roster);
  QuarterResult out;
  for (const Burst& one : quarter_incidents(plan, seed)) {
    const Request request{one.at_s, 1, one.service, "error_storm " + one.service, {}};
    const Route decided = route(plan, ledger, request);
    const uint32_t on_call = plan.schedules[0].at(one.at_s).person;
    uint32_t person = on_call;
    if (routed) {
      if (decided.chain.empty()) continue;
      person = decided.chain.front().person;
    }
    const int64_t fatigue = ledger.fatigue_milli(person, one.at_s);
    out.tired_pages += fatigue > 3000 ? 1 : 0;
    out.worst_fatigue_milli = std::max(out.worst_fatigue_milli, fatigue);
    out.not_on_call += person == on_call ? 0 : 1;
    out.expert_pages += ledger.tally(person, request.signature, one.at_s).resolved > 0 ? 1 : 0;
    Page page;
    page.at_s = one.at_s;
    page.person = person;
    page.service = one.service;
    page.signature = request.signature;
    page.acknowledged_s = one.at_s + 120;
    page.resolved = true;
    ledger.add(page);
  }
  const int64_t start = days_from_civil(2026, 1, 5) * 86400;
  const auto report = load_report(plan, ledger, {start, start + 93 * 86400});
  out.pages = report->pages;
  out.night_pages = report->night_pages;
  out.gini_pages_milli = report->gini_pages_milli;
  out.gini_nights_milli = report->gini_nights_milli;
  for (const PersonLoad& load : report->people) {
    out.most_pages = std::max(out.most_pages, load.pages);
    out.most_in_a_day = std::max(out.most_in_a_day, load.most_in_a_day);
  }
  return out;
}

}  // namespace nines::oncall::test
