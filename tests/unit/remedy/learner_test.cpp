#include "nines/remedy/learner.hpp"

#include <catch2/catch.hpp>

using namespace nines;
using namespace nines::remedy;

namespace {

const Action kUndo{Verb::rollout_undo, {}}, kRestart{Verb::unit_restart, {}}, kNothing{};

struct Told {
  Learner learner;
  int count = 0;
  void tell(const std::string& signature, const Action& action, int good, int bad,
            int severity = 1) {
    for (int i = 0; i < good + bad; ++i) {
      Record r;
      r.id = std::to_string(count++);
      r.signature = signature;
      r.action = action;
      r.severity = severity;
      r.outcome = i < good ? Outcome::resolved : Outcome::failed;
      learner.add(r);
    }
  }
  const Lesson* find(const std::vector<Lesson>& all, const std::string& signature,
                     const Action& action) const {
    for (const Lesson& one : all) {
      if (one.signature == signature && one.action == action) return &one;
    }
    return nullptr;
  }
};

}  // namespace

TEST_CASE("What nearly always helps where other things do not is proven") {
  Told told;
  told.tell("crash_loop api", kUndo, 11, 1);
  told.tell("crash_loop api", kRestart, 2, 10);
  told.tell("disk_full db", kRestart, 10, 30);
  const auto lessons = told.learner.learn();
  REQUIRE(lessons.size() == 1);
  CHECK(lessons[0].action == kUndo);
  CHECK(lessons[0].standing == Standing::proven);
  CHECK(lessons[0].against.empty());
  CHECK(lessons[0].good == 11);
  CHECK(lessons[0].gain == Approx(11.0 / 12 - 2.0 / 12));
  CHECK(lessons[0].success.low == Approx(wilson(11, 12).low));
}

TEST_CASE("What goes away by itself proves nothing that was tried") {
  Told told;
  told.tell("error_storm web", kRestart, 18, 2);
  told.tell("error_storm web", kNothing, 9, 1);
  told.tell("disk_full db", kUndo, 10, 60);
  const auto lessons = told.learner.learn();
  REQUIRE(lessons.size() == 1);
  CHECK(lessons[0].standing == Standing::suggested);
  CHECK(lessons[0].adjusted < 0.05);
  CHECK(lessons[0].against.find("about as well") != std::string::npos);
}

TEST_CASE("What was the only thing ever tried somewhere stays a suggestion") {
  Told told;
  told.tell("error_storm web", kRestart, 20, 0);
  told.tell("disk_full db", kUndo, 10, 60);
  const auto lessons = told.learner.learn();
  REQUIRE(lessons.size() == 1);
  CHECK(lessons[0].standing == Standing::suggested);
  CHECK(lessons[0].against.find("by itself") != std::string::npos);
}

TEST_CASE("An action that is only taken in mild incidents earns nothing by that") {
  Told told;
  told.tell("burn_rate api", kRestart, 18, 2, 3);
  told.tell("burn_rate api", kUndo, 9, 1, 3);
  told.tell("burn_rate api", kUndo, 3, 27, 0);
  for (const Lesson& one : told.learner.learn()) CHECK(one.standing == Standing::suggested);
}

TEST_CASE("Five that went well mostly are a suggestion, four are nothing") {
  Told told;
  told.tell("a", kUndo, 4, 0);
  told.tell("b", kUndo, 4, 1);
  told.tell("c", kUndo, 3, 3);
  const auto lessons = told.learner.learn();
  REQUIRE(lessons.size() == 1);
  CHECK(lessons[0].signature == "b");
  CHECK(lessons[0].against.find("7 are needed") != std::string::npos);
}

TEST_CASE("What is not judged is not learned from, and pairs are bounded") {
  Learner learner;
  Record r;
  r.action = kUndo;
  for (size_t i = 0; i < Learner::kMaxPairs + 10; ++i) {
    r.signature = "s" + std::to_string(i);
    r.outcome = Outcome::unknown;
    learner.add(r);
    r.outcome = Outcome::resolved;
    learner.add(r);
  }
  CHECK(learner.refused() == 10);
  learner.remove(r);  // was refused
  CHECK(learner.learn().empty());
}
