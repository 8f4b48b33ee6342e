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

TEST_CASE("A lesson is of the finest signature with enough to tell, else of the next coarser one") {
  Told told;
  // Two kinds of lines: a restart helps against one only; of the other hardly anything is known.
  told.tell("burn_rate api | fast | line a1", kRestart, 12, 0);
  told.tell("burn_rate api | fast | line a1", kNothing, 1, 9);
  told.tell("burn_rate api | fast | line b2", kRestart, 0, 10);
  told.tell("burn_rate api | fast | line b2", kNothing, 1, 9);
  told.tell("disk_full db | line c1", kUndo, 3, 0);
  told.tell("disk_full db | line c2", kUndo, 3, 0);
  told.tell("disk_full db", kUndo, 4, 0);
  told.tell("disk_full db | line c1", kNothing, 0, 6);
  told.tell("disk_full db | line c2", kNothing, 0, 6);
  const auto lessons = told.learner.learn();
  REQUIRE(lessons.size() == 2);
  const Lesson* const restart = told.find(lessons, "burn_rate api | fast | line a1", kRestart);
  REQUIRE(restart != nullptr);
  CHECK(restart->standing == Standing::proven);
  CHECK(restart->n == 12);
  const Lesson* const undo = told.find(lessons, "disk_full db", kUndo);
  REQUIRE(undo != nullptr);
  CHECK(undo->standing == Standing::proven);
  CHECK(undo->n == 10);
  const auto whole = told.learner.about("burn_rate api", kRestart);
  REQUIRE(whole);
  CHECK(whole->n == 22);
  CHECK(whole->good == 12);
  CHECK_FALSE(told.learner.about("burn_rate api", kUndo));
}

TEST_CASE("What is proven at a finer level is nothing else that was done at the coarser one") {
  Told told;
  told.tell("crash_loop api | line a1", kRestart, 12, 0);
  told.tell("crash_loop api", kRestart, 10, 0);
  told.tell("crash_loop api | line a1", kNothing, 0, 6);
  told.tell("crash_loop api", kNothing, 0, 6);
  const auto lessons = told.learner.learn();
  REQUIRE(lessons.size() == 2);
  for (const Lesson& one : lessons) {
    CHECK(one.standing == Standing::proven);
    CHECK(one.gain == Approx(1.0));
  }
}
