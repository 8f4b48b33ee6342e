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
