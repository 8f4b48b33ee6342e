// Alerts in simulated time: a slot and an evaluation every 10 s, and the whole story asserted.
#include <catch2/catch.hpp>
#include <random>

#include "slo_test_support.hpp"

using namespace nines;
using namespace nines::slo;
using namespace nines::slo::test;

namespace {

constexpr int64_t kHour = 3600, kDay = 86400;

// A week of healthy traffic before the story begins.
World calm_world(int64_t good = 100) {
  World world(spec_of("checkout"));
  world.fill(7 * kDay, good, 0);
  return world;
}

int64_t seconds_until_first(const World& world, int64_t start_s) {
  return world.events().empty() ? -1 : world.events()[0].at.seconds() - start_s;
}

}  // namespace

TEST_CASE("A blip of ten seconds tells nobody", "[slo]") {
  World world = calm_world();
  world.run(10, 0, 100);
  world.run(2 * kDay, 100, 0);
  CHECK(world.story().empty());
}

TEST_CASE("A healthy month with errors within the budget tells nobody", "[slo]") {
  World world(spec_of("checkout"));
  std::mt19937 random(3);
  for (int64_t t = 0; t < (kSlowMachine ? 10 : 30) * kDay; t += 10) {
    const int64_t bad = random() % 25 == 0 ? 1 : 0;  // 0.04 % of 100: 0.4 of the budget
    world.run(10, 100 - bad, bad);
  }
  CHECK(world.story().empty());
  CHECK(world.status().state == State::healthy);
  CHECK(*world.status().error_budget_consumed == Approx(0.4).epsilon(0.05));
}

TEST_CASE("A full outage pages once within minutes and resolves once", "[slo]") {
  World world = calm_world();
  const int64_t start_s = world.now_s();
  world.run(20 * 60, 0, 100);
  CHECK(world.story() == "+fast");
  // 14.4 * 0.001 * 1 h of full outage: more than 51.84 s.
  CHECK(seconds_until_first(world, start_s) == 60);
  world.run(3 * kDay, 100, 0);
  CHECK(world.story() == "+fast -fast");
  const AlertEvent& fired = world.events()[0];
  const AlertEvent& resolved = world.events()[1];
  CHECK(fired.severity == "page");
  CHECK(fired.since == fired.at);
  CHECK(resolved.since == fired.at);
  // The 5 m window must be free of the outage but for 0.9 * 14.4 * 0.1 %, at two evaluations.
  CHECK(resolved.at.seconds() == start_s + 20 * 60 + 300 + 10);
  CHECK(fired.summary ==
        "checkout burns its error budget 16.7 times as fast as it may: 600 of 36000 events bad in "
        "1h, 600 of 3000 "
        "events bad in 5m (rule fast, page above 14.4); 9.9 % of the 30d budget is used.");
  CHECK(resolved.summary ==
        "checkout has recovered after 24 min 10 s: 0 of 3000 events bad in 5m (rule fast, page above "
        "14.4); 197.9 % of the "
        "30d budget is used.");
}

TEST_CASE("An outage of hours is one incident, not four", "[slo]") {
  World world = calm_world();
  world.run(6 * kHour, 80, 20);
  world.run(5 * kDay, 100, 0);
  CHECK(world.story() == "+fast -fast");
}

TEST_CASE("A trickle that never pages becomes one ticket", "[slo]") {
  World world = calm_world(1000);
  world.run(5 * kDay, 998, 2);  // twice the budget
  CHECK(world.story() == "+drift");
  CHECK(world.events()[0].severity == "ticket");
  world.run(5 * kDay, 1000, 0);
  CHECK(world.story() == "+drift -drift");
}

TEST_CASE("A trickle that turns into an outage escalates from ticket to page", "[slo]") {
  World world = calm_world(1000);
  world.run(4 * kDay, 996, 4);
  CHECK(world.story() == "+slow");
  world.run(kHour, 0, 1000);
  CHECK(world.story() == "+slow +fast");
  CHECK(world.status().rules[2].firing);
  CHECK(world.status().rules[2].inhibited);
  world.run(4 * kDay, 1000, 0);
  CHECK(world.story() == "+slow +fast -fast -slow");
}

