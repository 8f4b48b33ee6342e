// One or more tests for each of the fifteen traps in which SLO tools were seen to sit.
#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <random>

#include "nines/slo/binomial.hpp"
#include "nines/slo/burn.hpp"
#include "nines/slo/counter.hpp"
#include "nines/slo/sketch.hpp"
#include "slo_test_support.hpp"

using namespace nines;
using namespace nines::slo;
using namespace nines::slo::test;

namespace {

constexpr int64_t kDay = 86400;

SloSpec plain(const char* target = "0.999", int64_t window_s = 30 * kDay) {
  SloSpec spec = spec_of("s", target, window_s);
  spec.alerts.rules.clear();
  return spec;
}

bool same(const WindowCounts& a, const WindowCounts& b) {
  return a.good == b.good && a.bad == b.bad && a.covered_s == b.covered_s && a.start == b.start &&
         a.end == b.end;
}

void check_same_counts(const SloEngine& a, const SloEngine& b, WallTime end) {
  for (const int64_t window_s :
       {int64_t{10}, int64_t{300}, int64_t{3600}, 6 * int64_t{3600}, kDay, 3 * kDay, 30 * kDay}) {
    CAPTURE(window_s);
    CHECK(same(a.window(0, end, window_s), b.window(0, end, window_s)));
  }
}

}  // namespace

TEST_CASE("Trap 1: ratios are divided once, never averaged", "[slo][trap]") {
  World world(plain());
  // Diurnal traffic 1..100 a second; an hour of outage at the peak of the last day.
  int64_t good = 0, bad = 0;
  for (int64_t t = 0; t < 30 * kDay; t += 60) {
    const double day = std::cos(2 * 3.14159265358979 * static_cast<double>(t % kDay) / kDay);
    const auto n = static_cast<int64_t>(60 * (50.5 - 49.5 * day));
    const bool outage = t >= 29 * kDay + 12 * 3600 && t < 29 * kDay + 13 * 3600;
    (outage ? bad : good) += n;
    world.engine().apply(batch_of({delta(kT0 + t, outage ? 0 : n, outage ? n : 0)}));
  }
  std::vector<AlertEvent> none;
  const WallTime end = WallTime::from_s(kT0 + 30 * kDay);
  world.engine().evaluate(end, end, none);
  const double truth = static_cast<double>(bad) / static_cast<double>(good + bad) / 0.001;
  CHECK(*world.status().error_budget_consumed == Approx(truth).epsilon(1e-12));
  CHECK(truth > 2.6);                      // the hour at the peak weighs more ...
  CHECK(1.0 / 720 / 0.001 < 0.6 * truth);  // ... than the 1.389 an average of ratios would tell
}

TEST_CASE("Trap 2: a burn of exactly 1 is 1, at every target", "[slo][trap]") {
  for (const char* target : {"0.95", "0.99", "0.995", "0.999", "0.9995"}) {
    CAPTURE(target);
    const Decimal budget = *budget_of(dec(target));
    World world(plain(target));
    const auto total = static_cast<int64_t>(std::pow(10, -budget.exponent)) * 7;
    world.run(10, total - 7 * budget.mantissa, 7 * budget.mantissa);
    CHECK(world.status().risk == Risk::observe);
    CHECK(world.status().composite_burn_rate == 1.0);
    CHECK(world.status().error_budget_remaining == 0.0);
    CHECK(world.status().state == State::degrading);
  }
}

TEST_CASE("Trap 2: window sums do not drift over a month of additions", "[slo][trap]") {
  World world(plain());
  world.fill(3 * kDay, 3, 1);
  world.run(2 * 3600, 0, 0);
  CHECK(world.status().burn_1h.counts.total() == 0);
  CHECK(world.status().window.good == 3 * 3 * 8640);
}

TEST_CASE("Trap 3: what doubles compute has the same bits everywhere", "[slo][trap]") {
  // Contraction to fused multiply-add would change these on ARM.
  uint64_t hash = 0;
  for (int64_t n = 10; n < 100'000; n = n * 3 / 2) {
    const double tail = binomial_tail(n / 10, n, 0.09);
    hash = hash * 0x100000001b3ULL + std::bit_cast<uint64_t>(tail);
    hash = hash * 0x100000001b3ULL +
           std::bit_cast<uint64_t>(sketch_value(sketch_index(static_cast<double>(n) / 7)));
  }
  CHECK(hash == 0xd7e313a2a2d05c2fULL);
}

