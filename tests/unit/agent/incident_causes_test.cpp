// Services and changes in one ranking, and the kind of failure that follows.
#include <catch2/catch.hpp>

#include "incident/causes.hpp"

namespace nines::agent::incident {
namespace {

constexpr int64_t kOnset = 1'790'000'000;
const WallTime onset = WallTime::from_s(kOnset);

Suspicion suspicion(const std::string& service, double score, const std::string& evidence) {
  Suspicion out;
  out.told = {service, score, {evidence}, "it was " + service + "'s callee", 7};
  out.example.text = evidence;
  return out;
}

slo::Change deploy(const std::string& service, int64_t seconds_before, uint64_t id) {
  slo::Change change;
  change.id = id;
  change.kind = slo::ChangeKind::deploy;
  change.at = {onset.ns - seconds_before * kNsPerSecond};
  change.service = service;
  change.text = "1.4.2";
  return change;
}

struct World {
  Causes rank() {
    return incident::rank({onset, changes, answer, facts, slo_shares, services, topology, trouble},
                          "n1");
  }
  core::FailureClass kind() {
    const Causes causes = rank();
    const CauseFacts known{onset, changes, answer, facts, slo_shares, services, topology, trouble};
    return core::classify({}, class_facts(known, causes)).front().failure;
  }
  static std::string detail(const Told& told, std::string_view name) {
    for (const auto& [key, value] : told.details) {
      if (key == name) return value;
    }
    return "none";
  }
  std::vector<slo::Change> changes;
  Answer answer;
  Facts facts;
  std::vector<core::ShareChange> slo_shares;
  std::set<std::string> services;
  core::Topology topology;
  NodeFacts::Trouble trouble;
};

// pay was deployed and fails; web, which calls it, fails along; mail does not.
World bad_deploy() {
  World world;
  world.changes = {deploy("mail", 900, 3), deploy("pay", 120, 4)};
  world.answer.suspects = {suspicion("pay", 80, "logs the error \"refused\""),
                           suspicion("web", 70, "logs the error \"failed\"")};
  world.facts.shares = {{"pay", 1, 3'000, 400, 1'000},
                        {"web", 1, 3'000, 400, 1'000},
                        {"mail", 2, 3'000, 1, 1'000},
                        {"db", 2, 3'000, 1, 1'000}};
  for (int i = 0; i < 100; ++i) world.topology.add_edge("web", "pay");
  return world;
}

}  // namespace

TEST_CASE("A bad deploy is the first suspect, before the service that it broke", "[incident]") {
  World world = bad_deploy();
  const Causes causes = world.rank();
  REQUIRE(causes.suspects.size() >= 3);
  CHECK(causes.suspects[0].text.find("deploy of pay (1.4.2)") == 0);
  CHECK(World::detail(causes.suspects[0], "change") == "4");
  CHECK(World::detail(causes.suspects[0], "kind") == "deploy");
  CHECK(World::detail(causes.suspects[0], "rank") == "1");
  CHECK(World::detail(causes.suspects[0], "wrong_if").find("one of the other 1 changes") !=
        std::string::npos);
  CHECK(World::detail(causes.suspects[1], "service") == "pay");
  CHECK(World::detail(causes.suspects[1], "score") == "240.00");
  CHECK(World::detail(causes.suspects[2], "service") == "web");
  CHECK(World::detail(causes.suspects[2], "score") == "70.00");
}

TEST_CASE("Who fails because it calls what was changed is nobody to compare that with",
          "[incident]") {
  World world = bad_deploy();
  const Causes causes = world.rank();
  const core::ChangeSuspect& pay = causes.changes[0];
  REQUIRE(pay.service == "pay");
  REQUIRE(pay.others_change.has_value());
  CHECK(*pay.others_change < 0.001);  // mail and db, not web
  CHECK(*pay.effect_low > 0.3);
}

TEST_CASE("A harmless deploy is not named before the service that broke", "[incident]") {
  World world = bad_deploy();
  world.changes = {deploy("mail", 120, 3)};
  const Causes causes = world.rank();
  REQUIRE(causes.suspects.size() == 3);
  CHECK(World::detail(causes.suspects[0], "service") == "pay");
  CHECK(World::detail(causes.suspects[0], "score") == "80.00");
  CHECK(World::detail(causes.suspects[2], "change") == "3");
}

TEST_CASE("The kind of a bad deploy is a bad deploy; without one it is what the lines say",
          "[incident]") {
  World world = bad_deploy();
  world.answer.facts = {{core::FactKind::error_text, "pay", 80, "connection refused by <*>"},
                        {core::FactKind::errors_up, "pay", 80, {}}};
  CHECK(world.kind() == core::FailureClass::bad_deploy);
  world.changes.clear();
  CHECK(world.kind() == core::FailureClass::dependency_down);
  world.answer.facts.clear();
  CHECK(world.kind() == core::FailureClass::unknown);
  world.trouble.kills = {"2026-09-21T14:13:20Z the kernel killed java for want of memory"};
  CHECK(world.kind() == core::FailureClass::memory);
}

TEST_CASE("The class is told with its weight, why, and what else it may be", "[incident]") {
  const Told told = tell_class({{core::FailureClass::bad_deploy, 8.5, {"a", "b", "c", "d"}},
                                {core::FailureClass::disk, 3, {}}});
  CHECK(told.text == "failure class bad_deploy (8.50), less likely disk (3.00)");
  CHECK(World::detail(told, "class") == "bad_deploy");
  CHECK(World::detail(told, "weight") == "8.50");
  CHECK(World::detail(told, "why-3") == "c");
  CHECK(World::detail(told, "why-4") == "none");
  CHECK(tell_class({core::ClassFinding{}}).text.find("unknown") != std::string::npos);
}

TEST_CASE("Who began first is told where neither had erred before", "[incident]") {
  World world = bad_deploy();
  world.facts.passed.services = {{"web", 50, {onset.ns + 1'500 * kNsPerMs}, true},
                                 {"pay", 50, {onset.ns + 1'100 * kNsPerMs}, true}};
  auto causes = world.rank();
  CHECK(causes.suspects[1].text.find("its first error came 400 ms before the first one of web") !=
        std::string::npos);
  CHECK(causes.suspects[2].text.find("400 ms after the first one of pay") != std::string::npos);
  world.facts.passed.services[0].quiet_before = false;
  causes = world.rank();
  CHECK(causes.suspects[1].text.find("first error") == std::string::npos);
}

TEST_CASE("Counts of an SLO stand for its service, around its change", "[incident]") {
  slo::SloEngine engine;
  slo::SloSpec spec;
  spec.name = "shop";
  spec.service = "shop-service";
  spec.target = {99, -2};
  REQUIRE(engine.add(std::move(spec)).ok());
  for (int64_t s = -3'600; s < 60; s += slo::kSlotS) {
    slo::Batch batch;
    const int64_t bad = s >= -100 ? 5 : 0;
    batch.slots.push_back({0, (kOnset + s) / slo::kSlotS, 10 - bad, bad});
    batch.max_event_time = WallTime::from_s(kOnset + s);
    batch.normalize();
    engine.apply(batch);
  }
  FactsQuestion asked;
  asked.onset = onset;
  asked.now = WallTime::from_s(kOnset + 60);
  asked.changed = {{"shop-service", WallTime::from_s(kOnset - 100)}};
  const auto shares = slo_shares(engine, asked);
  REQUIRE(shares.size() == 1);
  CHECK(shares[0].errors_before == 0);
  CHECK(shares[0].of_before == 1'800);
  CHECK(shares[0].errors_after == 80);
  CHECK(shares[0].of_after == 160);
}

}  // namespace nines::agent::incident
