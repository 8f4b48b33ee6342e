// The release gate: the stricter of risk and budget, exact at its edges.
#include "nines/slo/gate.hpp"

#include <catch2/catch.hpp>

#include "slo_test_support.hpp"

using namespace nines;
using namespace nines::slo;
using namespace nines::slo::test;

namespace {

const Decimal kBudget = *budget_of(dec("0.999"));

GateDecision decide(int64_t bad, int64_t total, Risk risk = Risk::safe,
                    State state = State::healthy, const GatePolicy& policy = {}) {
  return decide_release(policy, risk, state, {bad, total}, kBudget);
}

}  // namespace

TEST_CASE("The budget left decides: more than half go, a tenth to half hold, less freeze",
          "[slo]") {
  constexpr int64_t kTotal = 1'000'000;  // 1,000 bad events are allowed
  CHECK(decide(0, 0).decision == Release::go);
  CHECK(decide(499, kTotal).decision == Release::go);
  CHECK(decide(500, kTotal).decision == Release::hold);
  CHECK(decide(900, kTotal).decision == Release::hold);
  CHECK(decide(901, kTotal).decision == Release::freeze);
  CHECK(decide(5000, kTotal).decision == Release::freeze);
}

TEST_CASE("The stricter of risk and budget wins, and both are told", "[slo]") {
  CHECK(decide(0, 1000, Risk::observe).decision == Release::caution);
  CHECK(decide(0, 1000, Risk::observe).allows());
  CHECK(decide(0, 1000, Risk::danger).decision == Release::hold);
  CHECK_FALSE(decide(0, 1000, Risk::danger).allows());
  const GateDecision mixed = decide(950, 1'000'000, Risk::observe);
  CHECK(mixed.decision == Release::freeze);
  CHECK(mixed.by_risk == Release::caution);
  CHECK(mixed.by_budget == Release::freeze);
  CHECK(release_reason({}, mixed, Risk::observe, {950, 1'000'000}, kBudget) ==
        "FREEZE: 5 % of the budget is left (below 10 %); risk OBSERVE");
}

TEST_CASE("Without data a release is at best made with caution", "[slo]") {
  CHECK(decide(0, 1000, Risk::safe, State::no_data).decision == Release::caution);
  CHECK(decide(950, 1'000'000, Risk::safe, State::no_data).decision == Release::freeze);
}

TEST_CASE("A risk from a blip does not count where the policy asks for spent budget", "[slo]") {
  GatePolicy policy;
  policy.require_spent = dec("0.01");
  const GateDecision blip = decide(9, 1'000'000, Risk::freeze, State::healthy, policy);
  CHECK(blip.decision == Release::caution);
  CHECK(blip.risk_waived);
  CHECK(decide(10, 1'000'000, Risk::freeze, State::healthy, policy).decision == Release::freeze);
  CHECK(decide(9, 1'000'000, Risk::freeze).decision == Release::freeze);
}

TEST_CASE("What no data means for a gate is configurable", "[slo]") {
  const auto with = [](OnNoData wish) {
    GatePolicy policy;
    policy.on_no_data = wish;
    return decide(0, 1000, Risk::safe, State::no_data, policy).decision;
  };
  CHECK(with(OnNoData::go) == Release::go);
  CHECK(with(OnNoData::observe) == Release::caution);
  CHECK(with(OnNoData::hold) == Release::hold);
  CHECK(with(OnNoData::freeze) == Release::freeze);
  for (const char* name : {"go", "observe", "hold", "freeze"}) {
    CHECK(on_no_data_name(*on_no_data_of(name)) == name);
  }
  CHECK_FALSE(on_no_data_of("maybe"));
}

TEST_CASE("Composite weights are exact, sum to 1, and default to the sources'", "[slo]") {
  const auto of = [](const char* a, const char* b, const char* c) {
    return composite_weights({dec(a), dec(b), dec(c)});
  };
  CHECK(of("0.40", "0.35", "0.25") == CompositeWeights{});
  CHECK(of("1", "0", "0"));
  CHECK_FALSE(of("0.40", "0.35", "0.24"));
  CHECK_FALSE(of("0.4", "0.35", "0.250000001"));
  CHECK_FALSE(of("1.5", "-0.5", "0"));
  CHECK_FALSE(of("0.3333333333", "0.3333333333", "0.3333333334"));
  const auto thirds = of("0.333333333", "0.333333333", "0.333333334");
  REQUIRE(thirds);
  CHECK(thirds->parts[2] == 333'333'334);
  // 2 bad of 1000 at 99.9 % burn 2 in each window: whatever the weights, the composite is 2.
  const std::array<Ratio, 3> same{Ratio{2, 1000}, Ratio{4, 2000}, Ratio{6, 3000}};
  CHECK(compare_composite(same, kBudget, dec("2"), *thirds) == std::strong_ordering::equal);
  CHECK((compare_composite(same, kBudget, dec("2.000000001"), *thirds) < 0));
  const std::array<Ratio, 3> first{Ratio{2, 1000}, Ratio{0, 2000}, Ratio{0, 0}};
  CHECK(compare_composite(first, kBudget, dec("0.666666666"), *thirds) ==
        std::strong_ordering::equal);
  CHECK(*composite_burn(first, kBudget, *of("1", "0", "0")) == Approx(2));
  constexpr int64_t kMost = INT64_MAX;
  const std::array<Ratio, 3> huge{Ratio{kMost, kMost}, Ratio{kMost, kMost}, Ratio{kMost, kMost}};
  CHECK((compare_composite(huge, dec("0.000000000000000001"), dec("1000"), *thirds) > 0));
}

TEST_CASE("Levels of the gate move the edges of the risk, edges included as in the sources",
          "[slo]") {
  SloSpec spec = spec_of("web", "0.9");
  spec.gate.observe = dec("0.5");
  spec.gate.danger = dec("1");
  spec.gate.freeze_above = dec("1.5");
  const auto risk = [&](int64_t bad) {
    World world(spec);
    world.run(10, 100 - bad, bad);
    return world.status().risk;
  };
  CHECK(risk(4) == Risk::safe);
  CHECK(risk(5) == Risk::observe);
  CHECK(risk(9) == Risk::observe);
  CHECK(risk(10) == Risk::danger);
  CHECK(risk(15) == Risk::danger);
  CHECK(risk(16) == Risk::freeze);
  const auto refused = [&](const char* observe, const char* danger) {
    SloSpec wrong = spec;
    wrong.gate.observe = dec(observe);
    wrong.gate.danger = dec(danger);
    SloEngine engine;
    const auto added = engine.add(wrong);
    REQUIRE_FALSE(added.ok());
    return added.error().message;
  };
  CHECK_THAT(refused("0.5", "2"), Catch::Contains("must not fall"));
  CHECK_THAT(refused("0", "1"), Catch::Contains("must be positive, one is 0"));
}