TEST_CASE("Trap 4: a counter that falls has begun again", "[slo][trap]") {
  const WallTime watching = WallTime::from_s(1000);
  CounterSeries series;
  CHECK(series.observe(500, std::nullopt, watching) == 0);  // someone else's past
  CHECK(series.observe(520, std::nullopt, watching) == 20);
  CHECK(series.observe(520, std::nullopt, watching) == 0);
  CHECK(series.observe(7, std::nullopt, watching) == 7);
  CHECK(series.observe(9, std::nullopt, watching) == 2);
}

TEST_CASE("Trap 4: a start time tells what a new series and a fast restart hide", "[slo][trap]") {
  const WallTime watching = WallTime::from_s(1000);
  const auto at = [](int64_t s) { return std::optional(WallTime::from_s(s)); };
  CounterSeries newborn;
  CHECK(newborn.observe(3, at(1005), watching) == 3);    // its first increments are not lost
  CHECK(newborn.observe(50, at(1020), watching) == 50);  // restarted and already higher than before
  CHECK(newborn.observe(60, at(1020), watching) == 10);
  CHECK(newborn.observe(70, std::nullopt, watching) == 10);
  CHECK(newborn.observe(80, at(1020), watching) == 10);
  CounterSeries old;
  CHECK(old.observe(1'000'000, at(10), watching) == 0);
  CHECK(old.observe(1'000'001, at(10), watching) == 1);
}

TEST_CASE("Trap 5: replaying a journal of batches equals the uninterrupted engine", "[slo][trap]") {
  std::mt19937 random(5);
  SloEngine live;
  REQUIRE(live.add(plain()).ok());
  std::vector<Batch> journal;
  std::vector<AlertEvent> none;
  int64_t now_s = kT0;
  for (int i = 0; i < 400; ++i) {
    now_s += 10 + 10 * static_cast<int64_t>(random() % 500);
    std::vector<SlotDelta> slots;
    for (int k = 0; k < 4; ++k) {
      const int64_t age_s = random() % 5 == 0 ? random() % (5 * kDay) : random() % 60;
      slots.push_back(delta(now_s - age_s, random() % 30, random() % 3, 0));
    }
    slots.push_back(delta(now_s, 1, 0, 10));
    Batch batch = batch_of(slots);
    batch.max_event_time = WallTime::from_s(now_s);
    live.apply(batch);
    live.evaluate(batch.max_event_time, batch.max_event_time, none);
    journal.push_back(std::move(batch));
    if (i % 50 != 0) continue;
    SloEngine restored;
    REQUIRE(restored.add(plain()).ok());
    for (const Batch& b : journal) restored.apply(b);
    check_same_counts(live, restored, WallTime::from_s(now_s + 10));
    CHECK(restored.counters().late == live.counters().late);
  }
}

TEST_CASE("Trap 6: late events reach the coarse tiers and are counted", "[slo][trap]") {
  World world(plain());
  world.run(3600, 1, 0);
  const int64_t newest = world.now_s() - 10;
  world.engine().apply(batch_of({delta(newest - 600, 0, 5, 0)}));  // at the horizon: not late yet
  world.engine().apply(batch_of({delta(newest - 610, 0, 7, 0)}));
  CHECK(world.engine().counters().late == 7);
  CHECK(world.engine().window(0, world.now(), 3600).bad == 5);
  CHECK(world.engine().window(0, world.now(), 6 * 3600).bad == 12);
  CHECK(world.engine().window(0, world.now(), 30 * kDay).bad == 12);
  world.engine().apply(batch_of({delta(newest - 40 * kDay, 0, 3, 0)}));
  CHECK(world.engine().window(0, world.now(), 60 * kDay).bad == 15);
  world.engine().apply(batch_of({delta(newest - 94 * kDay, 0, 11, 0)}));
  CHECK(world.engine().counters().dropped_late == 11);
  CHECK(world.engine().window(0, world.now(), 92 * kDay).bad == 15);
}

