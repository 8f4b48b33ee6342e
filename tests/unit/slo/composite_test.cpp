// Composite SLOs: exact sums of weighted burns, and the status made of them.
#include "nines/slo/composite.hpp"

#include <catch2/catch.hpp>

#include "slo_test_support.hpp"

using namespace nines;
using namespace nines::slo;
using namespace nines::slo::test;

namespace {

WeightedRatio part(int64_t bad, int64_t total, const char* target, const char* weight = "1") {
  return {{bad, total}, *budget_of(dec(target)), dec(weight)};
}

// -1, 0, 1.
int order(const std::vector<WeightedRatio>& parts, Decimal level) {
  const auto found = compare_weighted_burn(parts, level);
  return found < 0 ? -1 : found > 0 ? 1 : 0;
}

SloSpec composite_of(std::vector<CompositePart> parts) {
  SloSpec spec;
  spec.name = "journey";
  spec.service = "shop";
  spec.composite.parts = std::move(parts);
  return spec;
}

// Two parts and their composite under one clock.
struct Journey {
  SloEngine engine;
  int64_t now_s = kT0;
  std::vector<AlertEvent> events;

  explicit Journey(const char* weight = "1") {
    REQUIRE(engine.add(spec_of("journey-search", "0.99")).ok());
    REQUIRE(engine.add(spec_of("journey-pay", "0.999")).ok());
    REQUIRE(
        engine.add(composite_of({{"journey-search", dec(weight)}, {"journey-pay", {1, 0}}})).ok());
  }
  void run(int64_t seconds, int64_t search_bad, int64_t pay_bad, uint32_t pay_covered = 10) {
    for (const int64_t end = now_s + seconds; now_s < end;) {
      engine.apply(batch_of({delta(now_s, 1000 - search_bad, search_bad, 10, 0),
                             delta(now_s, 1000 - pay_bad, pay_bad, pay_covered, 1)}));
      now_s += 10;
      engine.evaluate(WallTime::from_s(now_s), WallTime::from_s(now_s), events);
    }
  }
  const SloStatus& composite() const { return engine.status(2); }
};

}  // namespace

TEST_CASE("A composite burns at the weighted mean of its parts, compared exactly", "[slo]") {
  // Burns 2 and 0.5: their mean is 1.25, with weight 2 on the slower one it is exactly 1.
  const std::vector<WeightedRatio> even = {part(2, 1000, "0.999"), part(5, 1000, "0.99")};
  CHECK(order(even, dec("1.25")) == 0);
  CHECK(order(even, dec("1.24999999999999999")) > 0);
  const std::vector<WeightedRatio> weighted = {part(2, 1000, "0.999"), part(5, 1000, "0.99", "2")};
  CHECK(order(weighted, dec("1")) == 0);
  CHECK(*weighted_burn(weighted) == Approx(1).epsilon(1e-15));
}

TEST_CASE("One event more or less decides a composite even among the largest counts", "[slo]") {
  constexpr int64_t kMost = 4'000'000'000'000'000'000;
  const auto at = [&](int64_t bad) {
    return std::vector<WeightedRatio>{part(bad, kMost, "0.999", "0.3"),
                                      part(kMost / 100, kMost, "0.99", "0.7")};
  };
  CHECK(order(at(kMost / 1000), {1, 0}) == 0);
  CHECK(order(at(kMost / 1000 + 1), {1, 0}) > 0);
  CHECK(order(at(kMost / 1000 - 1), {1, 0}) < 0);
}

TEST_CASE("A part without events burns nothing but keeps its weight", "[slo]") {
  const std::vector<WeightedRatio> parts = {part(0, 0, "0.999", "3"), part(1, 100, "0.99", "1")};
  CHECK(order(parts, dec("0.25")) == 0);
  CHECK(*weighted_burn(parts) == Approx(0.25));
  const std::vector<WeightedRatio> silent = {part(0, 0, "0.999")};
  CHECK_FALSE(weighted_burn(silent));
  CHECK(order(silent, {1, -18}) < 0);
}

TEST_CASE("64 parts with counts of 63 bits are summed exactly", "[slo]") {
  std::vector<WeightedRatio> parts;
  for (int64_t i = 0; i < 64; ++i) {
    const int64_t total = 8'000'000'000'000'000'000 + i * 1000;
    parts.push_back(part(total / 1000, total, "0.999", "1000000"));
  }
  CHECK(order(parts, {1, 0}) == 0);
  ++parts[17].ratio.bad;
  CHECK(order(parts, {1, 0}) > 0);
}

