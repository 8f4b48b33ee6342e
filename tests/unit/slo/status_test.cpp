#include <algorithm>
#include <catch2/catch.hpp>

#include "nines/slo/sketch.hpp"
#include "slo_test_support.hpp"

using namespace nines;
using namespace nines::slo;
using namespace nines::slo::test;

namespace {

SloSpec without_rules(const char* target = "0.999", int64_t window_s = 30 * 86400) {
  SloSpec spec = spec_of("s", target, window_s);
  spec.alerts.rules.clear();
  return spec;
}

// Status right after the given counts in the newest slot.
SloStatus status_with(int64_t good, int64_t bad, const char* target = "0.999") {
  World world(without_rules(target));
  world.run(10, good, bad);
  return world.status();
}

}  // namespace

TEST_CASE("Status is NO_DATA with nulls before anything was covered or counted", "[slo]") {
  World world(without_rules());
  world.evaluate();
  const SloStatus& st = world.status();
  CHECK(st.state == State::no_data);
  CHECK_FALSE(st.sli);
  CHECK_FALSE(st.burn_5m.burn);
  CHECK_FALSE(st.composite_burn_rate);
  CHECK_FALSE(st.error_budget_consumed);
  CHECK_FALSE(st.error_budget_remaining);
  CHECK(st.risk == Risk::safe);
  CHECK(st.coverage == 0);
}

TEST_CASE("Status of covered silence is healthy with its whole budget", "[slo]") {
  World world(without_rules());
  world.run(600, 0, 0);
  const SloStatus& st = world.status();
  CHECK(st.state == State::healthy);
  CHECK_FALSE(st.sli);
  CHECK_FALSE(st.composite_burn_rate);
  CHECK(st.error_budget_consumed == 0.0);
  CHECK(st.error_budget_remaining == 1.0);
  CHECK(st.coverage == 1.0);
}

TEST_CASE("Status computes sli, burn, composite and budget from the counts", "[slo]") {
  World world(without_rules("0.99"));
  world.run(24 * 3600 - 3600, 10, 0);
  world.run(3600 - 300, 9, 1);
  world.run(300, 5, 5);
  const SloStatus& st = world.status();
  CHECK(st.window.total() == 86400);
  CHECK(st.window.bad == 330 + 150);
  CHECK(*st.sli == Approx(1 - 480.0 / 86400));
  CHECK(*st.burn_5m.burn == Approx(50));
  CHECK(*st.burn_1h.burn == Approx(480.0 / 3600 / 0.01));
  CHECK(*st.burn_24h.burn == Approx(480.0 / 86400 / 0.01));
  CHECK(*st.composite_burn_rate ==
        Approx(0.40 * *st.burn_5m.burn + 0.35 * *st.burn_1h.burn + 0.25 * *st.burn_24h.burn));
  CHECK(*st.error_budget_consumed == Approx(0.5555555556));
  CHECK(*st.error_budget_remaining == Approx(1 - 0.5555555556));
  CHECK(st.risk == Risk::freeze);
  CHECK(st.state == State::degrading);
  CHECK(st.window.end == world.now());
  CHECK(st.timestamp == world.now());
}

