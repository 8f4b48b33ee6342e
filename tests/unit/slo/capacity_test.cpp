#include "nines/slo/capacity.hpp"

#include <catch2/catch.hpp>
#include <random>

using namespace nines;
using namespace nines::slo;

namespace {

constexpr int64_t kDay0 = 20'000;

DailyMaxima line(size_t days, double from, double per_day) {
  DailyMaxima m;
  for (size_t i = 0; i < days; ++i) {
    m.add(kDay0 + static_cast<int64_t>(i), from + per_day * static_cast<double>(i));
  }
  return m;
}

// Five minutes of a vital, a sample a minute.
void feed(Capacity& capacity, const char* vital, double share, int64_t from_s) {
  for (int64_t t = from_s; t < from_s + 300; t += 60) {
    CHECK(capacity.add(vital, share, WallTime::from_s(t)));
  }
}

}  // namespace

TEST_CASE("Daily maxima keep the highest value of each of the last 90 days", "[slo]") {
  DailyMaxima m;
  CHECK_FALSE(m.newest());
  CHECK_FALSE(m.at(kDay0));
  m.add(kDay0, 0.5);
  m.add(kDay0, 0.7);
  m.add(kDay0, 0.6);
  CHECK(*m.at(kDay0) == Approx(0.7));
  m.add(kDay0 + 2, 1.7);  // more than all there is
  CHECK(*m.at(kDay0 + 2) == 1.0);
  CHECK_FALSE(m.at(kDay0 + 1));
  m.add(kDay0 + 1, 0.2);  // late
  CHECK(*m.at(kDay0 + 1) == Approx(0.2));
  m.add(kDay0 + 90, 0.1);
  CHECK_FALSE(m.at(kDay0));
  CHECK(m.at(kDay0 + 1));
  m.add(kDay0, 0.9);  // has left
  CHECK_FALSE(m.at(kDay0));
  m.add(kDay0 + 1000, 0.3);
  CHECK_FALSE(m.at(kDay0 + 90));
  m.add(kDay0 + 1000, -1);
  CHECK(*m.at(kDay0 + 1000) == Approx(0.3));
}

TEST_CASE("Daily maxima are kept over a restart, and damage is refused", "[slo]") {
  DailyMaxima m = line(30, 0.2, 0.01);
  m.add(kDay0 + 40, 0.9);
  DailyMaxima back;
  REQUIRE(back.restore(m.save()).ok());
  for (int64_t day = kDay0 - 100; day < kDay0 + 50; ++day) CHECK(back.at(day) == m.at(day));
  CHECK(back.save() == m.save());
  const std::string good = m.save();
  for (const std::string& bad :
       {std::string(), std::string("1"), std::string("1 20040"), std::string("2 20040 1,2"),
        std::string("1 20040 1,2"), good + ",5", good.substr(0, good.size() - 3) + "x",
        "1 20040 70000" + good.substr(good.find(',')),
        "1 99999999999" + good.substr(good.find(" ", 2))}) {
    CAPTURE(bad);
    CHECK_FALSE(back.restore(bad).ok());
    CHECK(back.save() == good);
  }
}

TEST_CASE("Growth in a line is told to the day", "[slo]") {
  const CapacityForecast f = forecast_capacity("disk_root", line(60, 0.30, 0.005));
  CHECK(f.days == 60);
  CHECK(*f.newest == Approx(0.595));
  CHECK(*f.growth_per_day == Approx(0.005));
  CHECK(f.growing);
  CHECK(f.state == CapacityState::ok);
  CHECK(*f.days_to_scale == Approx((0.85 - 0.595) / 0.005).epsilon(0.01));
  CHECK(*f.days_to_critical == Approx((0.95 - 0.595) / 0.005).epsilon(0.01));
  CHECK(*f.in_30_days == Approx(0.745).epsilon(0.01));
  CHECK(*f.in_90_days == 1.0);
  CHECK(f.message ==
        "59.5 % used at the most on the newest day, +0.50 points a day; 95 % in 71 days.");
}

TEST_CASE("One day of madness does not bend the line", "[slo]") {
  DailyMaxima m = line(60, 0.30, 0.001);
  m.add(kDay0 + 57, 0.99);
  const CapacityForecast f = forecast_capacity("memory", m);
  CHECK(*f.growth_per_day == Approx(0.001).epsilon(0.02));
  CHECK(*f.highest == Approx(0.99));
}

