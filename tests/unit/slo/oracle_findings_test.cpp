// What the oracle (tests/oracle) found, one test each, by the histories that it cut down.
#include <catch2/catch.hpp>

#include "slo_test_support.hpp"

using namespace nines;
using namespace nines::slo;
using namespace nines::slo::test;

TEST_CASE("What is excluded goes where its events went, also behind a slot far ahead", "[slo]") {
  SloSpec spec = spec_of("web");
  spec.exclusions.push_back({"work", "", ExclusionEffect::drop, {kT0, kT0 + 5 * 3600}, {}, ""});
  SloEngine engine;
  REQUIRE(engine.add(spec).ok());
  // The tier of 10 s is a day ahead; the same seconds are told twice.
  engine.apply(batch_of({delta(kT0 + 86400, 1, 1, 0)}));
  engine.apply(batch_of({delta(kT0 + 140, 24, 35)}));
  engine.apply(batch_of({delta(kT0 + 140, 298, 18)}));
  const WindowCounts all = engine.window(0, WallTime::from_s(kT0 + 200), 30 * 86400);
  CHECK(all.covered_s == 0);
  CHECK(all.total() == 0);
  CHECK(all.dropped_good == 24 + 298);
}

TEST_CASE("Coverage that came late and again is excluded to the second", "[slo]") {
  SloSpec spec = spec_of("web");
  spec.data.late_horizon_s = 10;
  spec.exclusions.push_back({"work", "", ExclusionEffect::drop, {kT0, kT0 + 7200}, {}, ""});
  SloEngine engine;
  REQUIRE(engine.add(spec).ok());
  engine.apply(batch_of({delta(kT0 + 1740, 0, 0, 90)}));
  engine.apply(batch_of({delta(kT0 + 1700, 0, 0, 400)}));  // late at first, then not
  CHECK(engine.window(0, WallTime::from_s(kT0 + 3600), 3600).covered_s == 0);
  CHECK(engine.window(0, WallTime::from_s(kT0 + 3600), 86400).covered_s == 0);
}

TEST_CASE("A window of slices that was looked at before does not outlive the slices", "[slo]") {
  SloSpec spec = spec_of("web", "0.99", 86400);
  spec.budgeting = Budgeting::timeslices;
  spec.slices.slice_s = 60;
  const auto told = [&](bool looked_at_before) {
    SloEngine engine;
    REQUIRE(engine.add(spec).ok());
    engine.apply(batch_of({delta(kT0, 10, 0)}));
    const auto look = [&] { return engine.window(0, WallTime::from_s(kT0 + 600), 86400); };
    if (looked_at_before) CHECK(look().good == 1);
    // Two days of slices are kept: this one pushes the first out.
    engine.apply(batch_of({delta(kT0 + 86400, 10, 0)}));
    engine.apply(batch_of({delta(kT0 + 2 * 86400, 10, 0)}));
    engine.apply(batch_of({delta(kT0 + 2 * 86400 + 3600, 10, 0)}));
    return look();
  };
  CHECK(told(true).good == told(false).good);
  CHECK(told(true).covered_s == told(false).covered_s);
}

TEST_CASE("What was excluded is forgotten with what it was taken from", "[slo]") {
  constexpr int64_t kDay = 86400;
  SloSpec spec = spec_of("web", "0.999", 92 * kDay);
  spec.exclusions.push_back({"work", "", ExclusionEffect::drop, {kT0, kT0 + 600}, {}, ""});
  SloEngine engine;
  REQUIRE(engine.add(spec).ok());
  engine.apply(batch_of({delta(kT0, 7, 1)}));
  // Hours are kept for 93 days; these events are excluded by nothing.
  engine.apply(batch_of({delta(kT0 + 94 * kDay, 10, 0)}));
  const WindowCounts all = engine.window(0, WallTime::from_s(kT0 + 90 * kDay), 92 * kDay);
  CHECK(all.covered_s == 0);
  CHECK(all.dropped_good == 0);
  CHECK(all.total() == 0);
}
