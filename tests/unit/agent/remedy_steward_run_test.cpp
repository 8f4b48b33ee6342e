// The Steward at a person's word: dry runs, runs, and what holds those.
#include <catch2/catch.hpp>

#include "remedy_steward_world.hpp"

using namespace nines;                 // NOLINT(google-build-using-namespace)
using namespace nines::test::steward;  // NOLINT(google-build-using-namespace)

TEST_CASE("a dry run of a rule says what the guard would say, is in the audit log, and is no act",
          "[remedy]") {
  World world;
  world.steward().did(world.guard().draft(kRule, kRestart, "", "worker", "ada", world.now()),
                      [](const Status&) {});
  world.broken = true;
  world.run(20);
  const size_t before = world.guard().events().size();
  std::optional<Steward::Ran> ran;
  world.steward().run({kRule, "INC-1", "kim", true}, world.now(), [&](Result<Steward::Ran> one) {
    REQUIRE(one.ok());
    ran = *one;
  });
  world.settle();
  REQUIRE(ran);
  CHECK(ran->tried.became == Became::would);
  CHECK(ran->as_rule == std::vector{nines::remedy::Refusal::rule_state});
  CHECK(ran->as_person.empty());
  CHECK(ran->act.empty());
  CHECK(world.done.empty());
  CHECK(world.guard().events().size() == before);
  const auto& record = world.steward().audit().records().back();
  CHECK(record.body.find("\"what\":\"dry_run\"") != std::string::npos);
  CHECK(record.body.find("\"who\":\"kim\"") != std::string::npos);
  CHECK_FALSE(world.steward().audit().fault());
  world.run(600);
  CHECK(world.done.empty());
}

TEST_CASE("a person's run is an act of his: intent, done once, looked at afterwards", "[remedy]") {
  World world;
  world.steward().did(world.guard().draft(kRule, kRestart, "", "worker", "ada", world.now()),
                      [](const Status&) {});
  world.broken = true;
  world.run(20);
  std::string act;
  world.steward().run({kRule, "INC-1", "kim", false}, world.now(), [&](Result<Steward::Ran> one) {
    REQUIRE(one.ok());
    act = one->act;
  });
  world.settle();
  REQUIRE_FALSE(act.empty());
  CHECK(world.done == std::vector<std::string>{act});
  CHECK(world.guard().find(act)->who == "kim");
  CHECK(world.guard().find(act)->by_person);
  world.run(120);
  CHECK(phase(world) == nines::remedy::Phase::good);
  CHECK(world.guard().rule(kRule)->state == nines::remedy::RuleState::draft);
}

TEST_CASE("a person's run does not pass a stop, and that it was asked for is written", "[remedy]") {
  World world;
  world.steward().did(world.guard().draft(kRule, kRestart, "", "worker", "ada", world.now()),
                      [](const Status&) {});
  world.steward().did(world.guard().stop("person", "ada", "enough", world.now()),
                      [](const Status&) {});
  world.broken = true;
  world.run(20);
  std::string why;
  world.steward().run({kRule, "INC-1", "kim", false}, world.now(), [&](Result<Steward::Ran> one) {
    REQUIRE(one.ok());
    CHECK(one->act.empty());
    why = one->why;
  });
  world.settle();
  CHECK(why.find("kill switch") != std::string::npos);
  CHECK(world.done.empty());
  CHECK(world.steward().audit().records().back().body.find("run_refused") != std::string::npos);
  const auto error = [&](const Steward::RunWish& wish) {
    std::string out;
    world.steward().run(wish, world.now(),
                        [&](Result<Steward::Ran> one) { out = one.error().message; });
    return out;
  };
  CHECK(error({"none", "INC-1", "kim", true}).find("no rule") != std::string::npos);
  CHECK(error({kRule, "INC-9", "kim", true}).find("no incident") != std::string::npos);
  CHECK(error({kRule, "INC-1", "", true}).find("who?") != std::string::npos);
}

TEST_CASE("only so many runs of people are under way at once", "[remedy]") {
  World world;
  world.steward().did(world.guard().draft(kRule, kRestart, "", "worker", "ada", world.now()),
                      [](const Status&) {});
  world.settle();
  size_t answers = 0, refused = 0;
  for (size_t i = 0; i < Steward::kMostRuns + 3; ++i) {
    world.steward().run({kRule, "INC-1", "kim", true}, world.now(),
                        [&](Result<Steward::Ran> one) { ++(one.ok() ? answers : refused); });
  }
  CHECK(refused == 3);
  CHECK(world.steward().counters().runs_refused == 3);
  world.settle();
  CHECK(answers == Steward::kMostRuns);
}
