// A Steward with more rules than may be tried out at once.
#include <catch2/catch.hpp>
#include <deque>
#include <map>

#include "remedy/executor.hpp"
#include "remedy/steward.hpp"
#include "remedy_incident.hpp"

using namespace nines;                 // NOLINT(google-build-using-namespace)
using namespace nines::agent::remedy;  // NOLINT(google-build-using-namespace)
using nines::remedy::Action;
using nines::remedy::Guard;
using nines::remedy::GuardLimits;
using nines::remedy::Verb;

namespace {

constexpr size_t kRules = 20;

class World {
 public:
  World() {
    Steward::Parts parts;
    parts.node = "pi-1";
    parts.carry_out = [this](Order order, std::function<void(Outcome)> told) {
      REQUIRE(order.mode == Mode::try_out);
      ++tried[order.action.parameter];
      under_way.emplace_back(order.action.parameter, std::move(told));
      most = std::max(most, under_way.size());
    };
    parts.keep = [](std::vector<store::Document>, std::function<void(Status)> done) { done(Ok{}); };
    parts.open = [this](WallTime) {
      return std::vector<Incident>{test::incident_of("INC-1", "worker", true, now)};
    };
    parts.incident = [this](const std::string&, WallTime) -> std::optional<Incident> {
      return test::incident_of("INC-1", "worker", true, now);
    };
    parts.find = [](const Incident&, const Action& action) -> std::optional<Found> {
      return test::found_unit(action);
    };
    parts.note = [](const nines::remedy::Act&, const std::string&, bool) {};
    parts.page = [](const std::string&, const std::string&) {};
    parts.clock_set = [] { return true; };
    parts.isolated = [] { return false; };
    GuardLimits limits;
    limits.enabled = true;
    limits.verbs = {Verb::unit_restart};
    steward.emplace(Guard({"pi-1", 1}, limits), std::move(parts));
    Guard& guard = steward->guard();
    for (size_t i = 0; i < kRules; ++i) {
      const std::string name = "rule-" + std::to_string(i);
      const Action action{Verb::unit_restart, "unit-" + std::to_string(i)};
      REQUIRE(guard.draft(name, action, "", "worker", "ada", now).ok());
      REQUIRE(guard.shadow(name, "ada", now).ok());
    }
  }

  void tick() {
    now.ns += 10 * kNsPerSecond;
    steward->tick(now);
  }
  // The first of those under way ends.
  void end(Became became) {
    const auto told = std::move(under_way.front().second);
    under_way.pop_front();
    told({became, "as told", {}, retry_after_ms});
  }
  std::optional<int64_t> retry_after_ms;

  WallTime now{1'795'300'000 * kNsPerSecond};
  std::map<std::string, int> tried;
  std::deque<std::pair<std::string, std::function<void(Outcome)>>> under_way;
  size_t most = 0;
  std::optional<Steward> steward;
};

}  // namespace

TEST_CASE("all rules that fit are tried out with one look, so many at once", "[remedy]") {
  World world;
  world.tick();
  CHECK(world.under_way.size() == Steward::kMostTryOuts);
  while (!world.under_way.empty()) world.end(Became::failed);
  CHECK(world.most == Steward::kMostTryOuts);
  CHECK(world.tried.size() == kRules);
  for (const auto& [rule, times] : world.tried) CHECK(times == 1);
  // A rollback or a person's run finds room beside them, and what acts beside all of these.
  CHECK(Steward::kMostTryOuts < Executor::kMostTryOuts);
  CHECK(Executor::kMostTryOuts < Executor::kMostAtOnce);
}

TEST_CASE("where try-outs last longer than from look to look each rule has its turn", "[remedy]") {
  World world;
  for (size_t i = 0; i < 2 * kRules; ++i) {
    world.tick();
    world.end(Became::failed);
  }
  CHECK(world.most == Steward::kMostTryOuts);
  CHECK(world.tried.size() == kRules);
  for (const auto& [rule, times] : world.tried) {
    CHECK(times >= 1);
    CHECK(times <= 3);
  }
}

TEST_CASE("what a rule in shadow would do is not tried out again in the same incident",
          "[remedy]") {
  World world;
  world.tick();
  while (!world.under_way.empty()) world.end(Became::would);
  CHECK(world.steward->counters().shadow_hits == kRules);
  for (int i = 0; i < 20; ++i) world.tick();
  CHECK(world.under_way.empty());
  for (const auto& [rule, times] : world.tried) CHECK(times == 1);
}

TEST_CASE("who says when to be asked again is not asked before", "[remedy]") {
  World world;
  world.retry_after_ms = 60'000;
  world.tick();
  while (!world.under_way.empty()) world.end(Became::refused);
  for (int i = 0; i < 5; ++i) world.tick();
  CHECK(world.under_way.empty());
  world.tick();
  CHECK(world.under_way.size() == Steward::kMostTryOuts);
  // Not for ever.
  world.retry_after_ms = INT64_MAX;
  while (!world.under_way.empty()) world.end(Became::refused);
  world.now.ns += (Steward::kMostRetryS - 10) * kNsPerSecond;
  world.tick();
  CHECK(world.under_way.size() == Steward::kMostTryOuts);
}