TEST_CASE("Two rules of one severity are one page, whichever notices first", "[slo]") {
  World world(spec_of("checkout"));
  world.run(20 * 60, 100, 0);  // so little history that the long windows exceed first
  world.run(kHour, 0, 100);
  CHECK(world.story() == "+medium");
  CHECK(world.status().rules[0].inhibited);
}

TEST_CASE("A burn that outlives its page is told again by the slower rule", "[slo]") {
  World world = calm_world(1000);
  world.run(kHour, 500, 500);
  world.run(3 * kDay, 992, 8);  // the fast rule recovers, eight times the budget goes on
  CHECK(world.story() == "+fast -fast +medium");
  CHECK(world.events()[2].at.seconds() - world.events()[1].at.seconds() == 1800);
}

TEST_CASE("Flapping by the half minute is one alert", "[slo]") {
  World world = calm_world();
  for (int i = 0; i < 240; ++i) {
    world.run(30, 50, 50);
    world.run(30, 100, 0);
  }
  CHECK(world.story() == "+fast");
  world.run(kDay, 100, 0);
  CHECK(world.story() == "+fast -fast");
}

TEST_CASE("Outages of ten minutes with ten between are told at most once each", "[slo]") {
  World world = calm_world();
  for (int i = 0; i < 12; ++i) {
    world.run(10 * 60, 50, 50);
    world.run(10 * 60, 100, 0);
  }
  const std::vector<AlertEvent>& events = world.events();
  REQUIRE(events.size() == 24);
  for (size_t i = 0; i < events.size(); ++i) {
    CHECK(events[i].rule == "fast");
    CHECK(events[i].kind == (i % 2 == 0 ? AlertEvent::Kind::fired : AlertEvent::Kind::resolved));
    if (i % 2 == 0 && i > 0) CHECK(events[i].at.ns - events[i - 1].at.ns >= 900 * kNsPerSecond);
  }
}

TEST_CASE("Burning around the factor does not flap", "[slo]") {
  World world = calm_world(1000);
  world.run(kHour, 984, 16);
  REQUIRE(world.story() == "+fast");
  // Between 0.9 and 1.1 of the factor.
  for (int i = 0; i < 20; ++i) {
    world.run(6 * 60, 986, 14);
    world.run(6 * 60, 985, 15);
  }
  CHECK(world.story() == "+fast");
}

TEST_CASE("A rule waits for its cooldown before it fires again", "[slo]") {
  SloSpec spec = spec_of("checkout");
  spec.alerts.rules.resize(1);
  spec.alerts.cooldown_s = 3600;
  World world(spec);
  world.run(kDay, 100, 0);
  world.run(10 * 60, 0, 100);
  world.run(10 * 60, 100, 0);
  REQUIRE(world.story() == "+fast -fast");
  world.run(2 * kHour, 0, 100);
  REQUIRE(world.story() == "+fast -fast +fast");
  CHECK(world.events()[2].at.ns - world.events()[1].at.ns == 3600 * kNsPerSecond);
}

TEST_CASE("Alerts are frozen while nobody reads the logs", "[slo]") {
  World world = calm_world();
  world.run(5 * 60, 0, 100);
  REQUIRE(world.story() == "+fast");
  world.blind(2 * kHour);
  CHECK(world.status().state == State::no_data);
  CHECK(world.status().rules[0].frozen);
  CHECK(world.status().rules[0].firing);
  CHECK(world.story() == "+fast");
  world.run(2 * kDay, 100, 0);
  CHECK(world.story() == "+fast -fast");
}

TEST_CASE("Bad events in windows that are hardly covered do not page", "[slo]") {
  World world(spec_of("checkout"));
  world.run(kDay, 100, 0);
  world.blind(kHour);
  // Five minutes are covered again, of the hour there is almost nothing.
  world.run(6 * 60, 0, 100);
  CHECK(world.status().state == State::violated);
  CHECK(world.status().rules[0].frozen);
  CHECK(world.story().empty());
  world.run(kHour, 0, 100);
  CHECK(world.story() == "+fast");
}