TEST_CASE("Thresholds are those of CPU, memory and disks", "[slo]") {
  const auto state = [](const char* vital, double share) {
    DailyMaxima m;
    m.add(kDay0, share);
    return forecast_capacity(vital, m).state;
  };
  CHECK(state("cpu", 0.69) == CapacityState::ok);
  CHECK(state("cpu", 0.70) == CapacityState::watch);
  CHECK(state("cpu", 0.80) == CapacityState::scale);
  CHECK(state("cpu", 0.90) == CapacityState::critical);
  CHECK(state("memory", 0.79) == CapacityState::ok);
  CHECK(state("memory", 0.84) == CapacityState::watch);
  CHECK(state("memory", 0.85) == CapacityState::scale);
  CHECK(state("memory", 0.95) == CapacityState::critical);
  CHECK(state("disk_root", 0.84) == CapacityState::ok);
  CHECK(state("disk_root", 0.85) == CapacityState::scale);
  CHECK(state("disk_state", 0.95) == CapacityState::critical);
  CHECK(capacity_state_name(CapacityState::watch) == "watch");
}

TEST_CASE("Few days, no growth and what is full already are told as such", "[slo]") {
  const CapacityForecast young = forecast_capacity("cpu", line(13, 0.1, 0.01));
  CHECK_FALSE(young.growth_per_day);
  CHECK(young.message.find("13 of 14 days") != std::string::npos);
  const CapacityForecast flat = forecast_capacity("cpu", line(40, 0.4, 0));
  CHECK_FALSE(flat.days_to_critical);
  CHECK_FALSE(flat.growing);
  CHECK(flat.message.find("not in sight") != std::string::npos);
  const CapacityForecast shrinking = forecast_capacity("cpu", line(40, 0.6, -0.01));
  CHECK_FALSE(shrinking.days_to_critical);
  const CapacityForecast full = forecast_capacity("disk_root", line(40, 0.57, 0.01));
  CHECK(full.state == CapacityState::critical);
  CHECK(*full.days_to_critical == 0);
  CHECK(full.message.find("already") != std::string::npos);
  CHECK(forecast_capacity("cpu", DailyMaxima()).message == "Nothing is known yet.");
}

TEST_CASE("The interval of the slope holds the truth about as often as it says", "[slo]") {
  std::mt19937_64 random(7);
  std::normal_distribution<double> noise(0, 0.03);
  int held = 0;
  constexpr int kTries = 300;
  for (int i = 0; i < kTries; ++i) {
    DailyMaxima m;
    for (int d = 0; d < 60; ++d) m.add(kDay0 + d, 0.4 + 0.002 * d + noise(random));
    const CapacityForecast f = forecast_capacity("cpu", m);
    if (*f.growth_low <= 0.002 && *f.growth_high >= 0.002) ++held;
  }
  CHECK(held > 0.72 * kTries);
  CHECK(held < 0.88 * kTries);
}

TEST_CASE("Capacity takes means of five minutes, not single samples", "[slo]") {
  Capacity capacity;
  const int64_t t = kDay0 * 86400;
  CHECK(capacity.add("cpu", 1.0, WallTime::from_s(t)));  // a blip
  CHECK(capacity.forecasts().empty());
  feed(capacity, "cpu", 0.3, t + 300);
  feed(capacity, "cpu", 0.5, t + 600);
  feed(capacity, "cpu", 0.4, t + 900);
  const auto found = capacity.forecasts();
  REQUIRE(found.size() == 1);
  CHECK(*found[0].newest == Approx(0.5));
  CHECK(found[0].newest_day == WallTime::from_s(t));
}

TEST_CASE("Capacity is kept and restored, and has a limit", "[slo]") {
  Capacity capacity;
  const int64_t t = kDay0 * 86400;
  feed(capacity, "memory", 0.6, t);
  feed(capacity, "disk_root", 0.7, t);
  const auto kept = capacity.take_changes();
  REQUIRE(kept.size() == 2);
  CHECK(capacity.take_changes().empty());
  feed(capacity, "memory", 0.5, t + 300);  // no new maximum
  CHECK(capacity.take_changes().empty());
  Capacity again;
  for (const auto& one : kept) CHECK(again.restore(one));
  CHECK_FALSE(again.restore({"cpu", "nonsense"}));
  CHECK_FALSE(again.restore({"", kept[0].text}));
  REQUIRE(again.forecasts().size() == 2);
  CHECK(again.forecasts()[0].vital == "disk_root");
  CHECK(*again.forecasts()[1].newest == Approx(0.6));
  for (int i = 0; i < 6; ++i) CHECK(again.restore({"v" + std::to_string(i), kept[0].text}));
  CHECK_FALSE(again.restore({"one-more", kept[0].text}));
  CHECK_FALSE(again.add("one-more", 0.1, WallTime::from_s(t)));
}
