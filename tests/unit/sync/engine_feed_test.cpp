#include "nines/fleet/engine_feed.hpp"

#include <catch2/catch.hpp>
#include <map>
#include <random>

#include "nines/fleet/fleet_view.hpp"

using namespace nines;
using namespace nines::fleet;

namespace {

constexpr int64_t kT0 = int64_t{500'000} * 3600;

struct Node {
  explicit Node(const std::string& name) : engine(8), state(name, 1), feed(engine, state) {
    slo::SloSpec spec;
    spec.name = "api";
    spec.service = "shop";
    spec.target = *Decimal::parse("0.99");
    spec.window_s = 7 * 86400;
    REQUIRE(engine.add(spec).ok());
  }
  void count(int64_t at_s, int64_t good, int64_t bad, uint32_t covered_s) {
    slo::Batch batch;
    batch.slots.push_back({0, at_s / 10, good, bad, covered_s});
    batch.max_event_time = WallTime::from_s(now_s);
    batch.normalize();
    engine.apply(batch);
    truth.good += good;
    truth.bad += bad;
    truth.covered_s += covered_s;
  }
  void run(int64_t seconds, uint32_t seed, bool late = false) {
    std::mt19937 random(seed);
    for (const int64_t end = now_s + seconds; now_s < end; now_s += 10) {
      count(now_s, static_cast<int64_t>(random() % 50), random() % 20 == 0 ? 1 : 0, 10);
      if (late && random() % 40 == 0) count(now_s - 600, 3, 1, 0);  // told already
      if (now_s % 60 == 50) feed.advance(WallTime::from_s(now_s + 10));
    }
  }
  slo::SloEngine engine;
  FleetState state;
  EngineFeed feed;
  int64_t now_s = kT0;
  Counts truth;
};

FleetBudget budget_of(const Node& node) {
  const auto budgets = fleet_budgets(node.state, WallTime::from_s(node.now_s));
  REQUIRE(budgets.size() == 1);
  return budgets[0];
}

}  // namespace

TEST_CASE("What the engine counts is what the fleet is told, late lines included", "[fleet]") {
  Node node("a");
  REQUIRE(node.feed.begin(WallTime::from_s(kT0), WallTime::from_s(kT0)).ok());
  node.run(2 * 86400, 1, true);
  node.run(4 * 3600, 2);  // what is too late for the engine's 10 s tier is seen when that is gone
  CHECK(budget_of(node).counts == node.truth);
}

TEST_CASE("A restart tells the past anew from the engine's own counts, and the same", "[fleet]") {
  Node node("a");
  REQUIRE(node.feed.begin(WallTime::from_s(kT0), WallTime::from_s(kT0)).ok());
  node.run(3 * 86400 + 7260, 3);
  FleetState second("a", 2);
  EngineFeed feed(node.engine, second);
  REQUIRE(feed.begin(WallTime::from_s(node.now_s), WallTime::from_s(node.now_s)).ok());
  const auto now = WallTime::from_s(node.now_s);
  REQUIRE(fleet_budgets(second, now).size() == 1);
  CHECK(fleet_budgets(second, now)[0].counts == node.truth);
  CHECK(feed.advance(now) == 0);  // and nothing twice
}

TEST_CASE("The budget of two nodes is that of their engines together", "[fleet]") {
  Node a("a"), b("b");
  for (Node* node : {&a, &b}) {
    REQUIRE(node->feed.begin(WallTime::from_s(kT0), WallTime::from_s(kT0)).ok());
  }
  a.run(86400, 4);
  b.run(86400, 5);
  for (const auto& piece : b.state.take_changes()) {
    a.state.merge(piece, WallTime::from_s(kT0 + 7 * 86400));
  }
  const auto budget = budget_of(a);
  CHECK(budget.counts.good == a.truth.good + b.truth.good);
  CHECK(budget.counts.bad == a.truth.bad + b.truth.bad);
  CHECK(budget.parts.size() == 2);
}

TEST_CASE("Alert events keep who they are on other nodes", "[fleet]") {
  slo::AlertEvent event;
  event.kind = slo::AlertEvent::Kind::resolved;
  event.slo = "api";
  event.boot = 4;
  event.sequence = 17;
  FleetState a("a", 5), b("b", 1);
  a.publish(fleet_event(event, true));
  for (const auto& piece : a.take_changes()) b.merge(piece, WallTime::from_s(kT0));
  const auto told = b.events("a");
  REQUIRE(told.size() == 1);
  CHECK(told[0].kind == FleetEvent::Kind::resolved);
  CHECK(told[0].boot == 4);
  CHECK(told[0].sequence == 17);
  CHECK(told[0].sent_isolated);
}
