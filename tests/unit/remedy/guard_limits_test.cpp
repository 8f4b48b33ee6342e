// What is counted: rates, cool-downs, turns to and fro, the breaker.
#include <catch2/catch.hpp>

#include "guard_node.hpp"

using namespace nines;
using namespace nines::remedy;
using namespace nines::remedy::testing;

TEST_CASE("A target cools down, for twice as long after each act in a row") {
  Armed n;
  n.ran(local_restart(), 0, true);
  CHECK(refused_for(n.one(local_restart(), 899), Refusal::cool_down));
  n.ran(local_restart(), 900, true);
  CHECK(refused_for(n.one(local_restart(), 900 + 1799), Refusal::cool_down));
  CHECK(refused_for(n.one(local_restart(), 900 + 1801), Refusal::rule_rate));  // two in the hour
  n.ran(local_restart(), 3601, true);
  CHECK(refused_for(n.one(local_restart(), 3601 + 3599), Refusal::cool_down));
  // A clock that is set back opens nothing.
  CHECK(refused_for(n.one(local_restart(), -5000), Refusal::cool_down));
}

TEST_CASE("Rates of node, namespace and cluster count whatever was begun") {
  Node n;
  const auto act = [&](int i, const std::string& node, const std::string& space) {
    Proposal p = proposal("", Verb::unit_restart, "t" + std::to_string(i), node);
    p.target.namespace_ = space;
    p.who = "ada";
    return p;
  };
  n.ran(act(1, "pi-1", "a"), 0, true);
  n.ran(act(2, "pi-1", "a"), 700, true);
  CHECK(refused_for(n.one(act(3, "pi-1", "b"), 1400), Refusal::node_rate));
  n.ran(act(4, "pi-2", "a"), 1400, true);
  CHECK(refused_for(n.one(act(5, "pi-2", "a"), 2100), Refusal::namespace_rate));
  n.ran(act(6, "pi-3", "b"), 2100, true);
  n.ran(act(7, "pi-3", "b"), 2101, true);
  const Verdict open = n.one(act(8, "pi-4", "c"), 2800);
  REQUIRE(open.event);
  CHECK(refused_for(n.one(act(9, "pi-5", "d"), 2801), Refusal::nodes_at_once));
  CHECK(refused_for(n.one(act(9, "pi-5", "d"), 2801), Refusal::cluster_rate));
}

TEST_CASE("A single action has a limit of its own, whatever rule begins it") {
  const Action reset{Verb::program, "reset"};
  GuardLimits limits = open_limits();
  limits.per_hour[reset] = 1;
  limits.cool_down_s = 0;
  Node n;
  n.guard = Guard({"pi-1", 1}, limits);
  const auto of = [&](const std::string& rule, const Action& action) {
    arm(n.guard, rule, action, -90'000);
    must(n.guard.allow_once(rule, "program/pi-1/api", "INC-1", "bob", at_s(0)));
    Proposal p = proposal(rule, Verb::program, "program/pi-1/api");
    p.action = action;
    p.target.namespace_.clear();
    p.target.local = true;
    return p;
  };
  const Proposal first = of("a", reset), second = of("b", reset);
  const Proposal other = of("c", {Verb::program, "other"});
  n.ran(first, 0, true);
  CHECK(n.one(second, 700).refused == std::vector{Refusal::action_rate});
  CHECK(n.one(other, 701).go());
}

TEST_CASE("An opposite within the cool-down is held, and a person told") {
  Node n;
  arm(n.guard, "up", {Verb::scale_up, {}}, -90'000);
  arm(n.guard, "down", {Verb::scale_down, {}}, -80'000);
  n.ran(proposal("up", Verb::scale_up, "d"), 0, true);
  const Verdict v = n.one(proposal("down", Verb::scale_down, "d"), 700);
  CHECK(refused_for(v, Refusal::opposite));
  CHECK(v.page);
}

TEST_CASE(
    "More than two turns to and fro within an hour freeze the target until a person thaws it") {
  Guard guard({"pi-1", 1}, [] {
    GuardLimits limits = open_limits();
    limits.node_per_hour = limits.namespace_per_hour = limits.cluster_per_hour = 100;
    return limits;
  }());
  for (int i = 0; i < 4; ++i) {
    CHECK_FALSE(guard.frozen("node/pi-1", at_s(i * 700)));
    Proposal p = proposal("", i % 2 == 0 ? Verb::cordon : Verb::uncordon, "node/pi-1");
    p.who = "ada";
    const Verdict v = guard.propose({p}, 1, at_s(i * 700))[0];
    REQUIRE(v.event);
    must(guard.result(v.event->uid(), Guard::Outcome::ok, "", at_s(i * 700)));
    must(guard.verified(v.event->uid(), true, "", at_s(i * 700 + 600)));
  }
  CHECK(guard.frozen("node/pi-1", at_s(2800)));
  Proposal p = proposal("", Verb::cordon, "node/pi-1");
  p.who = "bob";
  CHECK(refused_for(guard.propose({p}, 1, at_s(2800))[0], Refusal::frozen));
  CHECK(guard.frozen("node/pi-1", at_s(2100 + 86'399)));
  CHECK_FALSE(guard.frozen("node/pi-1", at_s(2100 + 86'400)));
  must(guard.unfreeze("node/pi-1", "bob", at_s(2900)));
  CHECK_FALSE(guard.frozen("node/pi-1", at_s(2901)));
}

TEST_CASE("The breaker opens when over half of the last six failed, for rules but not for people") {
  GuardLimits limits = open_limits();
  limits.trip_failures = 100;
  Node n;
  n.guard = Guard({"pi-1", 1}, limits);
  arm(n.guard, "restart-worker", kRestart, -200'000);
  for (int i = 0; i < 4; ++i) {
    CHECK_FALSE(n.guard.breaker_open(at_s(i * 8000)));
    Proposal p = local_restart("", i);
    p.who = "ada";
    p.target.name = "unit/pi-1/" + std::to_string(i);
    n.ran(p, i * 8000, false);
  }
  CHECK(n.guard.breaker_open(at_s(40'000)));
  CHECK(refused_for(n.one(local_restart(), 40'000), Refusal::breaker));
  Proposal p = local_restart("");
  p.who = "ada";
  CHECK(n.one(p, 40'000).event);
}
