#include "nines/slo/exclusions.hpp"

#include <catch2/catch.hpp>

#include "slo_test_support.hpp"

using namespace nines;
using namespace nines::slo;
using namespace nines::slo::test;

namespace {

constexpr int64_t kHour = 3600, kDay = 86400;

ExclusionSpec once(const char* name, int64_t from_s, int64_t to_s,
                   ExclusionEffect effect = ExclusionEffect::drop) {
  ExclusionSpec spec;
  spec.name = name;
  spec.effect = effect;
  spec.once = {from_s, to_s};
  return spec;
}

SloSpec with(std::vector<ExclusionSpec> exclusions, const char* reserve = "0",
             const char* target = "0.99", int64_t window_s = 7 * kDay) {
  SloSpec spec = spec_of("web", target, window_s);
  spec.exclusions = std::move(exclusions);
  spec.reserve = dec(reserve);
  return spec;
}

}  // namespace

TEST_CASE("Edges are rounded outwards to minutes, and drop wins over reserve", "[exclusions]") {
  Exclusions e(
      {once("a", kT0 + 61, kT0 + 301), once("b", kT0, kT0 + 200, ExclusionEffect::reserve)});
  CHECK(e.effect_at(kT0 + 50) == ExclusionEffect::reserve);
  CHECK(e.effect_at(kT0 + 60) == ExclusionEffect::drop);
  CHECK(e.effect_at(kT0 + 359) == ExclusionEffect::drop);
  CHECK_FALSE(e.effect_at(kT0 + 360));
  CHECK_FALSE(e.effect_at(kT0 - 1));
  CHECK(e.seconds_within(ExclusionEffect::drop, kT0, kT0 + kHour) == 300);
  CHECK(e.seconds_within(ExclusionEffect::reserve, kT0, kT0 + kHour) == 60);
  CHECK(e.seconds_within(ExclusionEffect::drop, kT0 + 100, kT0 + 110) == 10);
  CHECK(e.name_at(kT0 + 70) == "b");
  CHECK(e.name_at(kT0 + 300) == "a");
  CHECK(e.name_at(kT0 + 3000).empty());
}

TEST_CASE("A recurring exclusion is expanded as far as it is asked for", "[exclusions]") {
  ExclusionSpec weekly;
  weekly.name = "weekly";
  weekly.rule = std::make_shared<Recurrence>(
      *Recurrence::parse("FREQ=WEEKLY;BYDAY=SU", {{}, 3 * 3600, 1800, {}}));
  Exclusions e({weekly});
  const int64_t sunday = kT0 + 3 * kDay + 3 * kHour;     // 2026-01-04T03:00
  for (const int64_t week : {0, 1, 30, 300, 5, 2, 0}) {  // years ahead, and back
    const int64_t at = sunday + week * 7 * kDay;
    CHECK(e.effect_at(at));
    CHECK(e.effect_at(at + 1799));
    CHECK_FALSE(e.effect_at(at - 1));
    CHECK_FALSE(e.effect_at(at + 1800));
  }
  CHECK(e.seconds_within(ExclusionEffect::drop, sunday, sunday + 70 * kDay) == 10 * 1800);
}

TEST_CASE("Excluded events count neither for nor against, and are shown apart", "[exclusions]") {
  World world(with({once("db-migration", kT0 + kHour, kT0 + 2 * kHour)}));
  world.run(kHour, 100, 1);
  world.run(kHour, 50, 50);  // the migration
  CHECK(world.status().state != State::violated);
  world.run(kHour, 100, 1);
  const SloStatus& s = world.status();
  CHECK(s.window.good == 72000);
  CHECK(s.window.bad == 720);
  CHECK(s.window.dropped_good == 18000);
  CHECK(s.window.dropped_bad == 18000);
  CHECK(s.window.excluded_s == kHour);
  CHECK(s.coverage == 1);
  CHECK(s.burn_24h.counts.bad == 720);
  CHECK(world.events().empty());
}

