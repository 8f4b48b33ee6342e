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
