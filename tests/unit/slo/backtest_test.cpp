// Back-tests over histories whose truth is known.
#include <catch2/catch.hpp>

#include "slo_test_support.hpp"

using namespace nines;
using namespace nines::slo;
using namespace nines::slo::test;

namespace {

constexpr int64_t kPerHour = 1'000'000;

ForecastInput days(size_t n, double burn) {
  ForecastInput in;
  in.target = dec("0.999");
  in.window_slots = 720;
  in.end = WallTime::from_s(kT0);
  const auto bad = static_cast<int64_t>(burn * 1000);
  in.slots.assign(n * 24, {kPerHour - bad, bad});
  return in;
}

void burn_at(ForecastInput& in, size_t first, size_t last, double burn) {
  const auto bad = static_cast<int64_t>(burn * 1000);
  for (size_t i = first; i < last; ++i) in.slots[i] = {kPerHour - bad, bad};
}

const BacktestResult& of(const BacktestReport& report, BacktestMethod method) {
  return report.results[static_cast<size_t>(method)];
}

}  // namespace

TEST_CASE("Nothing to look back on gives an empty report", "[slo]") {
  ForecastInput in = days(1, 0.5);
  in.slots.clear();
  CHECK(backtest(in, true, {}).history_slots == 0);
  CHECK_FALSE(backtest(days(20, 0.5), false, {}).best);  // no whole window of a longer life
  const BacktestReport report = backtest(days(1, 0.5), true, {});
  CHECK(report.history_slots == 24);
  CHECK(report.results[0].leads.size() == 3);
  CHECK(report.results[0].leads[0].origins == 0);
}

TEST_CASE("A steady service is best forecast by saying nothing, and the report says so", "[slo]") {
  const BacktestReport report = backtest(days(60, 0.5), true, {});
  CHECK(*of(report, BacktestMethod::regression).leads[2].median_error == Approx(0).margin(1e-9));
  CHECK(*of(report, BacktestMethod::steady).leads[2].median_error == Approx(0).margin(1e-9));
  // Pace adds 7 days of 0.5 / 30 and forgets that as much leaves.
  CHECK(*of(report, BacktestMethod::pace).leads[2].median_error == Approx(3.5 / 30));
  CHECK(report.best == BacktestMethod::steady);
  CHECK(report.exhaustions == 0);
  // From 24 h on each 6 h, to where the shortest lead has passed: (1440 - 24 - 24) / 6 + 1.
  CHECK(of(report, BacktestMethod::regression).leads[0].origins == 233);
  CHECK(of(report, BacktestMethod::regression).leads[2].origins == 209);
  CHECK(of(report, BacktestMethod::regression).quiet == 209);
  CHECK(of(report, BacktestMethod::seasonal).leads[2].origins == 157);  // from two weeks on
  CHECK(report.first_origin.seconds() == kT0 - (1440 - 24) * 3600);
  CHECK(report.last_origin.seconds() == kT0 - 24 * 3600);
}

TEST_CASE("A budget that runs out is told by those who can see it coming", "[slo]") {
  // Burn 0.2, an incident of 45 % on day 31, then 1.5 from day 56 on: exhausted after 13.5 days in
  // spite of the incident.
  ForecastInput in = days(80, 0.2);
  burn_at(in, 31 * 24, 31 * 24 + 1, 0.45 * 720);
  burn_at(in, 56 * 24, 80 * 24, 1.5);
  const BacktestReport report = backtest(in, true, {});
  CHECK(report.exhaustions == 1);
  const BacktestResult& regression = of(report, BacktestMethod::regression);
  const BacktestResult& pace = of(report, BacktestMethod::pace);
  const BacktestResult& steady = of(report, BacktestMethod::steady);
  // Of the first day of burn 1.5, when a line through half a day of each climbs on.
  CHECK(regression.false_alarms <= 8);
  CHECK(regression.misses == 0);
  CHECK(regression.hits == 28);  // each 6 h of the week before
  CHECK(*regression.median_lead_hours == Approx(168).margin(6));
  CHECK(*regression.median_time_error_hours < 1);
  CHECK(pace.false_alarms > 3 * regression.false_alarms);  // it does not know what leaves
  CHECK(steady.hits == 0);
  CHECK(steady.misses == 28);
  CHECK(*steady.median_lead_hours == 0);
  CHECK(report.best == BacktestMethod::regression);
}

TEST_CASE("A weekly pattern is told by the season, and the report says that it is better",
          "[slo]") {
  ForecastInput in = days(70, 0.1);
  in.window_slots = 7 * 24;
  in.end = WallTime::from_s(kT0 / 3600 * 3600);
  for (size_t i = 0; i < in.slots.size(); ++i) {
    const int64_t hour = kT0 / 3600 - static_cast<int64_t>(in.slots.size() - i);
    const size_t cell = Season::cell_of(hour);
    if (cell / 24 < 2) burn_at(in, i, i + 1, 2);
  }
  const BacktestReport report = backtest(in, true, default_forecast(7 * 86400));
  const auto& flat = of(report, BacktestMethod::regression);
  const auto& seasonal = of(report, BacktestMethod::seasonal);
  CHECK(seasonal.leads[1].origins > 100);
  CHECK(*seasonal.leads[1].median_error < 0.25 * *flat.leads[1].median_error);
  CHECK(seasonal.false_alarms <= flat.false_alarms);
  CHECK(report.best_origins == seasonal.leads[2].origins);
}

TEST_CASE("Of a life longer than what is kept only whole windows are judged", "[slo]") {
  const BacktestReport report = backtest(days(92, 0.5), false, {});
  CHECK(report.first_origin.seconds() == kT0 - (92 - 30) * 86400);
  CHECK(*of(report, BacktestMethod::regression).leads[2].median_error == Approx(0).margin(1e-9));
}

TEST_CASE("At most 400 origins are looked from", "[slo]") {
  ForecastInput in = days(1, 0.1);
  in.step_s = 60;
  in.window_slots = 60;
  in.slots.assign(3 * 1440, {999, 1});
  const BacktestReport report = backtest(in, true, default_forecast(3600));
  CHECK(of(report, BacktestMethod::regression).leads[0].origins <= 401);
  CHECK(of(report, BacktestMethod::regression).leads[0].origins > 300);
  CHECK(of(report, BacktestMethod::regression).leads[0].after_s == 120);
  CHECK(of(report, BacktestMethod::seasonal).leads[0].origins == 0);
}

TEST_CASE("The engine back-tests over what it has recorded", "[slo]") {
  SloSpec spec = spec_of("checkout");
  World world(spec);
  world.fill(40 * 86400, 1000, 0);
  world.fill(5 * 86400, 997, 3);
  const BacktestReport report = world.engine().backtest(0);
  CHECK(report.history_slots == 45 * 24);
  CHECK(report.first_origin.seconds() == kT0 + 86400);
  CHECK(of(report, BacktestMethod::regression).leads[0].origins > 100);
}

TEST_CASE("Names of the methods are those of the interface", "[slo]") {
  CHECK(backtest_name(BacktestMethod::regression) == "regression+expiry");
  CHECK(backtest_name(BacktestMethod::seasonal) == "seasonal+expiry");
  CHECK(backtest_name(BacktestMethod::pace) == "pace");
  CHECK(backtest_name(BacktestMethod::steady) == "steady");
}