TEST_CASE("Silence while covered keeps an alert as it is", "[slo]") {
  World world = calm_world();
  world.run(5 * 60, 0, 100);
  REQUIRE(world.story() == "+fast");
  world.run(6 * kHour, 0, 0);
  CHECK(world.story() == "+fast");
  CHECK(world.status().state == State::degrading);
  world.run(10 * 60, 100, 0);
  CHECK(world.story() == "+fast -fast");
}

TEST_CASE("The low-traffic guard holds back what chance explains", "[slo]") {
  SloSpec spec = spec_of("quiet");
  spec.alerts.rules.resize(1);
  World world(spec);
  world.run(kHour, 0, 0);
  world.run(10, 0, 1);  // one request, failed: burn 1000
  CHECK(world.status().rules[0].guarded);
  CHECK(*world.status().rules[0].probability == Approx(0.001));
  CHECK(world.story().empty());
  world.run(10, 0, 1);  // twice is no chance at 99.9 %
  CHECK(world.story() == "+fast");
  CHECK_FALSE(world.status().rules[0].guarded);
}

TEST_CASE("The guard asks for significance, not only for a number of failures", "[slo]") {
  SloSpec spec = spec_of("quiet", "0.9");
  spec.alerts.rules = {{"fast", "page", 3600, 300, dec("2")}};
  World world(spec);
  world.run(10, 6, 2);  // burn 2.5, but P(X >= 2 | 8, 0.1) = 0.187
  CHECK(world.story().empty());
  CHECK(*world.status().rules[0].probability == Approx(0.18690).epsilon(1e-4));
  world.run(10, 12, 8);  // 10 of 28: P = 0.0003, an hour's share of 1 % is 0.00014
  CHECK(world.story().empty());
  world.run(10, 0, 2);  // 12 of 30: P = 0.00001
  CHECK(world.story() == "+fast");
}

TEST_CASE("A restart neither repeats nor loses a transition", "[slo]") {
  // The uninterrupted story, and one whose engine is rebuilt at every step from what was saved.
  std::vector<Batch> journal;
  std::vector<AlertEvent> whole, pieced;
  SloEngine uninterrupted;
  REQUIRE(uninterrupted.add(spec_of("checkout")).ok());
  std::vector<AlertMemory> memory;
  const auto outage = [](int64_t t) { return t >= 1200 && t < 1800; };
  for (int64_t t = 0; t < 2 * kHour; t += 10) {
    Batch batch = batch_of({delta(kT0 + t, outage(t) ? 0 : 100, outage(t) ? 100 : 0)});
    batch.max_event_time = WallTime::from_s(kT0 + t);
    const WallTime now = WallTime::from_s(kT0 + t + 10);
    uninterrupted.apply(batch);
    uninterrupted.evaluate(now, now, whole);
    journal.push_back(batch);
    SloEngine restarted;
    REQUIRE(restarted.add(spec_of("checkout")).ok());
    for (const Batch& b : journal) restarted.apply(b);
    restarted.restore_alerts(memory);
    restarted.evaluate(now, now, pieced);
    memory = restarted.save_alerts();
  }
  REQUIRE(whole.size() == 2);
  REQUIRE(pieced.size() == whole.size());
  for (size_t i = 0; i < whole.size(); ++i) {
    CHECK(pieced[i].kind == whole[i].kind);
    CHECK(pieced[i].at == whole[i].at);
    CHECK(pieced[i].since == whole[i].since);
    CHECK(pieced[i].summary == whole[i].summary);
  }
}

TEST_CASE("A firing rule that is configured no more is resolved once", "[slo]") {
  SloEngine engine;
  REQUIRE(engine.add(spec_of("checkout")).ok());
  const WallTime since = WallTime::from_s(kT0);
  engine.restore_alerts({{"checkout", "gone", true, 0, since, {}},
                         {"deleted", "fast", true, 0, since, {}},
                         {"deleted", "slow", false, 0, {}, since}});
  CHECK(engine.save_alerts().size() == 2);
  std::vector<AlertEvent> events;
  for (int i = 1; i <= 3; ++i) {
    engine.evaluate(WallTime::from_s(kT0 + 10 * i), WallTime::from_s(kT0 + 10 * i), events);
  }
  REQUIRE(events.size() == 2);
  CHECK(events[0].kind == AlertEvent::Kind::resolved);
  CHECK(events[0].since == since);
  CHECK(events[1].slo == "deleted");
  CHECK(engine.save_alerts().empty());
}