TEST_CASE("Trap 6: backfill pages nobody and tells nothing twice", "[slo][trap]") {
  World world(spec_of("s"));
  world.run(kDay, 100, 0);
  std::vector<SlotDelta> old;
  for (int64_t t = 0; t < 3600; t += 10) old.push_back(delta(kT0 + kDay - 3 * 3600 + t, 0, 100, 0));
  world.engine().apply(batch_of(old));
  world.run(3600, 100, 0);
  // No page; the six hours of the drift rule know of it, and it is told once.
  CHECK(world.story() == "+drift");
  world.run(8 * 3600, 100, 0);
  CHECK(world.story() == "+drift -drift");
}

TEST_CASE("Trap 6: windows are anchored at the watermark, not at now", "[slo][trap]") {
  World world(plain());
  world.run(300, 0, 10);
  std::vector<AlertEvent> none;
  world.engine().evaluate(world.now(), WallTime::from_s(world.now_s() + 100), none);
  CHECK(world.status().burn_5m.counts.bad == 300);
  CHECK(world.status().window.end == world.now());
}

TEST_CASE("Trap 7: a time stamp far in the future does not wipe history", "[slo][trap]") {
  World world(plain());
  world.run(3600, 1, 0);
  world.engine().apply(batch_of({delta(world.now_s() + 2 * kDay, 0, 9)}));
  CHECK(world.engine().counters().skewed == 9);
  CHECK(world.engine().window(0, world.now(), 3600).good == 360);
  Batch sketch;
  sketch.sketches.push_back({0, world.now_s() / 3600 + 60, {{1, 1}}});
  world.engine().apply(sketch);
  world.evaluate();
  CHECK_FALSE(world.status().p50.has_value());
  // Within a day it is taken, and when the maker of the batch vouches for it too.
  world.engine().apply(batch_of({delta(world.now_s() + kDay / 2, 0, 2)}));
  CHECK(world.engine().counters().skewed == 9);
  Batch gap = batch_of({delta(world.now_s() + 20 * kDay, 4, 0)});
  gap.max_event_time = WallTime::from_s(world.now_s() + 20 * kDay);
  world.engine().apply(gap);
  CHECK(
      world.engine().window(0, WallTime::from_s(world.now_s() + 20 * kDay + 10), 30 * kDay).good ==
      364);
}

TEST_CASE("Trap 7: a journal with gaps of days is restored whole", "[slo][trap]") {
  SloEngine engine;
  REQUIRE(engine.add(plain()).ok());
  for (const int64_t day : {0, 5, 25}) engine.apply(batch_of({delta(kT0 + day * kDay, 1, 0)}));
  CHECK(engine.counters().skewed == 0);
  CHECK(engine.window(0, WallTime::from_s(kT0 + 25 * kDay + 10), 30 * kDay).good == 3);
}

TEST_CASE("Trap 7: a step backwards neither reopens nor closes an alert", "[slo][trap]") {
  World world(spec_of("s"));
  world.run(kDay, 100, 0);
  world.run(300, 0, 100);
  world.run(3600, 100, 0);
  REQUIRE(world.story() == "+fast -fast");
  // The outage is in these windows again, and nothing fires.
  std::vector<AlertEvent> events;
  const int64_t outage_end = kT0 + kDay + 300;
  for (int64_t t = outage_end; t < outage_end + 1800; t += 10) {
    if (world.now_s() - t <= 3600)
      world.engine().evaluate(WallTime::from_s(t), WallTime::from_s(t), events);
  }
  CHECK(events.empty());
  CHECK(world.status().rules[0].frozen);
  world.evaluate();
  CHECK(world.story() == "+fast -fast");
  CHECK_FALSE(world.status().rules[0].frozen);
}

TEST_CASE("Trap 7: after a clock was set back for good, alerts work again", "[slo][trap]") {
  SloEngine engine;
  REQUIRE(engine.add(spec_of("s")).ok());
  std::vector<AlertEvent> events;
  // Time was a day ahead while nothing was read; then it is set right.
  engine.evaluate(WallTime::from_s(kT0 + kDay), WallTime::from_s(kT0 + kDay), events);
  for (int64_t t = kT0; t < kT0 + 3600; t += 10) {
    engine.apply(batch_of({delta(t, 50, 50)}));
    engine.evaluate(WallTime::from_s(t + 10), WallTime::from_s(t + 10), events);
  }
  REQUIRE(events.size() == 1);
  CHECK(events[0].kind == AlertEvent::Kind::fired);
}

