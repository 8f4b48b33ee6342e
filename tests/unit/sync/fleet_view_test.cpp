#include "nines/fleet/fleet_view.hpp"

#include <catch2/catch.hpp>

#include "fleet_dump.hpp"

using namespace nines;
using namespace nines::fleet;

namespace {

constexpr int64_t kHour0 = 500'000;

void tell(FleetState& from, FleetState& to) {
  for (const auto& piece : from.take_changes()) {
    to.merge(piece, WallTime::from_s((kHour0 + 1000) * 3600));
  }
}

SeriesMeta meta(int64_t window_s, const std::string& target = "0.99") {
  return {{}, "api", "g1", "shop", target, window_s};
}

}  // namespace

TEST_CASE("A fleet budget is the sum of counts, never an average of nodes", "[fleet]") {
  FleetState a("a", 1), b("b", 1);
  const auto id = test::set_series(a, {meta(86400)}, {}).front();
  REQUIRE(test::set_series(b, {meta(86400)}, {}).front() == id);
  a.publish(id, Tier::hour, kHour0, {999'900, 100, 3600});  // 99.99 % of a million
  b.publish(id, Tier::hour, kHour0, {50, 50, 3600});        // 50 % of a hundred
  tell(b, a);
  const auto budgets = fleet_budgets(a, WallTime::from_s((kHour0 + 1) * 3600));
  REQUIRE(budgets.size() == 1);
  CHECK(budgets[0].counts == Counts{999'950, 150, 7200});
  CHECK(*budgets[0].consumed == Approx(150.0 / 1'000'100 / 0.01));
  CHECK_FALSE(budgets[0].violated);
  REQUIRE(budgets[0].parts.size() == 2);
  CHECK(budgets[0].parts[1].counts == Counts{50, 50, 3600});
}

TEST_CASE("Hours not told yet are taken from their minutes", "[fleet]") {
  FleetState a("a", 1);
  const auto id = test::set_series(a, {meta(86400)}, {}).front();
  a.publish(id, Tier::hour, kHour0, {600, 0, 3600});
  for (int64_t m = 0; m < 150; ++m) {  // of that hour too, and on into the third
    a.publish(id, Tier::minute, kHour0 * 60 + m, {10, m % 2, 60});
  }
  const auto now = WallTime::from_s(kHour0 * 3600 + 150 * 60 + 30);
  const auto budgets = fleet_budgets(a, now);
  REQUIRE(budgets.size() == 1);
  CHECK(budgets[0].counts == Counts{600 + 900, 45, 150 * 60});
  CHECK(*budgets[0].parts[0].coverage == Approx(1.0));
  CHECK(budgets[0].parts[0].behind_s == 30);
  CHECK_FALSE(budgets[0].parts[0].stale);
}

TEST_CASE("A window of an hour is exact to the minute", "[fleet]") {
  FleetState a("a", 1);
  const auto id = test::set_series(a, {meta(3600)}, {}).front();
  for (int64_t m = 0; m < 180; ++m) a.publish(id, Tier::minute, kHour0 * 60 + m, {1, 0, 60});
  for (int64_t h = 0; h < 3; ++h) a.publish(id, Tier::hour, kHour0 + h, {60, 0, 3600});
  const auto budgets = fleet_budgets(a, WallTime::from_s(kHour0 * 3600 + 100 * 60));
  CHECK(budgets[0].counts == Counts{60, 0, 3600});
}

TEST_CASE("A node that falls behind is stale and its coverage says so", "[fleet]") {
  FleetState a("a", 1), b("b", 1);
  const auto id = test::set_series(a, {meta(86400)}, {}).front();
  test::set_series(b, {meta(86400)}, {});
  for (int64_t h = 0; h < 10; ++h) {
    a.publish(id, Tier::hour, kHour0 + h, {10, 0, 3600});
    if (h < 5) b.publish(id, Tier::hour, kHour0 + h, {10, 0, 3600});
  }
  tell(b, a);
  const auto budget = fleet_budgets(a, WallTime::from_s((kHour0 + 10) * 3600)).front();
  CHECK(budget.stale_parts == 1);
  CHECK_FALSE(budget.parts[0].stale);
  CHECK(budget.parts[1].stale);
  CHECK(budget.parts[1].behind_s == 5 * 3600);
  CHECK(*budget.parts[1].coverage == Approx(0.5));
}

TEST_CASE("Nodes with another target or generation are another budget", "[fleet]") {
  FleetState a("a", 1), b("b", 1);
  test::set_series(a, {meta(86400, "0.99")}, {});
  test::set_series(b, {meta(86400, "0.999")}, {});
  tell(b, a);
  CHECK(fleet_budgets(a, WallTime::from_s(kHour0 * 3600)).size() == 2);
}

TEST_CASE("Whether a fleet keeps its target is decided exactly", "[fleet]") {
  FleetState a("a", 1);
  const auto id = test::set_series(a, {meta(86400, "0.999")}, {}).front();
  a.publish(id, Tier::hour, kHour0, {999'000, 1'000, 3600});
  const auto now = WallTime::from_s((kHour0 + 1) * 3600);
  CHECK_FALSE(fleet_budgets(a, now)[0].violated);
  a.publish(id, Tier::hour, kHour0, {998'999, 1'001, 3600});
  CHECK(fleet_budgets(a, now)[0].violated);
}

TEST_CASE("What a node whose clock is ahead has counted is in the budget of all at once",
          "[fleet]") {
  FleetState a("a", 1), b("b", 1);
  const auto id = test::set_series(a, {meta(7200)}, {}).front();
  test::set_series(b, {meta(7200)}, {});
  const int64_t minute = kHour0 * 60;
  for (int64_t m = minute - 60; m < minute; ++m) b.publish(id, Tier::minute, m, {10, 1, 60});
  for (int64_t m = minute - 60; m < minute + 4; ++m) a.publish(id, Tier::minute, m, {100, 0, 60});
  tell(a, b);
  tell(b, a);
  for (const int64_t clock_s : {int64_t{-180}, int64_t{0}, int64_t{240}}) {
    const auto now = WallTime::from_s(kHour0 * 3600 + 30 + clock_s);
    for (const FleetState* state : {&a, &b}) {
      const auto budget = fleet_budgets(*state, now).front();
      CHECK(budget.counts == Counts{6400 + 600, 60, 124 * 60});
      CHECK(*budget.parts[0].coverage == Approx(1.0));
    }
  }
}