TEST_CASE("Weights are kept to nine places up to a million", "[slo]") {
  CHECK(weight_units(dec("1")) == 1'000'000'000U);
  CHECK(weight_units(dec("0.000000001")) == 1U);
  CHECK(weight_units(dec("1000000")) == 1'000'000'000'000'000U);
  for (const char* bad : {"0", "-1", "0.0000000001", "1000000.1", "1e300", "1e-300"}) {
    INFO(bad);
    CHECK_FALSE(weight_units(dec(bad)));
  }
}

TEST_CASE("The status of a composite is made of those of its parts", "[slo]") {
  Journey journey("3");
  journey.run(600, 10, 0);  // search burns at 1, pay not at all
  const SloStatus& st = journey.composite();
  CHECK(st.window.bad == 600);
  CHECK(st.window.total() == 120'000);
  CHECK_FALSE(st.sli);
  CHECK(*st.burn_5m.burn == Approx(0.75));
  CHECK(*st.composite_burn_rate == Approx(0.75));
  CHECK(*st.error_budget_consumed == Approx(0.75));
  CHECK(*st.error_budget_remaining == Approx(0.25));
  CHECK(st.risk == Risk::safe);
  // 75 % of it is gone, and the part's own risk does not fire a rule: healthy, but no release.
  CHECK(st.state == State::healthy);
  CHECK(st.release.decision == Release::hold);
  CHECK(st.release_reason.find("25 % of the weighted budget is left") != std::string::npos);
  REQUIRE(st.parts.size() == 2);
  CHECK(st.parts[0].slo == "journey-search");
  CHECK(st.parts[0].window.bad == 600);
  CHECK(*st.parts[0].consumed == Approx(1));
}

TEST_CASE("A composite is violated when its weighted budget is more than spent, not at it",
          "[slo]") {
  Journey journey;
  journey.run(600, 20, 0);  // burns 2 and 0: the mean is exactly 1
  CHECK(journey.composite().state == State::degrading);
  CHECK(journey.composite().risk == Risk::observe);
  CHECK(journey.composite().release.decision == Release::freeze);
  journey.run(10, 20, 1);
  CHECK(journey.composite().state == State::violated);
}

TEST_CASE("A composite knows nothing while one of its parts is not seen", "[slo]") {
  Journey journey;
  journey.run(600, 0, 0);
  CHECK(journey.composite().state == State::healthy);
  CHECK(journey.composite().release.decision == Release::go);
  journey.run(300, 0, 0, 0);
  CHECK(journey.engine.status(0).state == State::healthy);
  CHECK(journey.engine.status(1).state == State::no_data);
  CHECK(journey.composite().state == State::no_data);
  CHECK(journey.composite().release.decision == Release::caution);
}

TEST_CASE("A composite before any data has no numbers", "[slo]") {
  Journey journey;
  journey.engine.evaluate(WallTime::from_s(kT0), WallTime::from_s(kT0), journey.events);
  CHECK(journey.composite().state == State::no_data);
  CHECK_FALSE(journey.composite().error_budget_consumed);
  CHECK_FALSE(journey.composite().composite_burn_rate);
}

TEST_CASE("The risk does not hold a composite back before the asked share is spent", "[slo]") {
  SloEngine engine;
  REQUIRE(engine.add(spec_of("journey-pay", "0.999")).ok());
  SloSpec spec = composite_of({{"journey-pay", {1, 0}}});
  spec.gate.require_spent = dec("0.5");
  REQUIRE(engine.add(spec).ok());
  std::vector<AlertEvent> events;
  Batch batch;
  for (int64_t s = kT0; s < kT0 + 7200; s += 10) {
    batch.slots.push_back(delta(s, 100'000, s + 300 < kT0 + 7200 ? 0 : 800));
  }
  batch.normalize();
  engine.apply(batch);
  engine.evaluate(WallTime::from_s(kT0 + 7200), WallTime::from_s(kT0 + 7200), events);
  const SloStatus& st = engine.status(1);
  CHECK(st.risk == Risk::freeze);
  CHECK(*st.error_budget_consumed == Approx(1.0 / 3).epsilon(0.01));
  CHECK(st.release.risk_waived);
  CHECK(st.release.decision == Release::caution);
  // The composite of one part is that part.
  CHECK(*st.error_budget_consumed == Approx(*engine.status(0).error_budget_consumed));
  CHECK(st.risk == engine.status(0).risk);
}

TEST_CASE("A composite whose gate wants the whole budget freezes at the first bad event", "[slo]") {
  SloEngine engine;
  REQUIRE(engine.add(spec_of("journey-pay", "0.999")).ok());
  SloSpec spec = composite_of({{"journey-pay", {1, 0}}});
  spec.gate.freeze_below = spec.gate.reduce_below = {1, 0};
  REQUIRE(engine.add(spec).ok());
  std::vector<AlertEvent> events;
  const auto decision = [&](int64_t at_s, int64_t bad) {
    engine.apply(batch_of({delta(at_s, 1'000'000, bad)}));
    engine.evaluate(WallTime::from_s(at_s + 10), WallTime::from_s(at_s + 10), events);
    return engine.status(1).release.by_budget;
  };
  CHECK(decision(kT0, 0) == Release::hold);
  CHECK(decision(kT0 + 10, 1) == Release::freeze);
}

TEST_CASE("What a composite cannot be made of is refused", "[slo]") {
  const auto refusal = [](SloSpec spec) {
    SloEngine engine;
    REQUIRE(engine.add(spec_of("a")).ok());
    SloSpec other = composite_of({{"a", {1, 0}}});
    other.name = "other";
    REQUIRE(engine.add(other).ok());
    const auto added = engine.add(std::move(spec));
    REQUIRE_FALSE(added.ok());
    return added.error().message;
  };
  const auto holds = [](const std::string& text, const char* words) {
    return text.find(words) != std::string::npos;
  };
  CHECK(holds(refusal(composite_of({{"b", {1, 0}}})), "its part b is not known"));
  CHECK(holds(refusal(composite_of({{"other", {1, 0}}})), "its part other is not known"));
  CHECK(holds(refusal(composite_of({{"a", {0, 0}}})), "the weight of part a must lie between"));
  CHECK(holds(refusal(composite_of(std::vector<CompositePart>(65, {"a", {1, 0}}))),
              "more than 64 parts"));
  SloSpec window = composite_of({{"a", {1, 0}}});
  window.window_s = 3600;
  CHECK(holds(refusal(window), "has another window"));
  SloSpec rules = composite_of({{"a", {1, 0}}});
  rules.alerts = default_policy(rules.window_s, dec("0.999"));
  CHECK(holds(refusal(rules), "alert rules belong to its parts"));
}