TEST_CASE("Trap 7: times before 1970 and of 2262 are counted and survived", "[slo][trap]") {
  for (const int64_t at_s : {int64_t{-6'811'257'600}, int64_t{-5}, int64_t{9'214'646'400}}) {
    CAPTURE(at_s);
    SloEngine engine;
    REQUIRE(engine.add(plain()).ok());
    engine.apply(batch_of({delta(at_s, 2, 1)}));
    std::vector<AlertEvent> none;
    engine.evaluate(WallTime::from_s(at_s + 10), WallTime::from_s(at_s + 10), none);
    CHECK(engine.status(0).window.total() == 3);
    CHECK(engine.status(0).burn_5m.counts.total() == 3);
  }
}

TEST_CASE("Trap 8: window edges are aligned, half-open and stated", "[slo][trap]") {
  World world(plain());
  world.fill(7 * kDay, 1, 0);
  const WallTime end = WallTime::from_s(world.now_s() - 3);  // mid-slot
  const auto check = [&](int64_t window_s, int64_t slot_s) {
    const WindowCounts w = world.engine().window(0, end, window_s);
    const int64_t end_s = world.now_s() - 10;
    CHECK(w.end.seconds() == end_s);
    CHECK(w.start.seconds() == (end_s - window_s) / slot_s * slot_s);
    CHECK(w.good == (w.end.seconds() - w.start.seconds()) / 10);
    CHECK(w.covered_s == w.end.seconds() - w.start.seconds());
  };
  check(300, 10);
  check(7200, 10);
  check(7210, 60);
  check(3 * kDay, 60);
  check(4 * kDay, 300);
}

TEST_CASE("Trap 8: a window that ended long ago is answered as finely as is still known",
          "[slo][trap]") {
  World world(plain());
  world.fill(7 * kDay, 1, 0);
  const WallTime end = WallTime::from_s(kT0 + kDay + 130);
  const WindowCounts w = world.engine().window(0, end, 3600);
  CHECK(w.end.seconds() == kT0 + kDay);  // the 300 s tier is what reaches back
  CHECK(w.start.seconds() == kT0 + kDay - 3600 + 0);
  CHECK(w.good == 360);
}

TEST_CASE("Trap 9: no traffic is not no data", "[slo][trap]") {
  World world(plain());
  world.run(3600, 99, 1);
  const double consumed = *world.status().error_budget_consumed;
  world.run(3600, 0, 0);  // covered silence
  CHECK(world.status().state == State::violated);
  CHECK(*world.status().error_budget_consumed == consumed);
  CHECK(world.status().coverage == 1.0);
  world.blind(3600);  // nobody reads
  CHECK(world.status().state == State::no_data);
  CHECK(*world.status().error_budget_consumed == consumed);
  CHECK(world.status().coverage == Approx(2.0 / 3));
}

TEST_CASE("Trap 9: coverage decides at its limit, exactly", "[slo][trap]") {
  World world(plain());
  world.run(300, 10, 0);
  world.run(30, 10, 0, 0);
  CHECK(world.status().state == State::healthy);  // 270 of 300 s
  world.run(10, 10, 0, 9);
  CHECK(world.status().state == State::no_data);  // 269 of 300 s
}

TEST_CASE("Trap 9: events without coverage information are no reason for NO_DATA", "[slo][trap]") {
  World world(plain());
  world.run(3600, 10, 0, 0);
  CHECK(world.status().state == State::healthy);
  CHECK(world.status().coverage == 0);
}

