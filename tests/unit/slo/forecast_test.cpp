#include <catch2/catch.hpp>

#include "slo_test_support.hpp"

using namespace nines;
using namespace nines::slo;
using namespace nines::slo::test;

namespace {

constexpr int64_t kPerHour = 1'000'000;

// A 30-day window of hours with a constant burn each; target 99.9 %, 1,000,000 events an hour.
ForecastInput month(double burn) {
  ForecastInput in;
  in.target = dec("0.999");
  in.window_slots = 720;
  in.end = WallTime::from_s(kT0);
  const auto bad = static_cast<int64_t>(burn * 1000);
  in.slots.assign(720, {kPerHour - bad, bad});
  return in;
}

void burn_at(ForecastInput& in, size_t first, size_t last, double burn) {
  const auto bad = static_cast<int64_t>(burn * 1000);
  for (size_t i = first; i < last; ++i) in.slots[i] = {kPerHour - bad, bad};
}

}  // namespace

TEST_CASE("A steady burn below 1 never exhausts a rolling budget", "[slo]") {
  const Forecast f = forecast(month(0.8), {});
  CHECK_FALSE(f.time_to_exhaustion_hours);
  CHECK_FALSE(f.projected_exhaustion_time);
  CHECK(f.burn_rate_trend == Trend::stable);
  CHECK(f.confidence == Confidence::high);
  CHECK(f.data_points_used == 24);
  CHECK(f.message == "The error budget lasts for the next 30d at the present burn rate (stable).");
  CHECK(*f.naive_hours == Approx(0.2 / 0.8 * 720));  // what remaining / burn would have said
  CHECK_FALSE(f.regression_hours);                   // no older hours to look at
  CHECK(f.method == ForecastMethod::regression);
}

TEST_CASE("A burn that began lately exhausts the budget when the arithmetic says", "[slo]") {
  ForecastInput in = month(0);
  burn_at(in, 696, 720, 3);  // 24 h at 3: consumed 0.1; 0.9 left at 3 / 720 an hour
  const Forecast f = forecast(in, {});
  REQUIRE(f.time_to_exhaustion_hours);
  CHECK(*f.time_to_exhaustion_hours == Approx(216).epsilon(0.001));
  CHECK(f.projected_exhaustion_time->seconds() - kT0 == Approx(216 * 3600).epsilon(0.001));
  CHECK(f.message ==
        "The error budget will be exhausted in 9.0 days at the present burn rate (stable), "
        "counting what leaves the "
        "window until then.");
}

TEST_CASE("An incident that is about to leave the window pays its budget back", "[slo]") {
  // 45 % of the budget in one hour that leaves in two days, the rest at burn 0.417 before and 1.5
  // today.
  ForecastInput in = month(0.4);
  burn_at(in, 47, 48, 0.45 * 720);
  burn_at(in, 696, 720, 1.5);
  const Forecast f = forecast(in, {});
  REQUIRE(f.time_to_exhaustion_hours);
  // consumed = (0.4 * 695 + 324 + 36) / 720; an hour adds 1.5 and takes 0.4, after 48 h 324 are
  // gone.
  const double used = 0.4 * 695 + 324 + 36;
  const double at_48 = used + 48 * 1.5 - 47 * 0.4 - 324;
  const double expected = 48 + (720 - at_48) / 1.1;
  CHECK(*f.time_to_exhaustion_hours == Approx(expected).epsilon(0.001));
  CHECK(*f.naive_hours < 0.25 * expected);  // much too early
}

TEST_CASE("The worked example: 13.5 days, not 2.67, 3.08 or 20", "[slo][trap]") {
  // 86.7 % consumed: an incident of 45 % that leaves in two days, five days of burn 1.5, the rest
  // at 0.2.
  ForecastInput in = month(0.2);
  in.slots.insert(in.slots.begin(), 24, in.slots.front());
  burn_at(in, 24 + 47, 24 + 48, 0.45 * 720 + 0.2);
  burn_at(in, 24 + 600, 24 + 720, 1.5);
  const Forecast f = forecast(in, {});
  REQUIRE(f.time_to_exhaustion_hours);
  CHECK(*f.naive_hours / 24 == Approx(2.67).epsilon(0.002));
  CHECK(*f.regression_hours / 24 == Approx(3.08).epsilon(0.002));
  CHECK(30 / *f.burn == Approx(20));
  CHECK(*f.time_to_exhaustion_hours / 24 == Approx(13.46).epsilon(0.001));
  // By hand: +1.3 of a 30 d budget a day, -45 % after two days.
  CHECK(*f.time_to_exhaustion_hours / 24 == Approx((1 - 0.65 - 1.3 * 5 / 30 + 0.45) / 1.3 * 30));
  CHECK(*f.earliest_hours == Approx(*f.time_to_exhaustion_hours));
  CHECK(*f.latest_hours == Approx(*f.time_to_exhaustion_hours));
  REQUIRE(f.course.size() == 3);
  CHECK(f.course[0].after_s == 86400);
  CHECK(f.course[0].consumed == Approx(0.86667 + 1.3 / 30).epsilon(1e-4));
  CHECK(f.course[1].consumed == Approx(0.86667 + 3 * 1.3 / 30 - 0.45).epsilon(1e-4));
}

