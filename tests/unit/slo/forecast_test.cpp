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
  CHECK(*f.regression_hours == Approx(0.2 / 0.8 * 720));  // what remaining / burn would have said
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
  CHECK(*f.regression_hours < 0.25 * expected);  // naive: much too early
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
  const Forecast soon = forecast(in, ForecastPolicy{30 * 60, 12, 30 * 86400});
  REQUIRE(soon.time_to_exhaustion_hours);
  CHECK(*soon.time_to_exhaustion_hours * 60 ==
        Approx(10).epsilon(0.01));  // (6 - 4.5) / 0.15 minutes
  CHECK(soon.message.find("0.2 hours") != std::string::npos);
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
  const Forecast f = world.engine().forecast(0, ForecastPolicy{30 * 60, 12, 86400});
  CHECK(f.data_points_used == 30);
  CHECK(*f.time_to_exhaustion_hours * 60 == Approx(10).epsilon(0.02));
}

TEST_CASE("Names of trends and confidences are those of the interface", "[slo]") {
  CHECK(trend_name(Trend::increasing) == "increasing");
  CHECK(trend_name(Trend::decreasing) == "decreasing");
  CHECK(trend_name(Trend::stable) == "stable");
  CHECK(confidence_name(Confidence::low) == "low");
  CHECK(confidence_name(Confidence::medium) == "medium");
  CHECK(confidence_name(Confidence::high) == "high");
}