TEST_CASE("The end of a rule that is configured no more is told as urgently as its start",
          "[slo]") {
  SloSpec spec = spec_of("checkout");
  spec.tier = 1;
  SloEngine before;
  REQUIRE(before.add(spec).ok());
  std::vector<AlertEvent> events;
  before.apply(batch_of({delta(kT0, 0, 100)}));
  before.evaluate(WallTime::from_s(kT0 + 10), WallTime::from_s(kT0 + 10), events);
  REQUIRE(events.size() == 1);
  CHECK(events[0].priority == 0);
  SloEngine after;
  after.restore_alerts(before.save_alerts());
  events.erase(events.begin() + 1, events.end());
  after.evaluate(WallTime::from_s(kT0 + 20), WallTime::from_s(kT0 + 20), events);
  REQUIRE(events.size() == 2);
  CHECK(events[1].kind == AlertEvent::Kind::resolved);
  CHECK(events[1].priority == events[0].priority);
  CHECK(events[1].severity == events[0].severity);
  CHECK(events[1].service == "shop");
  CHECK(events[1].since == events[0].at);
}

TEST_CASE("A row that is removed takes its counts along and ends its alerts", "[slo]") {
  SloSpec whole = spec_of("jobs");
  whole.indicator.group = GroupSpec{"type", 5, true};
  SloEngine engine(3);
  REQUIRE(engine.add(whole).ok());
  REQUIRE(*engine.add(row_of(whole, "mail")) == 1);
  REQUIRE(*engine.add(row_of(whole, "pdf")) == 2);
  CHECK_FALSE(engine.add(row_of(whole, "zip")).ok());
  engine.apply(batch_of({delta(kT0, 0, 100, 10, 0), delta(kT0, 0, 100, 10, 1)}));
  std::vector<AlertEvent> events;
  const auto evaluate = [&](int64_t after_s) {
    events.clear();
    engine.evaluate(WallTime::from_s(kT0 + after_s), WallTime::from_s(kT0 + after_s), events);
  };
  evaluate(10);
  CHECK(events.size() == 2);
  const size_t bytes = engine.memory_bytes();
  engine.remove(1);
  CHECK(engine.memory_bytes() < bytes);
  CHECK_FALSE(engine.has(1));
  CHECK(engine.size() == 3);
  evaluate(20);
  REQUIRE(events.size() == 1);
  CHECK(events[0].kind == AlertEvent::Kind::resolved);
  CHECK(events[0].slo == "jobs{mail}");
  CHECK(events[0].severity == "page");
  for (const AlertMemory& memory : engine.save_alerts()) CHECK(memory.slo == "jobs");

  Batch late = batch_of({delta(kT0, 5, 2, 10, 1)});
  late.sketches.push_back({1, kT0 / 3600, {{400, 1}}});
  engine.apply(late);
  CHECK(engine.counters().unknown == 7);
  REQUIRE(*engine.add(row_of(whole, "zip")) == 1);  // the place is free again
  evaluate(30);
  CHECK(engine.status(1).window.total() == 0);
  CHECK(engine.status(1).state == State::no_data);
  CHECK(engine.spec(2).name == "jobs{pdf}");
}

TEST_CASE("Rows of groups tell nothing by themselves unless they were asked to", "[slo]") {
  SloSpec whole = spec_of("jobs");
  whole.forecast.warn_within_s = 3600;
  whole.gate.steps = {{"slow", dec("0.5"), {"pause"}, "ticket"}};
  whole.indicator.group = GroupSpec{"type", 5, false};
  const SloSpec quiet = row_of(whole, "mail");
  CHECK(quiet.alerts.rules.empty());
  CHECK(quiet.forecast.warn_within_s == 0);
  REQUIRE(quiet.gate.steps.size() == 1);
  CHECK(quiet.gate.steps[0].severity.empty());
  whole.indicator.group->alerts = true;
  const SloSpec loud = row_of(whole, "mail");
  CHECK(loud.alerts.rules.size() == whole.alerts.rules.size());
  CHECK(loud.forecast == whole.forecast);
  CHECK(loud.gate.steps == whole.gate.steps);
}