TEST_CASE("An exhausted budget is said to be exhausted", "[slo]") {
  const Forecast f = forecast(month(1), {});
  CHECK(f.time_to_exhaustion_hours == 0.0);
  CHECK(f.projected_exhaustion_time == WallTime::from_s(kT0));
  CHECK(f.message == "The error budget is exhausted.");
}

TEST_CASE("Too few points give no forecast and say so", "[slo]") {
  ForecastInput in = month(0);
  in.slots.assign(720, {0, 0});
  burn_at(in, 715, 720, 0.5);
  const Forecast f = forecast(in, {});
  CHECK_FALSE(f.time_to_exhaustion_hours);
  CHECK(f.data_points_used == 5);
  CHECK(f.confidence == Confidence::low);
  CHECK(f.message == "Not enough data for a forecast: 5 of 12 points.");
  in.slots.assign(720, {0, 0});
  CHECK(forecast(in, {}).data_points_used == 0);
}

TEST_CASE("The trend is told only when it stands out of the noise", "[slo]") {
  ForecastInput in = month(0.1);
  for (size_t i = 0; i < 24; ++i) burn_at(in, 696 + i, 697 + i, 0.5 + 0.1 * static_cast<double>(i));
  Forecast f = forecast(in, {});
  CHECK(f.burn_rate_trend == Trend::increasing);
  CHECK(f.confidence == Confidence::high);
  for (size_t i = 0; i < 24; ++i) burn_at(in, 696 + i, 697 + i, 3 - 0.1 * static_cast<double>(i));
  CHECK(forecast(in, {}).burn_rate_trend == Trend::decreasing);
  for (size_t i = 0; i < 24; ++i) burn_at(in, 696 + i, 697 + i, i % 2 == 0 ? 0.2 : 2.6);
  f = forecast(in, {});
  CHECK(f.burn_rate_trend == Trend::stable);
  CHECK(f.confidence == Confidence::medium);
  for (size_t i = 0; i < 24; ++i) burn_at(in, 696 + i, 697 + i, i == 12 ? 20 : 0);
  CHECK(forecast(in, {}).confidence == Confidence::low);
}

TEST_CASE("A rising trend is followed for a day and then held", "[slo]") {
  ForecastInput in = month(0);
  for (size_t i = 0; i < 24; ++i) burn_at(in, 696 + i, 697 + i, 0.1 * static_cast<double>(i));
  const Forecast f = forecast(in, {});
  // Held at about 4.8 after a day; unbounded extrapolation would need 100 h.
  REQUIRE(f.time_to_exhaustion_hours);
  CHECK(*f.time_to_exhaustion_hours > 130);
  CHECK(*f.time_to_exhaustion_hours < 180);
}

TEST_CASE("Projection goes on when the horizon is longer than the window", "[slo]") {
  ForecastInput in;
  in.target = dec("0.9");
  in.step_s = 60;
  in.window_slots = 60;
  in.end = WallTime::from_s(kT0);
  in.slots.assign(60, {95, 5});
  const Forecast f = forecast(in, {});
  CHECK_FALSE(f.time_to_exhaustion_hours);
  CHECK(f.data_points_used == 60);
  in.slots.assign(60, {100, 0});
  for (size_t i = 30; i < 60; ++i) in.slots[i] = {85, 15};
  ForecastPolicy half;
  half.history_s = 30 * 60;
  const Forecast soon = forecast(in, half);
  REQUIRE(soon.time_to_exhaustion_hours);
  CHECK(*soon.time_to_exhaustion_hours * 60 ==
        Approx(10).epsilon(0.01));  // (6 - 4.5) / 0.15 minutes
  CHECK(soon.message.find("0.2 hours") != std::string::npos);
}

