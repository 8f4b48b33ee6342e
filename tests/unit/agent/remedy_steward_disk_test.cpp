// The Steward and what its disk keeps: killed anywhere, with rows and records that are damaged or
// lost.
#include <catch2/catch.hpp>

#include "remedy_steward_world.hpp"

using namespace nines;                 // NOLINT(google-build-using-namespace)
using namespace nines::test::steward;  // NOLINT(google-build-using-namespace)

TEST_CASE("killed anywhere, what was done is done once and every intent gets its end", "[remedy]") {
  for (const bool done_before : {true, false}) {
    int crashes = 0;
    for (size_t at = 0; at < 40; ++at) {
      World world;
      world.arm();
      world.recheck_becomes = done_before ? Became::done : Became::failed;
      world.broken = true;
      world.crash_at = at;
      world.run(400);
      crashes += world.crashes;
      INFO("killed at step " << at << ", " << world.done.size() << " times");
      std::set<std::string> intents(world.done.begin(), world.done.end());
      CHECK(intents.size() == world.done.size());
      for (const auto& act : world.guard().acts()) CHECK(act.over());
      CHECK_FALSE(world.steward().audit().fault());
    }
    CHECK(crashes >= 10);
  }
}

TEST_CASE("without a disk that takes the intent nothing is done", "[remedy]") {
  World world;
  world.arm();
  world.disk = false;
  world.broken = true;
  world.run(600);
  CHECK(world.done.empty());
  CHECK(world.steward().counters().unwritten > 0);
}

namespace {

// Nothing is begun until a person says so; and that is remembered.
void check_waits_until_resumed(World& world) {
  world.broken = true;
  world.run(300);
  CHECK(world.done.empty());
  world.steward().did(world.steward().resume("ada", "looked", world.now()), [](const Status&) {});
  world.run(60);
  CHECK(world.done.size() == 1);
  world.live();
  CHECK(world.steward().broken() == 0);
}

}  // namespace

TEST_CASE("with an event that cannot be read back nothing is begun until a person says so",
          "[remedy]") {
  World world;
  world.arm();
  world.on_disk()[{Steward::kDocuments, "pi-1/1/99"}] = "damaged";
  world.live();
  check_waits_until_resumed(world);
}

TEST_CASE("a stop that the disk has lost holds still: the audit log knows of it", "[remedy]") {
  World world;
  world.arm();
  world.steward().did(world.guard().stop("person", "ada", "enough", world.now()),
                      [](const Status&) {});
  world.settle();
  const std::string stop = world.guard().stops().front().uid();
  world.on_disk().erase({Steward::kDocuments, stop});
  world.live();
  CHECK(world.guard().stops().empty());
  CHECK(world.steward().broken() == 1);
  check_waits_until_resumed(world);
}

TEST_CASE("a record of the audit log that was altered or taken out is told", "[remedy]") {
  World world;
  world.arm();
  world.broken = true;
  world.run(200);
  auto& disk = world.on_disk();
  std::vector<std::string> keys;
  for (const auto& [key, body] : disk) {
    if (key.first == AuditLog::kDocuments && key.second != "head") keys.push_back(key.second);
  }
  REQUIRE(keys.size() > 4);
  const auto untouched = disk;
  for (size_t i = 0; i < keys.size(); ++i) {
    disk = untouched;
    disk[{AuditLog::kDocuments, keys[i]}].back() = '!';
    world.live();
    REQUIRE(world.steward().audit().fault());
    CHECK(world.steward().audit().fault()->number == i + 1);
    disk = untouched;
    disk.erase({AuditLog::kDocuments, keys[i]});
    world.live();
    CHECK(world.steward().audit().fault());
  }
}

TEST_CASE("killed anywhere, what did not help is undone once, or a person is called", "[remedy]") {
  int crashes = 0;
  for (const Became found : {Became::done, Became::failed, Became::unknown}) {
    for (size_t at = 0; at < 60; ++at) {
      World world;
      world.does = {Verb::unit_start, "worker.service"};
      world.arm();
      world.recheck_becomes = found;
      world.broken = true;
      world.helps = false;
      world.crash_at = at;
      world.run(800);
      crashes += world.crashes;
      INFO("killed at step " << at);
      const auto stops = std::count(world.verbs.begin(), world.verbs.end(), Verb::unit_stop);
      CHECK(stops <= 1);
      const auto acts = world.guard().acts();
      const bool bad =
          std::any_of(acts.begin(), acts.end(), [](const auto& act) { return act.judged_bad; });
      if (bad) CHECK((stops == 1 || !world.pages.empty()));
      for (const auto& act : acts) {
        const bool open = act.judged_bad && act.undoes.empty() && !act.rolled_back;
        CHECK_FALSE((open && world.pages.empty()));
      }
    }
  }
  CHECK(crashes >= 40);
}

TEST_CASE("an answer that was lost is looked for after half a minute, in the same life",
          "[remedy]") {
  GuardLimits slow = limits();
  slow.post_check_s = 600;
  World world(slow);
  world.arm();
  world.broken = true;
  world.loses_answer = true;
  world.recheck_becomes = Became::done;
  world.run(10);
  REQUIRE(phase(world) == nines::remedy::Phase::intended);
  world.run(20);
  CHECK(phase(world) == nines::remedy::Phase::intended);
  world.run(10);
  CHECK(phase(world) == nines::remedy::Phase::done);
  CHECK(world.done.size() == 1);
}