TEST_CASE("While an exclusion holds, nothing fires and its name is told", "[exclusions]") {
  World world(with({once("maintenance", kT0 + kHour, kT0 + 4 * kHour)}));
  world.run(kHour, 100, 0);
  CHECK(world.status().excluded_by.empty());
  world.run(kHour, 0, 100);
  CHECK(world.status().excluded_by == "maintenance");
  CHECK(world.status().burn_1h.counts.total() == 0);
  CHECK(world.status().state == State::healthy);
  CHECK(world.events().empty());
}

TEST_CASE("Logs that are missing while excluded are no gap", "[exclusions]") {
  World world(with({once("reboot", kT0 + kHour, kT0 + 2 * kHour)}));
  world.run(kHour, 100, 0);
  world.run(kHour, 0, 0, 0);
  world.run(kHour, 100, 0);
  CHECK(world.status().coverage == 1);
  CHECK(world.status().state == State::healthy);
}

TEST_CASE("Taking an exclusion away brings its events back", "[exclusions]") {
  const std::vector<ExclusionSpec> none;
  for (const bool excluded : {true, false}) {
    World world(with(excluded ? std::vector{once("x", kT0 + kHour, kT0 + 2 * kHour)} : none));
    world.fill(3 * kHour, 99, 1);
    CHECK(world.status().window.total() == (excluded ? 72000 : 108000));
  }
}

TEST_CASE("An exclusion leaves the window exactly with its slots", "[exclusions]") {
  World world(with({once("x", kT0 + kHour, kT0 + 2 * kHour)}, "0", "0.99", kDay));
  world.fill(kDay, 99, 1);
  CHECK(world.status().window.dropped_bad == 360);
  world.fill(kHour + 1800, 99, 1);  // half of it has left
  CHECK(world.status().window.dropped_bad == 180);
  CHECK(world.status().window.bad == 8640 - 180);
  world.fill(1800, 99, 1);
  CHECK(world.status().window.dropped_bad == 0);
  CHECK(world.status().window.bad == 8640);
}

TEST_CASE("A reserve pays for the errors of a migration and counts as spent", "[exclusions]") {
  World world(
      with({once("migration", kT0 + kHour, kT0 + 2 * kHour, ExclusionEffect::reserve)}, "0.2"));
  world.run(kHour, 1000, 0);
  CHECK(world.status().window.reserve == 0);  // not yet
  world.run(kHour, 999, 1);
  world.run(kHour, 1000, 0);
  const SloStatus& s = world.status();
  // 1,080,000 events, a budget of 10,800, of which 2,160 are reserved; 360 were needed.
  CHECK(s.window.reserve == 2160);
  CHECK(s.window.forgiven == 360);
  CHECK(s.window.bad == 0);
  CHECK(*s.error_budget_consumed == Approx(0.2).epsilon(1e-12));
  CHECK(s.burn_24h.counts.bad == 0);
}

TEST_CASE("What the reserve can't pay is charged to the budget", "[exclusions]") {
  World world(
      with({once("migration", kT0 + kHour, kT0 + 2 * kHour, ExclusionEffect::reserve)}, "0.2"));
  world.run(kHour, 1000, 0);
  world.run(kHour, 900, 100);
  const SloStatus& s = world.status();
  // 720,000 events, 7,200 allowed, 1,440 reserved, 36,000 bad.
  CHECK(s.window.reserve == 1440);
  CHECK(s.window.forgiven == 1440);
  CHECK(s.window.bad == 34560);
  CHECK(*s.error_budget_consumed == Approx(5).epsilon(1e-12));
  CHECK(s.state == State::violated);
  CHECK(s.burn_1h.counts.bad == 36000);  // the pace is no longer forgiven either
}

TEST_CASE("An effect without its share of the budget is refused", "[exclusions]") {
  SloEngine engine;
  const auto one = once("m", kT0, kT0 + 60, ExclusionEffect::reserve);
  for (const char* share : {"0", "1", "-0.1"}) {
    const auto added = engine.add(with({one}, share));
    REQUIRE_FALSE(added.ok());
    CHECK_THAT(added.error().message, Catch::Contains("reserved share of the budget"));
  }
  CHECK(engine.add(with({one}, "0.5")).ok());
}
