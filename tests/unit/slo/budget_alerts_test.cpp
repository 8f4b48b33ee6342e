// Alerts on the share of the budget that is gone, in simulated time.
#include <catch2/catch.hpp>

#include "slo_test_support.hpp"

using namespace nines;
using namespace nines::slo;
using namespace nines::slo::test;

namespace {

constexpr int64_t kDay = 86400;

AlertRule budget_rule(const char* name, const char* severity, const char* share, int64_t for_s,
                      int64_t window_s = 30 * kDay) {
  AlertRule rule;
  rule.kind = RuleKind::budget;
  rule.name = name;
  rule.severity = severity;
  rule.factor = dec(share);
  rule.for_s = for_s;
  rule.long_s = rule.short_s = window_s;
  return rule;
}

// 50 % and 90 %, and no burn rules.
SloSpec guarded_spec() {
  SloSpec spec = spec_of("checkout");
  spec.alerts.rules = {budget_rule("half", "warning", "0.5", 300),
                       budget_rule("gone", "critical", "0.9", 60)};
  return spec;
}

}  // namespace

TEST_CASE("Half of the budget is told after its time, nine tenths once more, to the event",
          "[slo]") {
  World world(guarded_spec());
  world.fill(10 * kDay, 100, 0);
  // b * total grows by 0.1 a slot of 100 events; half of it is 4320 and a bit.
  const int64_t per_slot = 50;
  int64_t slots = 0;
  const auto consumed_over = [&](int64_t numerator, int64_t denominator) {
    const WindowCounts& w = world.status().window;
    return w.bad * 1000 * denominator > numerator * w.total();
  };
  while (!consumed_over(1, 2)) {
    world.run(10, 100 - per_slot, per_slot);
    ++slots;
  }
  CHECK(slots > 80);
  CHECK(world.story().empty());
  const int64_t exceeded_s = world.now_s();
  world.run(290, 100, 0);
  CHECK(world.story().empty());
  world.run(10, 100, 0);
  REQUIRE(world.story() == "+half");
  CHECK(world.events()[0].at.seconds() == exceeded_s + 300);
  CHECK(world.events()[0].severity == "warning");
  CHECK_THAT(world.events()[0].summary,
             Catch::StartsWith("checkout has used 50.") &&
                 Catch::Contains("% of its 30d error budget: ") &&
                 Catch::EndsWith(" (rule half, warning above 50.0 %)."));
  while (!consumed_over(9, 10)) world.run(10, 100 - per_slot, per_slot);
  world.run(60, 100, 0);
  CHECK(world.story() == "+half +gone");
  // A month later nothing of it is left in the window.
  world.fill(29 * kDay, 100, 0);
  world.run(3 * kDay, 100, 0);
  CHECK(world.story() == "+half +gone -gone -half");
}

TEST_CASE("A budget that goes all at once is told once, by the more urgent rule", "[slo]") {
  World world(guarded_spec());
  world.fill(10 * kDay, 100, 0);
  world.run(1200, 0, 1000);  // the 8,640 that ten days allow are gone within 90 s
  CHECK(world.story() == "+gone");
  CHECK(world.status().rules[0].inhibited);
  CHECK(world.status().rules[1].firing);
}

TEST_CASE("The first bad events of a young SLO are no exhausted budget", "[slo]") {
  World world(guarded_spec());
  world.run(1500, 10, 0);
  world.run(10, 8, 2);  // 132 % of the budget; a service on its target has a chance of 44 % for it
  world.run(500, 10, 0);
  CHECK(*world.status().error_budget_consumed > 0.95);
  CHECK(world.story().empty());
  CHECK(world.status().rules[0].guarded);
  CHECK(world.status().rules[1].guarded);
  world.run(100, 5, 5);
  CHECK(world.story() == "+gone");
}

TEST_CASE("Budget alerts keep their state without data, and gaps in the window do not stop them",
          "[slo]") {
  SloSpec spec = guarded_spec();
  World world(spec);
  world.fill(10 * kDay, 100, 0);
  world.blind(5 * kDay);  // the node was off
  world.fill(3600, 100, 0);
  world.run(1200, 0, 1000);
  CHECK(world.status().coverage < 0.7);
  CHECK(world.story() == "+gone");
  world.blind(2 * kDay);
  CHECK(world.story() == "+gone");
  CHECK(world.status().state == State::no_data);
}

TEST_CASE("Burn and budget rules do not hold each other back, and survive a restart", "[slo]") {
  SloSpec spec = spec_of("checkout");
  spec.alerts.rules.push_back(budget_rule("gone", "critical", "0.9", 60));
  World world(spec);
  world.fill(10 * kDay, 100, 0);
  world.run(1200, 0, 100);
  CHECK(world.story() == "+fast +gone");
  World next(spec, world.now_s());
  next.engine().restore_alerts(world.engine().save_alerts());
  next.run(60, 0, 100);
  CHECK(next.story().empty());
}

TEST_CASE("A budget rule that can never fire, or of another window, is refused", "[slo]") {
  const auto refused = [](const AlertRule& rule) {
    SloSpec spec = spec_of("checkout", "0.5");
    spec.alerts.rules = {rule};
    SloEngine engine;
    const auto added = engine.add(spec);
    return added.ok() ? std::string() : added.error().message;
  };
  CHECK(refused(budget_rule("a", "page", "1.9", 60)).empty());
  CHECK_THAT(refused(budget_rule("a", "page", "2.5", 60)), Catch::Contains("can never fire"));
  CHECK_THAT(refused(budget_rule("a", "page", "0.9", 60, kDay)),
             Catch::Contains("needs the window of the SLO"));
  CHECK_THAT(refused(budget_rule("a", "page", "0.9", 65)), Catch::Contains("multiple of 10s"));
  CHECK_THAT(refused(budget_rule("a", "page", "0", 60)), Catch::Contains("positive factor"));
}
