// Simulated years: how often somebody is told what, scenario by scenario. Evaluated every 10 s
// while something happens and every minute else, which in a healthy year is the whole year.
#include "year.hpp"

#include <catch2/catch.hpp>
#include <cstdlib>

using namespace nines;
using namespace nines::slo;
using namespace nines::slo::test;

namespace {

bool long_run() { return std::getenv("NINES_LONG") != nullptr; }
bool quick_run() { return std::getenv("NINES_QUICK") != nullptr; }

Decimal dec(const char* text) { return *Decimal::parse(text); }

YearPlan plan_of(double per_hour, double failing, unsigned seed = 1) {
  YearPlan plan;
  plan.spec.name = "web";
  plan.spec.target = dec("0.999");
  plan.spec.alerts = default_policy(30 * kDay, plan.spec.target);
  plan.per_hour = per_hour;
  plan.failing = failing;
  plan.seed = seed;
  if (quick_run()) plan.days = 40;
  return plan;
}

AlertRule budget_rule(const char* name, const char* severity, const char* share, int64_t for_s) {
  AlertRule rule;
  rule.kind = RuleKind::budget;
  rule.name = name;
  rule.severity = severity;
  rule.factor = dec(share);
  rule.for_s = for_s;
  rule.long_s = rule.short_s = 30 * kDay;
  return rule;
}

// The story of a service that is fine but for this.
struct Told {
  std::string story;
  int64_t after_s;  // -1: nothing was told
};
Told told_of(std::vector<Trouble> troubles, double per_hour = 36000, unsigned seed = 1,
             double failing = 0.0002) {
  YearPlan plan = plan_of(per_hour, failing, seed);
  plan.level = per_hour < 1000;
  plan.days = troubles.back().to_s / kDay + 8;
  const int64_t from_s = troubles.front().from_s;
  plan.troubles = std::move(troubles);
  Year year(std::move(plan));
  year.run();
  return {year.story(), year.told_after(from_s)};
}

constexpr int64_t kPeak = 15 * kDay + 11 * kHour;  // a Tuesday
constexpr int64_t kNight = 15 * kDay + 3 * kHour;

}  // namespace

TEST_CASE("A healthy year tells nobody, also at half of its budget", "[slo][year]") {
  for (unsigned seed = 1; seed <= (long_run() ? 10U : 1U); ++seed) {
    for (const double failing : {0.0, 0.0005}) {
      Year year(plan_of(36000, failing, seed));
      year.run();
      CAPTURE(seed, failing, year.fired());
      CHECK(year.events().empty());
      CHECK(year.status().state == State::healthy);
      CHECK(*year.status().error_budget_consumed == Approx(1000 * failing).epsilon(0.02));
    }
  }
}

TEST_CASE("A year of sparse traffic at half of its budget tells at most once what was chance",
          "[slo][year]") {
  size_t told = 0, years = 0;
  for (const double per_hour : {10.0, 60.0, 300.0}) {
    for (unsigned seed = 1; seed <= (long_run() ? 20U : 1U); ++seed) {
      YearPlan plan = plan_of(per_hour, 0.0005, seed);
      plan.level = true;
      Year year(plan);
      year.run();
      CAPTURE(per_hour, seed, year.fired());
      CHECK(year.events().size() <= 4);  // two that fired and resolved
      told += year.events().size() / 2;
      ++years;
    }
  }
  CAPTURE(told, years);
  CHECK(told * 2 <= years);
}

TEST_CASE("A real outage of a service with sparse traffic pages within its time", "[slo][year]") {
  // 20 % fail for four hours; medians of nine seeds in minutes. Of 10 requests an hour two come bad
  // after an hour on average: less can't be told from chance.
  const auto median = [](double per_hour) {
    std::vector<int64_t> after;
    for (unsigned seed = 1; seed <= 9; ++seed) {
      const Told told = told_of({{10 * kDay, 10 * kDay + 4 * kHour, 0.2}}, per_hour, seed, 0.0005);
      after.push_back(told.after_s < 0 ? INT64_MAX : told.after_s);
    }
    std::sort(after.begin(), after.end());
    return after[4];
  };
  CHECK(median(10) <= 65 * kMinute);
  CHECK(median(60) <= 13 * kMinute);
  CHECK(median(300) <= 5 * kMinute);
}

