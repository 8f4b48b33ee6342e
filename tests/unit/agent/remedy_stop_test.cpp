// The kill switch thrown at every step of what a rule does, of what takes that back, and of what a
// person runs: nothing is sent any more, what was sent is heard out, and the audit log says it.
#include <algorithm>

#include "remedy_world.hpp"

using namespace nines::test;  // NOLINT(google-build-using-namespace)

namespace {

bool in_audit(RemedyWorld& world, const std::string& what, const std::string& text = {}) {
  const auto& records = world.audit().records();
  return std::any_of(records.begin(), records.end(), [&](const auto& record) {
    return record.body.find("\"what\":\"" + what + '"') != std::string::npos &&
           record.body.find(text) != std::string::npos;
  });
}

// Stopped, what was begun has an end, and the log says all of it.
void is_at_rest(RemedyWorld& world) {
  CHECK(world.sent == world.sent_by_stop);
  CHECK(in_audit(world, "stop", "enough"));
  CHECK_FALSE(world.audit().fault());
  for (const Act& act : world.guard().acts()) {
    CHECK(act.over());
    CHECK(in_audit(world, "intent", act.id));
    CHECK((in_audit(world, "result", act.id) || in_audit(world, "verified", act.id)));
    if (act.phase == Phase::not_done) CHECK(in_audit(world, "result", "stopped"));
  }
}

}  // namespace

TEST_CASE("stopped at any step, an act and what takes it back send nothing any more", "[remedy]") {
  for (const RemedyKind& kind : kKinds) {
    std::map<std::string, int> stopped_in;
    for (size_t at = 0; at < 50; ++at) {
      RemedyWorld world(kind);
      world.stop_at = at;
      world.run(400);
      INFO(verb_name(kind.verb) << ", stopped at step " << at);
      if (world.stop_at) break;  // all was over before
      is_at_rest(world);
      ++stopped_in[world.state()];
      // Bad, and left as it is: a person is called.
      if (world.state() == kind.after) CHECK_FALSE(world.pages.empty());
    }
    INFO(verb_name(kind.verb));
    CHECK(stopped_in[kind.before] > 3);  // before it was done, or when it was taken back already
    CHECK(stopped_in[kind.after] > 3);   // in between
  }
}

TEST_CASE("the stop file holds as the switch does, at any step, and when it is gone it goes on",
          "[remedy]") {
  for (size_t at = 0; at < 30; ++at) {
    RemedyWorld world(kKinds[0]);
    size_t sent = 0;
    world.meanwhile = [&](size_t step) {
      if (step != at) return;
      world.stop_file = true;
      sent = world.sent;
    };
    world.run(40);
    INFO("at step " << at);
    if (world.stop_file) CHECK(world.sent == sent);
    world.stop_file = false;
    world.run(3600);
    CHECK(world.sent > 0);
    world.broken = false;
    world.run(600);
    for (const Act& act : world.guard().acts()) CHECK(act.over());
  }
}

TEST_CASE("what was not taken back for the switch is left to the person who was called",
          "[remedy]") {
  RemedyWorld world(kKinds[0]);
  world.run(30);
  REQUIRE(world.state() == "4");
  world.stop();
  world.run(120);
  CHECK(world.state() == "4");
  REQUIRE(world.pages.size() == 1);
  CHECK(world.pages[0].find("is not rolled back: the kill switch is on") != std::string::npos);
  world.steward().did(world.guard().resume("ada", "looked", world.now()), [](const auto&) {});
  world.broken = false;
  world.run(3600);
  CHECK(world.state() == "4");
  CHECK(world.pages.size() == 1);
}

TEST_CASE("stopped at any step of a person's run, he is answered, and nothing is sent any more",
          "[remedy]") {
  for (const RemedyKind& kind : kKinds) {
    int begun = 0, refused = 0;
    for (size_t at = 0; at < 14; ++at) {
      RemedyWorld world(kind);
      REQUIRE(world.steward().guard().rule(kRule));
      world.steward().did(world.guard().demote(kRule, "ada", "", world.now()), [](const auto&) {});
      world.run(10);
      world.steps = 0;
      world.stop_at = at;
      std::vector<nines::Result<Steward::Ran>> answers;
      world.steward().run({kRule, "INC-2", "kim", false}, world.now(),
                          [&](auto ran) { answers.push_back(std::move(ran)); });
      world.run(400);
      INFO(verb_name(kind.verb) << ", stopped at step " << at);
      REQUIRE(answers.size() == 1);
      REQUIRE(answers[0].ok());
      if (world.stop_at) break;
      is_at_rest(world);
      if (answers[0]->act.empty()) {
        ++refused;
        CHECK(world.guard().acts().empty());
        CHECK(in_audit(world, "run_refused", "kim"));
        CHECK(answers[0]->why.find("kill switch") != std::string::npos);
      } else {
        ++begun;
        CHECK(in_audit(world, "intent", "kim"));
      }
    }
    INFO(verb_name(kind.verb));
    CHECK(refused > 1);
    CHECK(begun > 3);
  }
}
