// Forecasts against naive ones: the line against normal equations from raw sums, the projection
// against a window that is summed anew at each step, kept maxima against a map.
#include "nines/slo/forecast.hpp"

#include <rapidcheck.h>

#include <catch2/catch.hpp>
#include <cmath>
#include <map>

#include "nines/slo/backtest.hpp"
#include "nines/slo/capacity.hpp"

using namespace nines;
using namespace nines::slo;

namespace {

constexpr double kBudget = 0.01;
constexpr int64_t kEnd = 1'767'225'600;

std::vector<ForecastSlot> history(size_t n) {
  std::vector<ForecastSlot> slots;
  for (size_t i = 0; i < n; ++i) {
    const auto total = *rc::gen::inRange<int64_t>(1, 5'000);
    const auto most = *rc::gen::element<int64_t>(0, 1, 20, 200);
    const auto bad = *rc::gen::inRange<int64_t>(0, std::min(total, most) + 1);
    slots.push_back({total - bad, bad});
  }
  return slots;
}

ForecastInput input_of(std::vector<ForecastSlot> slots, size_t window) {
  ForecastInput in;
  in.target = Decimal{99, -2};
  in.end = WallTime::from_s(kEnd);
  in.window_slots = window;
  in.slots = std::move(slots);
  return in;
}

double consumed(const std::vector<ForecastSlot>& slots, size_t end, size_t window) {
  double bad = 0, total = 0;
  for (size_t i = end < window ? 0 : end - window; i < end; ++i) {
    bad += static_cast<double>(slots[i].bad);
    total += static_cast<double>(slots[i].total());
  }
  return total > 0 ? bad / total / kBudget : 0;
}

// Intercept at the end and mean of the weighted least squares line, by Cramer's rule.
struct Reference {
  long double at_end = 0, mean = 0, traffic = 0;
};
Reference reference(const std::vector<ForecastSlot>& slots, size_t most) {
  long double w = 0, x = 0, y = 0, xx = 0, xy = 0;
  for (size_t i = 0; i < most; ++i) {
    const ForecastSlot& slot = slots[slots.size() - 1 - i];
    const auto weight = static_cast<long double>(slot.total());
    const long double at = -static_cast<long double>(i) - 0.5L;
    const long double burn =
        static_cast<long double>(slot.bad) / weight / static_cast<long double>(kBudget);
    w += weight;
    x += weight * at;
    y += weight * burn;
    xx += weight * at * at;
    xy += weight * at * burn;
  }
  return {(y * xx - x * xy) / (w * xx - x * x), y / w, w / static_cast<long double>(most)};
}

}  // namespace

TEST_CASE("The fitted burn is the weighted mean, or the line when there is a trend", "[property]") {
  CHECK(rc::check([] {
    const auto slots = history(*rc::gen::inRange<size_t>(24, 60));
    const Forecast f = forecast(input_of(slots, 24), {});
    const Reference r = reference(slots, 24);
    RC_ASSERT(f.data_points_used == 24u);
    const long double expected =
        f.burn_rate_trend == Trend::stable ? r.mean : std::max(0.0L, r.at_end);
    RC_ASSERT(std::abs(static_cast<long double>(*f.burn) - expected) <=
              1e-9L * (1 + std::abs(expected)));
  }));
}

TEST_CASE("The projection is what summing the window anew at each step gives", "[property]") {
  CHECK(rc::check([] {
    const auto window = *rc::gen::inRange<size_t>(24, 80);
    auto slots = history(window + *rc::gen::inRange<size_t>(0, 40));
    const Forecast f = forecast(input_of(slots, window), {});
    if (f.burn_rate_trend != Trend::stable) return;  // the held slope is tested by hand
    const bool exhausted = consumed(slots, slots.size(), window) >= 1;
    RC_ASSERT((f.time_to_exhaustion_hours == 0.0) == exhausted);
    if (exhausted) return;
    const Reference r = reference(slots, 24);
    // The slots to come, scaled so that integers hold them finely enough.
    for (ForecastSlot& slot : slots) slot = {slot.good * 100'000, slot.bad * 100'000};
    const auto total = static_cast<int64_t>(std::llround(r.traffic * 100'000));
    const auto bad =
        static_cast<int64_t>(std::llround(r.traffic * 100'000 * std::min(r.mean * kBudget, 1.0L)));
    size_t steps = 0;
    while (steps < 720) {
      slots.push_back({total - bad, bad});
      ++steps;
      if (consumed(slots, slots.size(), window) >= 1) break;
    }
    const double edge = std::abs(consumed(slots, slots.size(), window) - 1);
    if (f.time_to_exhaustion_hours) {
      RC_ASSERT((edge < 1e-6 || std::ceil(*f.time_to_exhaustion_hours) ==
                                    Approx(static_cast<double>(steps)).margin(1)));
      if (f.earliest_hours) RC_ASSERT(*f.earliest_hours <= *f.time_to_exhaustion_hours);
      if (f.latest_hours) RC_ASSERT(*f.latest_hours >= *f.time_to_exhaustion_hours);
    } else {
      RC_ASSERT((steps == 720 && (edge < 1e-6 || consumed(slots, slots.size(), window) < 1)));
    }
  }));
}

TEST_CASE("Saying nothing errs by as much as the budget moved", "[property]") {
  CHECK(rc::check([] {
    const auto n = *rc::gen::inRange<size_t>(80, 240);
    const auto slots = history(n);
    const BacktestReport report = backtest(input_of(slots, 48), true, {});
    std::vector<double> errors;
    for (size_t known = 24; known + 24 <= n; ++known) {
      errors.push_back(std::abs(consumed(slots, known + 24, 48) - consumed(slots, known, 48)));
    }
    std::sort(errors.begin(), errors.end());
    const size_t half = errors.size() / 2;
    const double median =
        errors.size() % 2 == 1 ? errors[half] : (errors[half - 1] + errors[half]) / 2;
    const BacktestLead& steady =
        report.results[static_cast<size_t>(BacktestMethod::steady)].leads[0];
    RC_ASSERT(steady.origins == errors.size());
    RC_ASSERT(std::abs(*steady.median_error - median) < 1e-9);
    size_t out = 0;
    for (size_t i = 25; i <= n - 24; ++i) {
      if (consumed(slots, i, 48) >= 1 && consumed(slots, i - 1, 48) < 1) ++out;
    }
    RC_ASSERT(report.exhaustions == out);
  }));
}

TEST_CASE("Kept daily maxima are those of a map of days", "[property]") {
  CHECK(rc::check([] {
    DailyMaxima ring;
    std::map<int64_t, double> model;
    int64_t newest = INT64_MIN;
    const auto n = *rc::gen::inRange(1, 60);
    for (int i = 0; i < n; ++i) {
      const auto day = *rc::gen::inRange<int64_t>(19'900, 20'100);
      const double share = *rc::gen::inRange(0, 10'001) / 10'000.0;
      newest = std::max(newest, day);
      ring.add(day, share);
      auto& most = model[day];
      if (day > newest - 90) most = std::max(most, share);
      std::erase_if(model, [&](const auto& e) { return e.first <= newest - 90; });
    }
    DailyMaxima back;
    RC_ASSERT(back.restore(ring.save()).ok());
    for (int64_t day = 19'800; day < 20'120; ++day) {
      const auto found = model.find(day);
      RC_ASSERT(ring.at(day).has_value() == (found != model.end()));
      if (found != model.end()) RC_ASSERT(std::abs(*ring.at(day) - found->second) < 1e-9);
      RC_ASSERT(back.at(day) == ring.at(day));
    }
  }));
}

TEST_CASE("Damaged capacity documents are refused and never crash", "[property]") {
  CHECK(rc::check([](const std::string& text) {
    DailyMaxima maxima;
    const bool taken = maxima.restore(text).ok();
    RC_ASSERT(taken == maxima.newest().has_value());
    DailyMaxima again;
    (void)again.restore("1 20000 " + text);
  }));
}