TEST_CASE("Blips tell nobody", "[slo][year]") {
  CHECK(told_of({{kPeak, kPeak + 10, 0.5}}).story.empty());  // five seconds
  CHECK(told_of({{kPeak, kPeak + 30, 1}}).story.empty());
  CHECK(told_of({{kNight, kNight + 30, 1}}).story.empty());
}

TEST_CASE("An outage is one page within two minutes, at peak and at night", "[slo][year]") {
  for (const int64_t at_s : {kPeak, kNight}) {
    const Told told = told_of({{at_s, at_s + kHour, 1}});
    CHECK(told.story == "+fast -fast");
    // 14.4 * 0.001 of the hour's traffic: 52 s, twice that where it halves from hour to hour.
    CHECK(told.after_s <= 110);
  }
}

TEST_CASE("A trickle of 27 times the budget is told, and not again and again", "[slo][year]") {
  const std::vector<Trouble> trickle{{10 * kDay, 18 * kDay, 0.027}};
  for (const double per_hour : {10.0, 60.0, 300.0, 3000.0, 36000.0}) {
    const Told told = told_of(trickle, per_hour);
    CAPTURE(per_hour, told.story);
    CHECK(told.after_s > 0);
    CHECK(told.after_s < 15 * kHour);
    // At most one a day, one and a half when a day has six bad events; it was one every half hour
    // while any calm five minutes resolved.
    CHECK(std::count(told.story.begin(), told.story.end(), '+') <= (per_hour < 60 ? 12 : 8));
  }
}

TEST_CASE("Flapping is one page", "[slo][year]") {
  std::vector<Trouble> flapping;
  for (int i = 0; i < 180; ++i) {
    flapping.push_back({kPeak + i * kMinute, kPeak + i * kMinute + 30, 0.5});
  }
  CHECK(told_of(flapping).story == "+fast -fast");
}

TEST_CASE("Without data nothing fires and nothing resolves", "[slo][year]") {
  Trouble gap;
  gap.from_s = kPeak + 10 * kMinute;
  gap.to_s = gap.from_s + 12 * kHour;
  gap.no_logs = true;
  YearPlan plan = plan_of(36000, 0.0002);
  plan.days = 20;
  plan.troubles = {{kPeak, gap.from_s, 1}, gap};
  Year year(plan);
  year.run();
  CHECK(year.story() == "+fast -fast");
  REQUIRE(year.events().size() == 2);
  CHECK(year.events()[0].at.seconds() - Year::kStart < gap.from_s);
  CHECK(year.events()[1].at.seconds() - Year::kStart >= gap.to_s);

  plan.troubles = {gap};
  Year silent(plan);
  silent.run();
  CHECK(silent.events().empty());
}

TEST_CASE("No traffic is no alert", "[slo][year]") {
  Trouble quiet;
  quiet.from_s = kPeak;
  quiet.to_s = kPeak + 2 * kDay;
  quiet.no_traffic = true;
  CHECK(told_of({quiet}).story.empty());
}

TEST_CASE("Steps of the clock tell nothing and repeat nothing", "[slo][year]") {
  for (const int64_t by_s : {-1800, -60, 60, 1800}) {
    YearPlan plan = plan_of(36000, 0.0002);
    plan.days = 20;
    plan.troubles = {{kPeak, kPeak + 20 * kMinute, 1}};
    Year year(plan);
    year.step_clock_at(kPeak + 10 * kMinute, by_s);
    year.run();
    CAPTURE(by_s);
    CHECK(year.story() == "+fast -fast");
  }
}

TEST_CASE("A budget that wanes slowly is told at half and at nine tenths, once each",
          "[slo][year]") {
  YearPlan plan = plan_of(36000, 0);
  plan.spec.alerts.rules = {budget_rule("half", "warning", "0.5", 300),
                            budget_rule("gone", "critical", "0.9", 60)};
  plan.certain = true;
  plan.days = 100;
  plan.troubles = {{40 * kDay, 65 * kDay, 0.0012}};
  Year year(plan);
  year.run();
  CHECK(year.story() == "+half +gone -gone -half");
  // 1.2 times the pace: half is gone after 12.5 days and nine tenths after 22.5, but for the weeks.
  CHECK(year.told_after(40 * kDay) == Approx(12.5 * kDay).margin(kDay));
  CHECK(year.events()[1].at.seconds() - Year::kStart - 40 * kDay ==
        Approx(22.5 * kDay).margin(kDay));
}