TEST_CASE("Default policy scales the Workbook's pairs and leaves out what can never fire",
          "[slo]") {
  const auto story = [](int64_t window_s, const char* target) {
    std::string text;
    for (const AlertRule& r : default_policy(window_s, dec(target)).rules) {
      text += r.name + ":" + r.severity + " " + format_duration_s(r.long_s) + "/" +
              format_duration_s(r.short_s) + " " + r.factor.to_string() + "; ";
    }
    return text;
  };
  CHECK(story(30 * kDay, "0.999") ==
        "fast:page 1h/5m 14.4; medium:page 6h/30m 6; slow:ticket 1d/2h 3; drift:ticket 3d/6h 1; ");
  CHECK(story(28 * kDay, "0.999") ==
        "fast:page 56m/280s 14.4; medium:page 336m/28m 6; slow:ticket 1344m/112m 3; drift:ticket "
        "4032m/336m 1; ");
  CHECK(story(7 * kDay, "0.999") ==
        "fast:page 14m/70s 14.4; medium:page 84m/7m 6; slow:ticket 336m/28m 3; drift:ticket "
        "1008m/84m 1; ");
  CHECK(story(kHour, "0.999") == "fast:page 10m/1m 3; slow:ticket 30m/5m 1; ");
  CHECK(story(60, "0.999") == "fast:page 10s/10s 3; slow:ticket 30s/10s 1; ");
  CHECK(story(30 * kDay, "0.93") ==
        "medium:page 6h/30m 6; slow:ticket 1d/2h 3; drift:ticket 3d/6h 1; ");
  CHECK(story(30 * kDay, "0.6") == "drift:ticket 3d/6h 1; ");
  CHECK(story(30 * kDay, "1").empty());
  // Every default is accepted by the engine.
  for (const char* target : {"0.001", "0.5", "0.9", "0.95", "0.99", "0.999999"}) {
    for (const int64_t window_s :
         {int64_t{60}, kHour, 6 * kHour, kDay, 7 * kDay, 28 * kDay, 90 * kDay}) {
      SloEngine engine;
      CHECK(engine.add(spec_of("x", target, window_s)).ok());
    }
  }
}

TEST_CASE("Looking at the same windows again and again does not resolve an alert", "[slo]") {
  World world = calm_world();
  world.run(5 * 60, 0, 100);
  REQUIRE(world.story() == "+fast");
  while (world.story() == "+fast") world.run(10, 100, 0);
  const int64_t resolved_after = world.now_s();

  World twin = calm_world();
  twin.run(5 * 60, 0, 100);
  while (twin.now_s() < resolved_after - 10) twin.run(10, 100, 0);
  for (int i = 0; i < 20; ++i) twin.evaluate();  // one calm window so far, however often seen
  CHECK(twin.story() == "+fast");
  twin.run(10, 100, 0);
  CHECK(twin.story() == "+fast -fast");
}

TEST_CASE("An end that late events made bad and good again is calm once", "[slo]") {
  World world = calm_world();
  world.run(5 * 60, 0, 100);
  REQUIRE(world.story() == "+fast");
  while (world.status().rules[0].short_window.counts.bad * 1000 * 10 >
         129 * world.status().rules[0].short_window.counts.total()) {
    world.run(10, 100, 0);
  }
  const int64_t slot_s = world.now_s() - 10;
  world.engine().apply(batch_of({delta(slot_s, 0, 5000, 0)}));
  world.evaluate();
  world.engine().apply(batch_of({delta(slot_s, 5'000'000, 0, 0)}));
  world.evaluate();
  CHECK(world.story() == "+fast");
  world.run(10, 100, 0);
  CHECK(world.story() == "+fast -fast");
}