TEST_CASE("The line is that of an independent computation", "[slo]") {
  // From rational arithmetic (python3, fractions): weighted normal equations over these hours.
  constexpr int64_t kHours[12][2] = {{1000, 1},  {3000, 4},  {500, 2},  {2500, 6},
                                     {4000, 11}, {800, 3},   {1200, 5}, {6000, 31},
                                     {700, 4},   {9000, 64}, {100, 1},  {2000, 19}};
  ForecastInput in;
  in.target = dec("0.999");
  in.window_slots = 12;
  in.end = WallTime::from_s(kT0);
  for (const auto& [total, bad] : kHours) in.slots.push_back({total - bad, bad});
  const Forecast f = forecast(in, {});
  CHECK(f.burn_rate_trend == Trend::increasing);
  CHECK(*f.burn == Approx(8.929249574208386).epsilon(1e-12));
  CHECK(f.data_points_used == 12);
  CHECK(f.bad_in_points == 151);
}

TEST_CASE("The interval grows with the scatter and holds the middle", "[slo]") {
  ForecastInput in = month(0.5);
  burn_at(in, 600, 720, 1.5);
  for (size_t i = 696; i < 720; ++i) burn_at(in, i, i + 1, i % 3 == 0 ? 1.2 : 1.65);
  const Forecast f = forecast(in, {});
  REQUIRE(f.time_to_exhaustion_hours);
  REQUIRE(f.earliest_hours);
  REQUIRE(f.latest_hours);
  CHECK(*f.earliest_hours < *f.time_to_exhaustion_hours);
  CHECK(*f.latest_hours > *f.time_to_exhaustion_hours);
  for (size_t i = 696; i < 720; ++i) burn_at(in, i, i + 1, i % 3 == 0 ? 0.3 : 2.1);
  const Forecast wild = forecast(in, {});
  CHECK(*wild.time_to_exhaustion_hours == Approx(*f.time_to_exhaustion_hours));
  CHECK(*wild.earliest_hours < *f.earliest_hours);
  CHECK((!wild.latest_hours || *wild.latest_hours > *f.latest_hours));
  CHECK(f.message.find("(80 %: ") != std::string::npos);
  CHECK(f.course[2].low < f.course[2].consumed);
  CHECK(f.course[2].high > f.course[2].consumed);
}

TEST_CASE("In a calendar window nothing leaves and the forecast ends with it", "[slo]") {
  ForecastInput in;
  in.target = dec("0.999");
  in.window_slots = 240;  // ten days of the month have passed
  in.end = WallTime::from_s(kT0);
  in.slots.assign(240, {kPerHour - 1500, 1500});
  burn_at(in, 0, 100, 0.1);
  in.slots_until_reset = 480;
  CHECK_FALSE(forecast(in, {}).time_to_exhaustion_hours == 0.0);
  burn_at(in, 0, 200, 0.5);
  // consumed = (200 * 0.5 + 40 * 1.5) / 240; exhausted where 160 + 1.5 h = 240 + h.
  CHECK(*forecast(in, {}).time_to_exhaustion_hours == Approx(160));
  in.slots_until_reset = 100;
  const Forecast f = forecast(in, {});
  CHECK_FALSE(f.time_to_exhaustion_hours);
  CHECK(f.message.find("to the end of its window") != std::string::npos);
}

TEST_CASE("Hours that nobody watched are no points", "[slo]") {
  ForecastInput in = month(0.5);
  for (size_t i = 700; i < 710; ++i) in.slots[i] = {0, 0, true};
  const Forecast f = forecast(in, {});
  CHECK(f.data_points_used == 14);
  CHECK(*f.burn == Approx(0.5));
  // Their hours are expected to have traffic again: what comes is what the others had.
  CHECK(f.course[0].consumed == Approx(0.5).epsilon(0.001));
}

TEST_CASE("The defaults scale with the window", "[slo]") {
  CHECK(default_forecast(30 * 86400).warn_within_s == 86400);
  CHECK(default_forecast(30 * 86400).history_s == 86400);
  CHECK(default_forecast(7 * 86400).warn_within_s == 20160);
  CHECK(default_forecast(3600).history_s == 1800);
  CHECK(default_forecast(3600).warn_within_s == 120);
  CHECK(default_forecast(92 * 86400).horizon_s == 92 * 86400);
  CHECK(course_leads_in_slots(720, 3600) == std::vector<size_t>{24, 72, 168});
  CHECK(course_leads_in_slots(60, 60) == std::vector<size_t>{2, 6, 14});
  CHECK(course_leads_in_slots(2, 60) == std::vector<size_t>{1});
}

