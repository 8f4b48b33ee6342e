// Whatever happened before: caps hold, costs are the sums of their terms, nobody who may not be
// paged is; and a quarter that is routed is fairer than plain rotation.
#include <rapidcheck.h>

#include <catch2/catch.hpp>
#include <cstdio>

#include "oncall_quarter.hpp"

using namespace nines;
using namespace nines::oncall;
using namespace nines::oncall::test;

TEST_CASE("No history of incidents ever pages anybody beyond a cap") {
  CHECK(rc::check([] {
    const Plan plan = quarter_plan();
    PageLedger ledger(plan.roster);
    int64_t now = days_from_civil(2026, 1, 6) * 86400;
    std::vector<std::pair<int64_t, uint32_t>> pages;
    const int incidents = *rc::gen::inRange(1, 200);
    for (int i = 0; i < incidents; ++i) {
      now += *rc::gen::inRange<int64_t>(0, 400);
      Request request{now, *rc::gen::inRange(0, 4), "s", "k s", {}};
      const int tellings = *rc::gen::inRange(1, 4);
      for (int telling = 0; telling < tellings; ++telling) {
        const Route decided = route(plan, ledger, request);
        if (decided.chain.empty()) break;
        RC_ASSERT(request.severity < 3);
        const uint32_t person = decided.chain.front().person;
        RC_ASSERT(std::find(request.told.begin(), request.told.end(), person) ==
                  request.told.end());
        request.told.push_back(person);
        pages.emplace_back(now, person);
        Page page;
        page.at_s = now;
        page.person = person;
        ledger.add(page);
      }
    }
    for (const auto& [end_s, person] : pages) {
      for (const Cap& cap : plan.roster->people[person].caps) {
        int64_t within = 0;
        for (const auto& [at_s, who] : pages) {
          within += who == person && at_s <= end_s && at_s > end_s - cap.within_s ? 1 : 0;
        }
        RC_ASSERT(within <= cap.pages);
      }
    }
  }));
}

TEST_CASE("A cost is the sum of its terms, and the cheapest who may be paged is") {
  CHECK(rc::check([] {
    const Plan plan = quarter_plan();
    PageLedger ledger(plan.roster);
    const int64_t now = days_from_civil(2026, 2, 1) * 86400;
    const int pages = *rc::gen::inRange(0, 60);
    for (int i = 0; i < pages; ++i) {
      Page page;
      page.at_s = now - *rc::gen::inRange<int64_t>(0, 3 * 86400);
      page.person = *rc::gen::inRange<uint32_t>(0, 8);
      page.signature = *rc::gen::element<std::string>("k s", "k t");
      page.resolved = *rc::gen::arbitrary<bool>();
      ledger.add(page);
    }
    const Request request{now, *rc::gen::inRange(0, 3), "s", "k s", {}};
    const Route decided = route(plan, ledger, request);
    for (const Candidate& one : decided.candidates) {
      int64_t sum = 0;
      for (const Term& term : one.terms) sum += term.milli;
      RC_ASSERT(sum == one.cost_milli);
      if (!one.free()) continue;
      RC_ASSERT(!decided.chain.empty());
      RC_ASSERT(decided.candidates.front().cost_milli <= one.cost_milli);
    }
    if (!decided.chain.empty()) {
      RC_ASSERT(decided.chain.front().person == decided.candidates.front().person);
    }
  }));
}

TEST_CASE("A routed quarter is fairer and tires less than plain rotation, whatever the seed") {
  std::printf("%-22s %5s %6s %6s %7s %7s %6s %7s %6s %7s\n", "quarter", "pages", "night", "gini",
              "gini.n", "a.day", "most", "tired", "worst", "skilled");
  for (uint32_t seed = 1; seed <= 8; ++seed) {
    const QuarterResult plain = run_quarter(seed, false), routed = run_quarter(seed, true);
    for (const auto& [name, one] : {std::pair("plain", plain), std::pair("routed", routed)}) {
      std::printf(
          "seed %u %-15s %5lld %6lld  0.%03lld   0.%03lld %6lld %6lld %7lld %6s %7lld\n", seed,
          name, static_cast<long long>(one.pages), static_cast<long long>(one.night_pages),
          static_cast<long long>(one.gini_pages_milli),
          static_cast<long long>(one.gini_nights_milli), static_cast<long long>(one.most_in_a_day),
          static_cast<long long>(one.most_pages), static_cast<long long>(one.tired_pages),
          milli_text(one.worst_fatigue_milli).c_str(), static_cast<long long>(one.expert_pages));
    }
    CHECK(routed.pages == plain.pages);
    CHECK(routed.gini_pages_milli < plain.gini_pages_milli);
    CHECK(routed.tired_pages < plain.tired_pages);
    CHECK(routed.worst_fatigue_milli < plain.worst_fatigue_milli);
    CHECK(routed.most_in_a_day < plain.most_in_a_day);
  }
}