TEST_CASE("Risk changes exactly at the edges of its levels", "[slo]") {
  CHECK(status_with(999'001, 999).risk == Risk::safe);
  CHECK(status_with(999'000, 1'000).risk == Risk::observe);
  CHECK(status_with(998'501, 1'499).risk == Risk::observe);
  CHECK(status_with(998'500, 1'500).risk == Risk::danger);
  CHECK(status_with(998'000, 2'000).risk == Risk::danger);
  CHECK(status_with(997'999, 2'001).risk == Risk::freeze);
}

TEST_CASE("State is violated above, not at, the whole budget", "[slo]") {
  CHECK(status_with(999, 1).state == State::degrading);
  CHECK(status_with(999, 1).error_budget_remaining == 0.0);
  CHECK(status_with(9'989, 11).state == State::violated);
  CHECK(*status_with(9'989, 11).error_budget_remaining == Approx(-0.1));
  CHECK(status_with(9'991, 9).state == State::healthy);
}

TEST_CASE("A window without events adds nothing to the composite", "[slo]") {
  World world(without_rules("0.9"));
  world.run(10, 8, 2);
  world.run(400, 0, 0);
  const SloStatus& st = world.status();
  CHECK_FALSE(st.burn_5m.burn);
  CHECK(*st.composite_burn_rate == Approx(0.35 * 2 + 0.25 * 2));
  CHECK(st.risk == Risk::observe);
}

TEST_CASE("Counts below zero read as zero until their other half arrives", "[slo]") {
  World world(without_rules());
  world.run(10, -5, 5);
  CHECK(world.status().window.good == 0);
  CHECK(world.status().window.total() == 5);
}

TEST_CASE("A stale watermark is NO_DATA", "[slo]") {
  World world(without_rules());
  world.run(600, 100, 0);
  std::vector<AlertEvent> events;
  const auto state_at = [&](int64_t lag_s) {
    world.engine().evaluate(world.now(), WallTime::from_s(world.now_s() + lag_s), events);
    return world.status().state;
  };
  CHECK(state_at(120) == State::healthy);
  CHECK(state_at(121) == State::no_data);
}

TEST_CASE("Engine refuses what it cannot compute or what can never happen", "[slo]") {
  SloEngine engine(3);
  REQUIRE(engine.add(spec_of("a")).ok());
  const auto code = [&](SloSpec spec) { return engine.add(std::move(spec)).error().code; };
  CHECK(code(spec_of("a")) == Errc::invalid_argument);
  for (const char* target : {"0", "1", "1.5", "-0.1", "1e-30"}) {
    CAPTURE(target);
    SloSpec spec = spec_of("t");
    spec.target = dec(target);
    CHECK(code(spec) == Errc::invalid_argument);
  }
  for (const int64_t window_s : {int64_t{50}, int64_t{3605}, int64_t{93 * 86400}}) {
    CAPTURE(window_s);
    SloSpec spec = spec_of("w");
    spec.window_s = window_s;
    CHECK(code(spec) == Errc::invalid_argument);
  }
  const auto with_rule = [](AlertRule rule) {
    SloSpec spec = spec_of("r", "0.9");
    spec.origin = "slos/a.yaml:3";
    spec.alerts.rules = {std::move(rule)};
    return spec;
  };
  CHECK(code(with_rule({"x", "page", 3600, 300, dec("10.1")})) == Errc::invalid_argument);
  CHECK(code(with_rule({"x", "page", 3600, 300, dec("0")})) == Errc::invalid_argument);
  CHECK(code(with_rule({"x", "page", 3600, 300, dec("-1")})) == Errc::invalid_argument);
  CHECK(code(with_rule({"x", "page", 3600, 7200, dec("1")})) == Errc::invalid_argument);
  CHECK(code(with_rule({"x", "page", 3605, 300, dec("1")})) == Errc::invalid_argument);
  const std::string message =
      engine.add(with_rule({"x", "page", 3600, 300, dec("10.1")})).error().message;
  CHECK(message ==
        "slos/a.yaml:3: SLO r: burn rule x can never fire: at target 0.9 no burn rate reaches "
        "10.1; lower the factor "
        "or leave the rule out");
  SloSpec twins = with_rule({"x", "page", 3600, 300, dec("1")});
  twins.alerts.rules.push_back({"x", "ticket", 7200, 600, dec("1")});
  CHECK(code(twins) == Errc::invalid_argument);
  SloSpec coverage = spec_of("c");
  coverage.data.min_coverage = dec("1.1");
  CHECK(code(coverage) == Errc::invalid_argument);
  REQUIRE(engine.add(with_rule({"x", "page", 3600, 300, dec("10")})).ok());
  REQUIRE(engine.add(spec_of("b")).ok());
  CHECK(code(spec_of("d")) == Errc::exhausted);
  CHECK(engine.size() == 3);
  CHECK(engine.spec(1).name == "r");
}

TEST_CASE("An engine can be moved with all it knows", "[slo]") {
  SloEngine first;
  REQUIRE(first.add(without_rules()).ok());
  first.apply(batch_of({delta(kT0, 3, 4)}));
  SloEngine second(std::move(first));
  SloEngine third;
  third = std::move(second);
  CHECK(third.window(0, WallTime::from_s(kT0 + 10), 300).total() == 7);
}

TEST_CASE("Coverage that begins behind the watermark covers nothing before it", "[slo]") {
  SloSpec spec = without_rules();
  const auto state_with = [&](const char* min_coverage) {
    spec.data.min_coverage = dec(min_coverage);
    World world(spec);
    world.engine().apply(batch_of({delta(kT0 + 60, 1, 0, 10)}));
    world.evaluate();
    return world.status().state;
  };
  CHECK(state_with("0.9") == State::no_data);
  CHECK(state_with("0") == State::healthy);
}

TEST_CASE("Deltas of an unknown SLO are counted and change nothing", "[slo]") {
  SloEngine engine;
  REQUIRE(engine.add(without_rules()).ok());
  Batch batch = batch_of({delta(kT0, 3, 4, 10, 7)});
  batch.sketches.push_back({7, 0, {{1, 1}}});
  engine.apply(batch);
  CHECK(engine.counters().unknown == 7);
  CHECK(engine.window(0, WallTime::from_s(kT0 + 60), 300).total() == 0);
}

TEST_CASE("A slot stops at the limit of its integers and says so", "[slo]") {
  SloEngine engine;
  REQUIRE(engine.add(without_rules()).ok());
  engine.apply(batch_of({delta(kT0, INT64_C(3'000'000'000), INT64_C(-3'000'000'000))}));
  CHECK(engine.window(0, WallTime::from_s(kT0 + 10), 300).good == INT32_MAX);
  CHECK(engine.counters().saturated == 8);
}

TEST_CASE("Memory of an SLO is bounded and mostly untouched at first", "[slo]") {
  World world(without_rules());
  world.run(3600, 10, 1);
  CHECK(world.engine().memory_bytes() < 170 * 1024);
}

TEST_CASE("Names of risks and states are those of the interface", "[slo]") {
  CHECK(risk_name(Risk::safe) == "SAFE");
  CHECK(risk_name(Risk::observe) == "OBSERVE");
  CHECK(risk_name(Risk::danger) == "DANGER");
  CHECK(risk_name(Risk::freeze) == "FREEZE");
  CHECK(state_name(State::healthy) == "HEALTHY");
  CHECK(state_name(State::degrading) == "DEGRADING");
  CHECK(state_name(State::violated) == "VIOLATED");
  CHECK(state_name(State::no_data) == "NO_DATA");
}

TEST_CASE("Latency is told for each of the last 24 hours that has values, oldest first", "[slo]") {
  World world(without_rules());
  CHECK(world.engine().latency(0).empty());
  const int64_t hour = kT0 / 3600;
  Batch batch;
  batch.max_event_time = WallTime::from_s(kT0);
  batch.slots = {{0, kT0 / kSlotS - 1, 1, 0, 10}};
  batch.sketches = {{0, hour - 24, {{sketch_index(9), 7}}},
                    {0, hour - 23, {{sketch_index(100), 95}, {sketch_index(1000), 5}}},
                    {0, hour, {{sketch_index(20), 1}}}};
  world.engine().apply(batch);
  const auto hours = world.engine().latency(0);
  REQUIRE(hours.size() == 2);
  CHECK(hours[0].at == WallTime::from_s((hour - 23) * 3600));
  CHECK(hours[0].count == 100);
  CHECK(hours[0].p50 == Approx(100).epsilon(0.01));
  CHECK(hours[0].p95 == Approx(100).epsilon(0.01));
  CHECK(hours[0].p99 == Approx(1000).epsilon(0.01));
  CHECK(hours[1].at == WallTime::from_s(hour * 3600));
  CHECK(hours[1].count == 1);
  CHECK(hours[1].p50 == Approx(20).epsilon(0.01));
}

TEST_CASE("Quantiles come from the sketches of the last 24 hours", "[slo]") {
  World world(without_rules());
  world.run(10, 1, 0);
  const int64_t hour = kT0 / 3600;
  Batch batch;
  batch.max_event_time = WallTime::from_s(kT0 + 2 * 3600);
  batch.sketches = {{0, hour, {{sketch_index(100), 95}, {sketch_index(1000), 5}}},
                    {0, hour - 30, {{1, 1000}}}};
  std::reverse(batch.sketches.begin(), batch.sketches.end());
  world.engine().apply(batch);
  world.evaluate();
  CHECK(*world.status().p50 == Approx(100).epsilon(0.01));
  CHECK(*world.status().p95 == Approx(100).epsilon(0.01));
  CHECK(*world.status().p99 == Approx(1000).epsilon(0.01));
  world.run(23 * 3600, 1, 0);
  CHECK(world.status().p50.has_value());
  world.run(3600, 1, 0);
  CHECK_FALSE(world.status().p50.has_value());
}

TEST_CASE("Sketches that are older than a day when they arrive are left out", "[slo]") {
  World world(without_rules());
  world.run(10, 1, 0);
  Batch batch;
  batch.sketches = {{0, kT0 / 3600, {{1, 1}}}, {0, kT0 / 3600 - 24, {{1, 1}}}};
  batch.sketches[0].bins[0].first = sketch_index(5);
  world.engine().apply(batch);
  world.evaluate();
  CHECK(*world.status().p50 == Approx(5).epsilon(0.01));
}