TEST_CASE("Engine forecasts from its rings", "[slo]") {
  World world(spec_of("checkout"));
  world.fill(29 * 86400, 1000, 0);
  world.fill(86400, 997, 3);
  const Forecast f = world.engine().forecast(0);
  CHECK(f.data_points_used == 24);
  REQUIRE(f.time_to_exhaustion_hours);
  CHECK(*f.time_to_exhaustion_hours == Approx(216).epsilon(0.01));
  CHECK(f.projected_exhaustion_time->seconds() == Approx(world.now_s() + 216 * 3600).epsilon(1e-4));
}

TEST_CASE("Engine forecasts windows below a day by the minute", "[slo]") {
  World world(spec_of("checkout", "0.9", 3600));
  world.run(2 * 3600, 100, 0);
  world.run(30 * 60, 85, 15);
  const Forecast f = world.engine().forecast(0, default_forecast(3600));
  CHECK(f.data_points_used == 30);
  CHECK(*f.time_to_exhaustion_hours * 60 == Approx(10).epsilon(0.02));
}

TEST_CASE("Names of trends and confidences are those of the interface", "[slo]") {
  CHECK(method_name(ForecastMethod::regression) == "regression+expiry");
  CHECK(method_name(ForecastMethod::seasonal) == "seasonal+expiry");
  CHECK(trend_name(Trend::increasing) == "increasing");
  CHECK(trend_name(Trend::decreasing) == "decreasing");
  CHECK(trend_name(Trend::stable) == "stable");
  CHECK(confidence_name(Confidence::low) == "low");
  CHECK(confidence_name(Confidence::medium) == "medium");
  CHECK(confidence_name(Confidence::high) == "high");
}

TEST_CASE("Engine forecasts calendar windows to their end", "[slo]") {
  SloSpec spec = spec_of("checkout");
  spec.calendar = std::make_shared<const Calendar>(TimeZone(), Calendar::Unit::month, 1,
                                                   days_from_civil(2026, 1, 1) * 86400);
  World world(spec);
  world.fill(15 * 86400, 998, 2);  // to the middle of January, at twice the budget
  const Forecast gone = world.engine().forecast(0);
  CHECK(gone.time_to_exhaustion_hours == 0.0);
  world.fill(17 * 86400, 1000, 0);  // February has begun a day ago
  world.fill(86400, 9995, 5);
  const Forecast f = world.engine().forecast(0);
  CHECK_FALSE(f.time_to_exhaustion_hours);
  CHECK(f.message.find("to the end of its window") != std::string::npos);
  world.fill(86400, 997, 3);
  const Forecast soon = world.engine().forecast(0);
  CHECK_FALSE(soon.time_to_exhaustion_hours == 0.0);
  CHECK(world.engine().backtest(0).calendar);
}

TEST_CASE("Engine forecasts budgets that are counted in slices of time", "[slo]") {
  SloSpec spec = spec_of("checkout", "0.99");
  spec.budgeting = Budgeting::timeslices;
  World world(spec);
  world.fill(29 * 86400, 100, 0);
  for (int hour = 0; hour < 24; ++hour) {
    world.fill(3600 - 120, 100, 0);
    world.fill(120, 50, 50);  // two bad minutes in 60: burn 3.33
  }
  const Forecast f = world.engine().forecast(0);
  CHECK(*f.burn == Approx(10.0 / 3).epsilon(0.001));
  CHECK(f.bad_in_points == 48);
  // Kept for the window and a day: all of this short life, but not of a longer one.
  CHECK(world.engine().backtest(0).first_origin.seconds() == kT0 + 86400);
  CHECK(*f.time_to_exhaustion_hours ==
        Approx((1 - 24 * 10.0 / 3 / 720) * 720 / (10.0 / 3)).epsilon(0.01));
}

TEST_CASE("Of slices that are kept no more nobody says that they were empty", "[slo]") {
  SloSpec spec = spec_of("checkout", "0.99");
  spec.budgeting = Budgeting::timeslices;
  World world(spec);
  world.fill(40 * 86400, 100, 0);
  // 31 days are kept: one whole window, and a day to look back from.
  const BacktestReport report = world.engine().backtest(0);
  CHECK(report.history_slots <= 31 * 24 + 1);
  CHECK(report.first_origin.seconds() >= kT0 + 38 * 86400);
}