TEST_CASE("Trap 9: no second is covered twice", "[slo][trap]") {
  World world(plain());
  world.run(10, 1, 0, 7);
  world.engine().apply(batch_of({delta(kT0, 0, 0, 7), delta(kT0 + 10, 0, 0, 4'000'000'000U)}));
  for (const int64_t window_s : {int64_t{300}, kDay, 7 * kDay, 60 * kDay}) {
    CHECK(world.engine().window(0, WallTime::from_s(kT0 + 20), window_s).covered_s == 20);
  }
}

TEST_CASE("Trap 10: sparse traffic at half its budget hardly pages, a real outage does",
          "[slo][trap]") {
  // 10 and 60 requests an hour at 0.05 % errors for four days, four seeds each.
  constexpr unsigned kSeeds = kSlowMachine ? 1 : 4;
  for (const int per_hour : {10, 60}) {
    size_t pages = 0;
    for (unsigned seed = 1; seed <= kSeeds; ++seed) {
      World world(spec_of("quiet"));
      std::mt19937 random(seed);
      for (int64_t t = 0; t < 4 * kDay; t += 10) {
        const bool request = random() % 360 < static_cast<unsigned>(per_hour);
        const bool fails = request && random() % 2000 == 0;
        world.run(10, request && !fails, fails);
      }
      for (const AlertEvent& e : world.events())
        pages += e.kind == AlertEvent::Kind::fired && e.severity == "page";
    }
    CAPTURE(per_hour);
    CHECK(pages <= 1);  // in 16 days; with no guard each failure pages, 2 and 12 of them on average
  }
  World world(spec_of("quiet"));
  std::mt19937 random(1);
  world.run(kDay, 0, 0);
  const int64_t start_s = world.now_s();
  while (world.events().empty() && world.now_s() < start_s + 3600) {
    const bool request = random() % 6 == 0;
    const bool fails = request && random() % 5 == 0;
    world.run(10, request && !fails, fails);
  }
  REQUIRE(world.events().size() == 1);
  CHECK(world.events()[0].at.seconds() - start_s < 1800);
}

TEST_CASE("Trap 10: a trickle outage is told in the end", "[slo][trap]") {
  World world(spec_of("homelab"));
  // Two requests an hour, one in fifty fails: 20 times the budget, never a page by a short window.
  for (int hour = 0; hour < 8 * 24; ++hour) {
    world.run(1790, 0, 0);
    world.run(10, 1, 0);
    world.run(1790, 0, 0);
    world.run(10, hour % 25 != 0, hour % 25 == 0);
  }
  REQUIRE_FALSE(world.events().empty());
  CHECK(world.events()[0].severity == "ticket");
}

TEST_CASE("Trap 11: quantiles are within 1 % and decide nothing", "[slo][trap]") {
  Sketch sketch;
  for (int i = 0; i < 900; ++i) sketch.add(sketch_index(30));
  for (int i = 0; i < 100; ++i)
    sketch.add(sketch_index(30'000));  // time-outs; bucketed tools read 10 s
  CHECK(*sketch.quantile(950) == Approx(30'000).epsilon(0.01));
  CHECK(*sketch.quantile(900) == Approx(30).epsilon(0.01));
  // The verdict comes from counters: "P95 <= 500 ms" is "at least 95 % are good".
  World world(plain("0.95"));
  world.run(10, 95, 5);
  CHECK(world.status().state != State::violated);
  world.run(10, 94, 6);
  CHECK(world.status().state == State::violated);
}

TEST_CASE("Trap 12: the forecast knows what will leave the window", "[slo][trap]") {
  World world(plain());
  world.fill(2 * kDay, 1000, 0);
  world.fill(6 * 3600, 946, 54);  // takes 45 % of a month's budget
  world.fill(27 * kDay - 6 * 3600, 1000, 0);
  world.fill(kDay, 998, 2);
  const Forecast f = world.engine().forecast(0);
  REQUIRE(f.time_to_exhaustion_hours);
  REQUIRE(f.naive_hours);
  // Twice the budget a day: 0.45 + 0.067 used. Without expiry: 174 h. With it: the incident leaves
  // after two days; then 1 - 0.067 at 2 / 30 d an hour.
  CHECK(*f.naive_hours == Approx(174).epsilon(0.02));
  CHECK(*f.time_to_exhaustion_hours == Approx(336).epsilon(0.02));
}

TEST_CASE("Trap 13: a target is applied when read, an SLI change is a new generation",
          "[slo][trap]") {
  SloSpec spec = plain();
  spec.indicator.total.source.paths = {"/var/log/nginx/access.log", "/var/log/b.log"};
  spec.indicator.total.where = "path NOT LIKE '/healthz%'";
  spec.indicator.part.where = "status < 500";
  const std::string generation = spec.generation();
  CHECK(generation.size() == 16);
  CHECK(generation == "e1e3c60614756aab");
  const auto with = [&](auto change) {
    SloSpec changed = spec;
    change(changed);
    return changed.generation();
  };
  CHECK(with([](SloSpec& s) { s.target = dec("0.9"); }) == generation);
  CHECK(with([](SloSpec& s) { s.window_s = 3600; }) == generation);
  CHECK(with([](SloSpec& s) { s.alerts = {}; }) == generation);
  CHECK(with([](SloSpec& s) { s.name = s.service = s.description = s.owner = s.origin = "x"; }) ==
        generation);
  CHECK(with([](SloSpec& s) { s.indicator.unit = s.indicator.name = "x"; }) == generation);
  CHECK(with([](SloSpec& s) {
          std::reverse(s.indicator.total.source.paths.begin(),
                       s.indicator.total.source.paths.end());
        }) == generation);
  CHECK(with([](SloSpec& s) { s.threshold = dec("7"); }) == generation);  // of a ratio: not used
  CHECK(with([](SloSpec& s) { s.indicator.part.where = "status < 400"; }) != generation);
  CHECK(with([](SloSpec& s) { s.indicator.total.where += " "; }) != generation);
  CHECK(with([](SloSpec& s) { s.indicator.part_is_bad = true; }) != generation);
  CHECK(with([](SloSpec& s) { s.indicator.total.source.paths.pop_back(); }) != generation);
  CHECK(with([](SloSpec& s) { s.indicator.total.source.utc_offset_s = -3600; }) != generation);
  CHECK(with([](SloSpec& s) { std::swap(s.indicator.total, s.indicator.part); }) != generation);
  SloSpec latency = spec;
  latency.indicator.kind = SliKind::threshold;
  latency.indicator.value = "duration_ms";
  latency.threshold = dec("500");
  const std::string before = latency.generation();
  CHECK(before != generation);
  latency.threshold = dec("500.0");
  CHECK(latency.generation() == before);
  latency.threshold = dec("501");
  CHECK(latency.generation() != before);
  latency.threshold = dec("500");
  latency.op = CompareOp::lt;
  CHECK(latency.generation() != before);

  SloEngine engine;
  REQUIRE(engine.add(spec_of("strict", "0.999")).ok());
  REQUIRE(engine.add(spec_of("lax", "0.9")).ok());
  engine.apply(batch_of({delta(kT0, 95, 5, 10, 0), delta(kT0, 95, 5, 10, 1)}));
  std::vector<AlertEvent> none;
  engine.evaluate(WallTime::from_s(kT0 + 10), WallTime::from_s(kT0 + 10), none);
  CHECK(*engine.status(0).error_budget_consumed == Approx(50));
  CHECK(*engine.status(1).error_budget_consumed == Approx(0.5));
}

TEST_CASE("Trap 14: one outage is one alert, and a factor that can't be reached is refused",
          "[slo][trap]") {
  World world(spec_of("s"));
  world.run(4 * kDay, 100, 0);
  world.run(3 * 3600, 0, 100);
  world.run(4 * kDay, 100, 0);
  CHECK(world.story() == "+fast -fast");
  SloSpec spec = plain("0.95");
  spec.alerts.rules = {{"never", "page", 3600, 300, dec("20.01")}};
  SloEngine engine;
  CHECK_FALSE(engine.add(spec).ok());
}

TEST_CASE("Trap 15: counts of many nodes are summed, never averaged", "[slo][trap]") {
  // A big healthy node and a small broken one.
  Batch fleet = batch_of({delta(kT0, 99'900, 0)});
  fleet.merge(batch_of({delta(kT0, 0, 100, 0)}));
  World world(plain());
  world.engine().apply(fleet);
  std::vector<AlertEvent> none;
  world.engine().evaluate(WallTime::from_s(kT0 + 10), WallTime::from_s(kT0 + 10), none);
  CHECK(*world.status().sli == Approx(0.999));
  CHECK(world.status().composite_burn_rate == 1.0);
}

TEST_CASE("Trap 15: what is keyed by identity may be merged twice", "[slo][trap]") {
  const Batch once = [] {
    Batch b;
    b.positions = {{"node-a/boot-1/file", "120"}, {"node-b/boot-4/file", "7"}};
    return b;
  }();
  Batch twice = once;
  twice.merge(Batch(once));
  REQUIRE(twice.positions.size() == 2);
  CHECK(twice.positions[0].state == "120");
  CHECK(twice.positions[1].state == "7");
}
