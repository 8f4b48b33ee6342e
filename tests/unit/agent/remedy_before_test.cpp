// What the target of an act was before it: in the intent, told to people, and what it is put back
// to when the act did not help; killed at every step.
#include "remedy/pre_state.hpp"
#include "remedy_world.hpp"

using namespace nines::test;  // NOLINT(google-build-using-namespace)

TEST_CASE("what did not help is put back to what its intent says it was before", "[remedy]") {
  for (const RemedyKind& kind : kKinds) {
    RemedyWorld world(kind);
    INFO(verb_name(kind.verb));
    world.run(30);
    CHECK(world.state() == kind.after);
    REQUIRE(world.guard().acts().size() == 1);
    CHECK(world.guard().acts()[0].before == kind.before);
    const auto& records = world.audit().records();
    CHECK(std::any_of(records.begin(), records.end(), [&](const auto& record) {
      return record.body.find("\"what\":\"intent\"") != std::string::npos &&
             record.body.find(std::string("\"before\":\"") + kind.before + '"') !=
                 std::string::npos;
    }));
    world.run(120);
    CHECK(world.states == std::vector<std::string>{kind.before, kind.after, kind.before});
    REQUIRE(world.guard().acts().size() >= 2);
    CHECK(world.guard().acts()[1].undoes == world.guard().acts()[0].id);
    CHECK(world.guard().acts()[1].before == kind.after);
  }
}

TEST_CASE(
    "killed at any step, nothing is done twice, and what is put back is put back to what it was",
    "[remedy]") {
  for (const RemedyKind& kind : kKinds) {
    int crashes = 0;
    size_t back = 0;
    for (size_t at = 0; at < 60; ++at) {
      RemedyWorld world(kind);
      world.crash_at = at;
      world.run(300);
      crashes += world.crashes;
      INFO(verb_name(kind.verb) << ", killed at step " << at);
      using States = std::vector<std::string>;
      const bool whole = world.states == States{kind.before, kind.after, kind.before};
      // Nobody may know whether it was done; the way back is then not gone, and a person is called.
      const bool half = world.states == States{kind.before, kind.after};
      // Between the intent and the deed: it is looked at, and found not to have been done.
      const bool none = world.states == States{kind.before};
      CHECK((whole || half || none));
      REQUIRE_FALSE(world.guard().acts().empty());
      if (none) CHECK(world.guard().acts()[0].phase == Phase::not_done);
      if (half) CHECK_FALSE(world.pages.empty());
      back += whole ? 1 : 0;
      for (const Act& act : world.guard().acts()) {
        CHECK(act.over());
        const bool forth = act.undoes.empty();
        CHECK(act.before == (forth ? kind.before : kind.after));
      }
      CHECK_FALSE(world.audit().fault());
    }
    INFO(verb_name(kind.verb) << ": " << crashes << " crashes, " << back << " put back");
    CHECK(crashes >= 15);
    CHECK(back >= 30);
  }
}

TEST_CASE("whoever changes the target after an act has the last word", "[remedy]") {
  RemedyWorld world(kKinds[0]);
  world.run(30);
  REQUIRE(world.state() == "4");
  world.cluster.deployment_object()["spec"]["replicas"] = 10;  // by a person
  world.run(120);
  CHECK(world.state() == "10");
  REQUIRE_FALSE(world.pages.empty());
  CHECK(world.pages.front().find("it has 10 pods") != std::string::npos);

  RemedyWorld node(kKinds[2]);
  node.run(30);
  node.cluster.node(false);
  node.run(120);
  CHECK(node.state() == "schedulable");
  CHECK_FALSE(node.pages.empty());
}

TEST_CASE("whoever changes the target between decision and deed is not undone", "[remedy]") {
  RemedyWorld world(kKinds[0]);
  world.meanwhile = [&](size_t) {
    const bool decided = !world.guard().acts().empty();
    auto& replicas = world.cluster.deployment_object()["spec"]["replicas"];
    if (decided && replicas == 3) replicas = 6;
  };
  world.run(30);
  REQUIRE(world.guard().acts().size() == 1);
  CHECK(world.guard().acts()[0].phase == Phase::not_done);
  CHECK(world.state() == "6");

  RemedyWorld node(kKinds[2]);
  node.meanwhile = [&](size_t) {
    if (!node.guard().acts().empty()) node.cluster.node(true);
  };
  node.run(300);
  CHECK(node.guard().acts()[0].phase == Phase::not_done);
  CHECK(node.state() == "unschedulable");
}

TEST_CASE("what was before is told with what it is", "[remedy]") {
  Act act;
  CHECK(told_before(act).empty());
  act.before = "1";
  act.action.verb = Verb::scale_up;
  CHECK(told_before(act) == "1 pod");
  act.action.verb = Verb::rollout_undo;
  CHECK(told_before(act) == "revision 1");
  act.before = "active";
  act.action.verb = Verb::unit_stop;
  CHECK(told_before(act) == "active");
}