TEST_CASE("Engine forecasts without what is excluded", "[slo]") {
  SloSpec spec = spec_of("checkout");
  ExclusionSpec migration;
  migration.name = "migration";
  migration.once = {kT0 + 29 * 86400, kT0 + 29 * 86400 + 6 * 3600};
  spec.exclusions = {migration};
  World world(spec);
  world.fill(29 * 86400, 1000, 0);
  world.fill(6 * 3600, 500, 500);
  world.fill(18 * 3600, 9992, 8);
  const Forecast f = world.engine().forecast(0);
  CHECK(*f.burn == Approx(0.8));
  CHECK_FALSE(f.time_to_exhaustion_hours);
}

namespace {

// 30 days at 99 %, the last of them at burn 2, with a fifth of the budget set aside for two hours.
Forecast with_reserve(int64_t from_s, int64_t bad_in_it = 0) {
  SloSpec spec = spec_of("checkout", "0.99");
  spec.reserve = dec("0.2");
  ExclusionSpec migration;
  migration.name = "migration";
  migration.effect = ExclusionEffect::reserve;
  migration.once = {kT0 + from_s, kT0 + from_s + 7200};
  spec.exclusions = {migration};
  World world(spec);
  const int64_t until_s = std::min<int64_t>(from_s, 29 * 86400);
  world.fill(until_s, 100, 0);
  if (until_s == from_s) world.fill(7200, 100 - bad_in_it, bad_in_it);
  world.fill(29 * 86400 - (until_s == from_s ? until_s + 7200 : until_s), 100, 0);
  world.fill(86400, 98, 2);
  return world.engine().forecast(0);
}

// Hours until a budget of 720 is gone at burn 2, of which so much is spent.
double hours_left(double spent) { return (720 - spent) / 2; }

}  // namespace

TEST_CASE("Engine forecasts charge the reserve while the window touches a reserved time", "[slo]") {
  constexpr int64_t kDay = 86400;
  CHECK(*with_reserve(25 * kDay).time_to_exhaustion_hours ==
        Approx(hours_left(48 + 144)).epsilon(0.01));
  // It pays for what was bad in that time...
  CHECK(*with_reserve(25 * kDay, 50).time_to_exhaustion_hours ==
        Approx(hours_left(48 + 144)).epsilon(0.01));
  // ...as far as it reaches.
  CHECK(*with_reserve(25 * kDay, 100).time_to_exhaustion_hours ==
        Approx(hours_left(48 + 200)).epsilon(0.01));
  // Gone from the window before the budget is.
  CHECK(*with_reserve(kDay).time_to_exhaustion_hours == Approx(hours_left(48)).epsilon(0.01));
  // Planned ahead: from then on.
  CHECK(*with_reserve(35 * kDay).time_to_exhaustion_hours ==
        Approx(hours_left(48 + 144)).epsilon(0.01));
}

TEST_CASE("A forecast says exhausted when the reserve is what exhausts the budget", "[slo]") {
  ForecastInput in;
  in.target = dec("0.99");
  in.window_slots = 24;
  in.slots.assign(24, {991, 9, false, 0, 0});
  in.reserve = dec("0.002");
  in.end = WallTime::from_s(kT0);
  const ForecastPolicy policy = default_forecast(86400);
  CHECK_FALSE(forecast(in, policy).time_to_exhaustion_hours == 0.0);
  in.slots[3].touching = 1;
  CHECK(forecast(in, policy).time_to_exhaustion_hours == 0.0);
  in.reserve = dec("0.0005");
  CHECK_FALSE(forecast(in, policy).time_to_exhaustion_hours == 0.0);
  in.slots[3].reserved = 25;  // of some 24,000 events: more than the 12 that are set aside
  CHECK(forecast(in, policy).time_to_exhaustion_hours == 0.0);
}

TEST_CASE("Back-tests count a reserve among what was spent", "[slo]") {
  SloSpec spec = spec_of("checkout", "0.99", 7 * 86400);
  spec.reserve = dec("0.2");
  ExclusionSpec migration;
  migration.name = "migration";
  migration.effect = ExclusionEffect::reserve;
  migration.once = {kT0 + 10 * 86400, kT0 + 10 * 86400 + 3600};
  for (const bool planned : {false, true}) {
    spec.exclusions.clear();
    if (planned) spec.exclusions = {migration};
    World world(spec);
    world.fill(20 * 86400, 991, 9);
    CHECK(world.engine().backtest(0).exhaustions == (planned ? 1 : 0));
  }
}
