// Early-warning rules, priorities, SLOs of high value.
#include <catch2/catch.hpp>

#include "slo_test_support.hpp"

using namespace nines;
using namespace nines::slo;
using namespace nines::slo::test;

namespace {

AlertRule below(const char* sli, int64_t window_s, int64_t for_s) {
  AlertRule rule;
  rule.kind = RuleKind::threshold;
  rule.name = "early";
  rule.severity = "warning";
  rule.factor = dec(sli);
  rule.long_s = rule.short_s = window_s;
  rule.for_s = for_s;
  return rule;
}

SloSpec warned(const AlertRule& rule) {
  SloSpec spec = spec_of("web");
  spec.alerts.rules = {rule};
  return spec;
}

}  // namespace

TEST_CASE("An early warning tells an SLI below its level for its time, exactly", "[slo]") {
  World world(warned(below("0.995", 300, 300)));
  world.run(3600, 1000, 0);
  world.run(3600, 995, 5);  // on the level is not below it
  CHECK(world.story().empty());
  const int64_t start_s = world.now_s();
  while (world.story().empty() && world.now_s() < start_s + 1200) world.run(10, 994, 6);
  REQUIRE(world.story() == "+early");
  CHECK(world.now_s() == start_s + 310);
  CHECK(world.events()[0].priority == 3);
  CHECK_THAT(world.events()[0].summary, Catch::Contains(" of 30000 events bad in 5m (rule early"));
  world.run(600, 1000, 0);
  CHECK(world.story() == "+early -early");
}

TEST_CASE("An early warning needs a level and windows that make sense", "[slo]") {
  const auto refused = [](const AlertRule& rule) { return !SloEngine().add(warned(rule)).ok(); };
  CHECK_FALSE(refused(below("0.995", 300, 300)));
  CHECK(refused(below("1", 300, 300)));
  CHECK(refused(below("0", 300, 300)));
  CHECK(refused(below("0.995", 305, 300)));
  CHECK(refused(below("0.995", 300, 3 * 3600)));
}

TEST_CASE("An SLO of high value tells its first bad event", "[slo]") {
  SloSpec spec = spec_of("pay");
  spec.alerts.high_value = true;
  World world(spec);
  world.run(3600, 1, 0);
  world.run(10, 0, 1);
  CHECK(world.story() == "+drift");  // 1 of 361: 2.8 times the budget
}

TEST_CASE("Priorities come from severity and tier", "[slo]") {
  CHECK(priority_of("page", 1) == 0);
  CHECK(priority_of("critical", 2) == 1);
  CHECK(priority_of("ticket", 2) == 2);
  CHECK(priority_of("ticket", 3) == 3);
  CHECK(priority_of("warning", 1) == 3);
  CHECK(budgeting_name(Budgeting::timeslices) == "Timeslices");
  CHECK(effect_name(ExclusionEffect::drop) == "drop");
}
