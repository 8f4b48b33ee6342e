// The Steward: rules that watch, repair, and look whether it helped; what people are told.
#include <catch2/catch.hpp>

#include "remedy_steward_world.hpp"

using namespace nines;                 // NOLINT(google-build-using-namespace)
using namespace nines::test::steward;  // NOLINT(google-build-using-namespace)

TEST_CASE("a rule in shadow counts what it would have done, once for an incident", "[remedy]") {
  World world;
  world.steward().did(world.guard().draft(kRule, kRestart, "", "worker", "ada", world.now()),
                      [](const Status&) {});
  world.broken = true;
  world.run(60);
  CHECK(world.steward().counters().looked == 0);  // a draft does nothing
  world.steward().did(world.guard().shadow(kRule, "ada", world.now()), [](const Status&) {});
  world.run(300);
  CHECK(world.done.empty());
  CHECK(world.guard().rule(kRule)->hits == 1);
}

TEST_CASE("a proven rule repairs, its intent on the disk first, and looks whether it helped",
          "[remedy]") {
  World world;
  world.arm();
  world.broken = true;
  world.run(20);
  CHECK(world.done.size() == 1);
  CHECK(phase(world) == nines::remedy::Phase::done);
  world.run(90);
  CHECK(phase(world) == nines::remedy::Phase::good);
  CHECK(world.done.size() == 1);
  CHECK(world.pages.empty());
  CHECK_FALSE(world.steward().audit().fault());
  CHECK(world.steward().audit().records().size() == world.guard().events().size());
}

TEST_CASE("what did not help is undone once, as soon as that is known", "[remedy]") {
  World world;
  world.does = {Verb::unit_start, "worker.service"};
  world.arm();
  world.broken = true;
  world.helps = false;
  world.run(90);
  CHECK(world.verbs == std::vector{Verb::unit_start, Verb::unit_stop});
  CHECK(world.steward().counters().rolled_back == 1);
  world.run(300);
  CHECK(world.verbs.size() == 2);
}

TEST_CASE("a look at an act in doubt that is refused does not say that it was not done",
          "[remedy]") {
  World world;
  world.arm();
  world.broken = true;
  world.helps = false;
  world.loses_answer = true;
  world.recheck_becomes = Became::refused;  // the program is not configured any more
  world.run(3600);
  CHECK(world.done.size() == 1);
  CHECK(phase(world) == nines::remedy::Phase::in_doubt);
  CHECK_FALSE(world.pages.empty());
}

TEST_CASE("what nobody can tell is not repeated: a person is called and settles it", "[remedy]") {
  World world;
  world.arm();
  world.broken = true;
  world.helps = false;
  world.loses_answer = true;
  world.run(3600);
  CHECK(world.done.size() == 1);
  CHECK(phase(world) == nines::remedy::Phase::in_doubt);
  REQUIRE(world.pages.size() == 1);
  CHECK(world.pages.front().find("nobody can tell") != std::string::npos);
  const std::string id = world.guard().acts().front().id;
  world.steward().did(world.guard().settle(id, "ada", "it was restarted", world.now()),
                      [](const Status&) {});
  world.settle();
  CHECK(phase(world) == nines::remedy::Phase::settled);
}

TEST_CASE("the kill switch holds at each step", "[remedy]") {
  for (size_t at = 0; at < 12; ++at) {
    World world;
    world.arm();
    world.broken = true;
    world.helps = false;
    world.stop_at = at;
    world.run(60);
    const size_t by_then = world.done.size();
    INFO("stopped at step " << at);
    CHECK(by_then <= 1);
    world.run(7200);
    CHECK(world.done.size() == by_then);
  }
}

TEST_CASE("an action that does not help is told to a person, and not tried for ever", "[remedy]") {
  World world;
  world.arm();
  world.broken = true;
  world.helps = false;
  world.run(6 * 3600);
  CHECK(world.done.size() >= 1);
  CHECK(world.done.size() <= 3);  // three failures in a row end it
  CHECK_FALSE(world.pages.empty());
  CHECK(world.guard().rule(kRule)->state == nines::remedy::RuleState::shadow);
  REQUIRE(world.notices.size() == 1);  // nobody has to find it out
  CHECK(world.notices.front() == std::string(kRule) + ": goes back to shadow: 3 failures in a row");
  CHECK(world.steward().counters().demoted == 1);
}

TEST_CASE("what was to undo an act and did not help is told to a person", "[remedy]") {
  World world;
  world.does = {Verb::unit_start, "worker.service"};
  world.arm();
  world.broken = true;
  world.helps = false;
  world.run(300);
  CHECK(world.verbs == std::vector{Verb::unit_start, Verb::unit_stop});
  const auto told = [](const std::string& page) {
    return page.find("it was to undo") != std::string::npos;
  };
  CHECK(std::count_if(world.pages.begin(), world.pages.end(), told) == 1);
}

TEST_CASE("an act whose incident is not known any more is no success: a person is called",
          "[remedy]") {
  World world;
  world.arm();
  world.broken = true;
  world.run(20);
  REQUIRE(phase(world) == nines::remedy::Phase::done);
  world.forgets = true;
  world.run(600);
  CHECK(phase(world) == nines::remedy::Phase::in_doubt);
  REQUIRE(world.pages.size() == 1);
  CHECK(world.pages.front().find("whether it helped") != std::string::npos);
}

TEST_CASE("the name of a target finds its object again", "[remedy]") {
  const Target pod{"shop", "api-1", ""};
  for (const Verb verb : {Verb::evict_pod, Verb::rollout_undo, Verb::cordon, Verb::unit_stop,
                          Verb::program, Verb::webhook, Verb::lambda}) {
    const std::string name = target_name(verb, "pi-1", pod);
    const auto object = object_of(verb, name);
    REQUIRE(object);
    CHECK(object->name == "api-1");
    CHECK(target_name(verb, "pi-1", *object) == name);
  }
  CHECK(target_name(Verb::webhook, "", pod) == "webhook/api-1");  // for all nodes alike
  CHECK(object_of(Verb::webhook, "webhook/api-1")->name == "api-1");
  CHECK_FALSE(object_of(Verb::webhook, "webhook/pi-1/api-1/x"));
  CHECK_FALSE(object_of(Verb::program, "program/api-1"));
  CHECK_FALSE(object_of(Verb::evict_pod, "deployment/shop/api"));
  CHECK_FALSE(object_of(Verb::evict_pod, "pod/shop/api/x"));
  CHECK_FALSE(object_of(Verb::other, "x/y"));
}

TEST_CASE(
    "of rules that meet on one target the one that is proven best acts, whoever is tried first",
    "[remedy]") {
  for (const bool last : {false, true}) {
    World world;
    world.proven = {{"a", last ? 0.6 : 0.9}, {"z", last ? 0.9 : 0.6}};
    world.arm({"a", "z"});
    world.broken = true;
    world.run(20);
    const auto acts = world.guard().acts();
    REQUIRE(acts.size() == 1);
    CHECK(acts.front().rule == (last ? "z" : "a"));
    CHECK(world.done.size() == 1);
  }
}
