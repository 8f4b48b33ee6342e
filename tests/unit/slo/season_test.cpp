#include <catch2/catch.hpp>

#include "slo_test_support.hpp"

using namespace nines;
using namespace nines::slo;
using namespace nines::slo::test;

namespace {

constexpr int64_t kFirstHour = kT0 / 3600;  // a Thursday, 00:00

// Busy from 8 to 20 on weekdays; in the busy hours errors are `factor` times as usual.
ForecastSlot usual_hour(int64_t unix_hour, int64_t factor) {
  const auto cell = static_cast<int64_t>(Season::cell_of(unix_hour));
  const bool busy = cell / 24 < 5 && cell % 24 >= 8 && cell % 24 < 20;
  const int64_t total = busy ? 100'000 : 10'000;
  const int64_t bad = total / 5'000 * (busy ? factor : 1);
  return {total - bad, bad};
}

std::vector<ForecastSlot> weeks(size_t n, int64_t factor) {
  std::vector<ForecastSlot> hours;
  for (size_t i = 0; i < n * Season::kCells; ++i) {
    hours.push_back(usual_hour(kFirstHour + static_cast<int64_t>(i), factor));
  }
  return hours;
}

ForecastInput input_of(std::vector<ForecastSlot> hours) {
  ForecastInput in;
  in.target = dec("0.999");
  in.window_slots = 7 * 24;
  in.end = WallTime::from_s((kFirstHour + static_cast<int64_t>(hours.size())) * 3600);
  in.slots = std::move(hours);
  return in;
}

}  // namespace

TEST_CASE("The week begins on Monday at midnight UTC", "[slo]") {
  CHECK(Season::cell_of(0) == 72);
  CHECK(Season::cell_of(96) == 0);
  CHECK(Season::cell_of(-73) == 167);
  CHECK(Season::cell_of(kFirstHour) == 72);
}

TEST_CASE("A season learns traffic and shape of each hour of the week", "[slo]") {
  const auto hours = weeks(4, 3);
  const auto season = Season::learn(hours, kFirstHour);
  REQUIRE(season);
  CHECK(season->traffic(8) == 100'000);
  CHECK(season->traffic(3) == 10'000);
  CHECK(season->traffic(5 * 24 + 12) == 10'000);
  CHECK(season->shape(8) > season->shape(3));
  double weighted = 0, weight = 0;
  for (size_t c = 0; c < Season::kCells; ++c) {
    weighted += season->traffic(c) * season->shape(c);
    weight += season->traffic(c);
  }
  CHECK(weighted == Approx(weight));
}

TEST_CASE("A season needs two whole weeks", "[slo]") {
  auto hours = weeks(2, 3);
  CHECK(Season::learn(hours, kFirstHour));
  hours.pop_back();
  CHECK_FALSE(Season::learn(hours, kFirstHour));
  hours = weeks(2, 3);
  hours[7].gap = hours[7 + Season::kCells].gap = true;  // never seen
  CHECK_FALSE(Season::learn(hours, kFirstHour));
  for (auto& hour : hours) hour = {};
  CHECK_FALSE(Season::learn(hours, kFirstHour));  // no traffic has no shape
}

TEST_CASE("One incident is not taken for a habit", "[slo]") {
  auto hours = weeks(4, 1);
  const auto calm = Season::learn(hours, kFirstHour);
  hours[2 * Season::kCells + 10].bad = 50'000;
  const auto after = Season::learn(hours, kFirstHour);
  REQUIRE(after);
  const size_t cell = Season::cell_of(kFirstHour + 10);
  CHECK(after->shape(cell) == Approx(calm->shape(cell)).epsilon(0.02));
}

TEST_CASE("With a season the forecast follows the week", "[slo]") {
  // On Sunday evening everything looks calm; Monday 8:00 is not.
  auto hours = weeks(4, 5);
  hours.resize(hours.size() - 3 * 24 - 4);  // ends Sunday 20:00
  const ForecastInput in = input_of(hours);
  REQUIRE(Season::cell_of(in.end.seconds() / 3600) == 6 * 24 + 20);
  const auto season = Season::learn(in.slots, kFirstHour);
  REQUIRE(season);
  const Forecast flat = forecast(in, {});
  const Forecast seasonal = forecast(in, {}, &*season);
  CHECK(seasonal.method == ForecastMethod::seasonal);
  // In three days of the true week: busy hours of Monday to Wednesday enter, those of last week
  // leave: consumed stays what it was.
  const double now = [&] {
    double bad = 0, total = 0;
    for (size_t i = in.slots.size() - 168; i < in.slots.size(); ++i) {
      bad += static_cast<double>(in.slots[i].bad);
      total += static_cast<double>(in.slots[i].total());
    }
    return bad / total * 1000;
  }();
  CHECK(seasonal.course[1].consumed == Approx(now).epsilon(0.1));
  CHECK(flat.course[1].consumed < 0.8 * now);
  CHECK(seasonal.message.find("usual week") != std::string::npos);
}

TEST_CASE("The engine uses a season when it was better, and says so", "[slo]") {
  SloSpec spec = spec_of("checkout", "0.999", 7 * 86400);
  spec.forecast = default_forecast(spec.window_s);
  const auto fed = [&](ForecastPolicy::Use use, size_t n_weeks, int64_t factor) {
    spec.forecast.use = use;
    SloEngine engine;
    const uint32_t slo = *engine.add(spec);
    Batch batch;
    const auto hours = weeks(n_weeks, factor);
    for (size_t i = 0; i < hours.size(); ++i) {
      const int64_t at_s = kT0 + static_cast<int64_t>(i) * 3600;
      batch.slots.push_back({slo, at_s / 10, hours[i].good, hours[i].bad, 3600});
    }
    const WallTime end = WallTime::from_s(kT0 + static_cast<int64_t>(hours.size()) * 3600);
    batch.max_event_time = WallTime{end.ns - 1};
    engine.apply(batch);
    std::vector<AlertEvent> events;
    engine.evaluate(end, end, events);
    return engine.status(slo).forecast.method;
  };
  CHECK(fed(ForecastPolicy::Use::better, 5, 8) == ForecastMethod::seasonal);
  CHECK(fed(ForecastPolicy::Use::regression, 5, 8) == ForecastMethod::regression);
  CHECK(fed(ForecastPolicy::Use::seasonal, 3, 8) == ForecastMethod::seasonal);
  CHECK(fed(ForecastPolicy::Use::seasonal, 1, 8) == ForecastMethod::regression);
}
