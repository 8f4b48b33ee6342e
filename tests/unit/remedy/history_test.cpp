#include "nines/remedy/history.hpp"

#include <algorithm>
#include <catch2/catch.hpp>

#include "nines/remedy/procedure.hpp"

using namespace nines;
using namespace nines::remedy;

namespace {

WallTime at_s(int64_t s) { return WallTime::from_s(1'700'000'000 + s); }

Record record(const std::string& id, int64_t s, Outcome outcome = Outcome::resolved) {
  Record r;
  r.id = id;
  r.incident = "INC-" + id;
  r.signature = "crash_loop api";
  r.action = {Verb::rollout_undo, {}};
  r.at = at_s(s);
  r.judged = at_s(s + 1800);
  r.outcome = outcome;
  r.recover_s = 300;
  r.censored = false;
  return r;
}

incident::Incident crash(int64_t recovered) {
  incident::Incident i;
  i.id = "INC-2026-0301-042";
  incident::IncidentCondition c;
  c.condition.kind = incident::ConditionKind::crash_loop;
  c.condition.service = "api";
  i.conditions.push_back(c);
  i.severity = 1;
  i.began = at_s(0);
  i.opened = at_s(60);
  if (recovered > 0) i.recovered = at_s(recovered);
  return i;
}

incident::Entry did(int64_t s, const std::string& text) {
  return {at_s(s), "pi-1", "ada", text, {}};
}

}  // namespace

TEST_CASE("What a note says is understood as a verb, whatever its object") {
  CHECK(action_of_text("kubectl rollout undo deployment/api").verb == Verb::rollout_undo);
  CHECK(action_of_text("Rolled back to v1.2.3").verb == Verb::rollout_undo);
  CHECK(action_of_text("rollback to v1.2.3").verb == Verb::rollout_undo);
  CHECK(action_of_text("Restarted the worker").verb == Verb::unit_restart);
  CHECK(action_of_text("deleted pod api-7f9c4-xk2").verb == Verb::delete_pod);
  CHECK(action_of_text("uncordoned pi-3").verb == Verb::uncordon);
  CHECK(action_of_text("scaled the queue down to 2").verb == Verb::scale_down);
  CHECK(action_of_text("scaled up to 5").verb == Verb::scale_up);
  CHECK(action_of_text("freed 12 GB on /var").key() == "other freed gb on var");
  CHECK(action_of_text("freed 3 GB on /var") == action_of_text("freed 12 GB on /var"));
}

TEST_CASE("Names of verbs and keys of actions read back") {
  for (size_t i = 0; i < kVerbs; ++i) {
    const Action action{static_cast<Verb>(i), i == 13 ? "flush-dns" : ""};
    CHECK(Action::of_key(action.key()) == action);
    if (const auto inverse = inverse_of(action.verb)) {
      CHECK(inverse_of(*inverse) == action.verb);
      CHECK(opposes(*inverse, action.verb));
      CHECK(reach_of(action.verb) == Reach::reversible);
    }
  }
  CHECK_FALSE(Action::of_key("rm -rf"));
  CHECK(opposes(Verb::unit_restart, Verb::rollout_undo));
  CHECK_FALSE(opposes(Verb::unit_restart, Verb::unit_restart));
  CHECK(reach_of(Verb::program) == Reach::irreversible);
}

TEST_CASE("The last action before the recovery has the merit, those before it failed") {
  incident::Incident i = crash(900);
  i.actions = {did(200, "restarted api"), did(700, "rollout undo"), did(1000, "scaled up")};
  const auto records = records_of(i, at_s(10'000));
  REQUIRE(records.size() == 2);
  CHECK(records[0].action.verb == Verb::unit_restart);
  CHECK(records[0].outcome == Outcome::failed);
  CHECK(records[1].id == "INC-2026-0301-042/2");
  CHECK(records[1].signature == "crash_loop api");
  CHECK(records[1].outcome == Outcome::resolved);
  CHECK(records[1].recover_s == 900);
  CHECK_FALSE(records[1].censored);
  CHECK(records[1].severity == 1);
  // Not before it has stayed over.
  CHECK(records_of(i, at_s(901))[1].outcome == Outcome::unknown);
}

TEST_CASE("What recovered too late, not at all, or came back was no success") {
  incident::Incident late = crash(5000);
  late.actions = {did(100, "rollout undo")};
  CHECK(records_of(late, at_s(10'000))[0].outcome == Outcome::failed);
  incident::Incident never = crash(0);
  never.actions = late.actions;
  CHECK(records_of(never, at_s(1000))[0].outcome == Outcome::unknown);
  const Record failed = records_of(never, at_s(3000))[0];
  CHECK(failed.outcome == Outcome::failed);
  CHECK(failed.censored);
  incident::Incident back = crash(900);
  back.actions = {did(100, "rollout undo")};
  back.reopens = 1;
  back.reopened = at_s(2000);
  CHECK(records_of(back, at_s(10'000))[0].outcome == Outcome::failed);
}

TEST_CASE("An incident that nobody touched is a record of nothing done") {
  const auto records = records_of(crash(900), at_s(10'000));
  REQUIRE(records.size() == 1);
  CHECK(records[0].action.verb == Verb::nothing);
  CHECK(records[0].outcome == Outcome::resolved);
  CHECK(records_of(crash(0), at_s(10'000)).empty());
}

TEST_CASE("A record reads back, and nothing that is cut or out of range does") {
  Record r = record("a", 10);
  r.actor = Actor::rule;
  r.rule = "undo-api";
  r.hands_on_s = 540;
  const std::string bytes = encode_record(r);
  CHECK(decode_record(bytes) == r);
  for (size_t n = 0; n < bytes.size(); ++n) CHECK_FALSE(decode_record(bytes.substr(0, n)));
  CHECK_FALSE(decode_record(bytes + "x"));
  r.severity = 4;
  CHECK_FALSE(decode_record(encode_record(r)));
}

TEST_CASE("A history keeps what was judged later, and drops the oldest when full") {
  History history(2);
  CHECK(history.merge(record("a", 10, Outcome::failed)) == History::Merge::news);
  Record better = record("a", 10);
  better.judged = at_s(9000);
  CHECK(history.merge(better) == History::Merge::better);
  CHECK(history.merge(record("a", 10, Outcome::failed)) == History::Merge::known);
  CHECK(history.find("a")->outcome == Outcome::resolved);
  CHECK(history.merge(record("b", 20)) == History::Merge::news);
  std::vector<Record> gone;
  CHECK(history.merge(record("c", 30), &gone) == History::Merge::news);
  REQUIRE(gone.size() == 1);
  CHECK(gone[0].id == "a");
  CHECK(history.dropped() == 1);
  CHECK(history.would(record("z", 1)) == History::Merge::refused);
  CHECK(history.would(record("d", 40)) == History::Merge::news);
  CHECK(history.would(record("c", 30)) == History::Merge::known);
  better = record("c", 30);
  better.judged = at_s(9000);
  CHECK(history.would(better) == History::Merge::better);
  CHECK(history.merge(record("z", 1)) == History::Merge::refused);
  CHECK(history.size() == 2);
  CHECK(history.refused() == 1);
}

TEST_CASE(
    "A procedure holds what most resolutions did, in their order, with checks and a way back") {
  History history;
  for (int i = 0; i < 10; ++i) {
    const std::string id = std::to_string(i);
    Record cordon = record(id + "/1", i * 1000, Outcome::failed);
    cordon.action = {Verb::cordon, {}};
    Record undo = record(id + "/2", i * 1000 + 100);
    cordon.incident = undo.incident = "INC-" + id;
    if (i < 8) CHECK(history.merge(cordon) == History::Merge::news);
    CHECK(history.merge(undo) == History::Merge::news);
    if (i == 0) {
      Record odd = record("0/0", 5, Outcome::failed);
      odd.incident = "INC-0";
      odd.action = {Verb::other, "prayed"};
      CHECK(history.merge(odd) == History::Merge::news);
    }
  }
  Lesson lesson;
  lesson.signature = "crash_loop api";
  lesson.action = {Verb::rollout_undo, {}};
  const auto all = procedures_of(history, {lesson});
  REQUIRE(all.size() == 1);
  const Procedure& p = all[0];
  REQUIRE(p.steps.size() == 2);
  CHECK(p.steps[0].action.verb == Verb::cordon);
  CHECK(p.steps[0].taken == 8);
  REQUIRE(p.steps[0].rollback);
  CHECK(p.steps[0].rollback->verb == Verb::uncordon);
  CHECK(p.steps[1].action.verb == Verb::rollout_undo);
  CHECK_FALSE(p.steps[1].rollback);
  CHECK(p.steps[1].wait_s == 600);
  CHECK(std::count(p.steps[1].before.begin(), p.steps[1].before.end(), Check::not_paused) == 1);
  CHECK(std::count(p.steps[1].after.begin(), p.steps[1].after.end(), Check::stays_over) == 1);
  CHECK(p.incidents == std::vector<std::string>{"INC-9", "INC-8", "INC-7", "INC-6", "INC-5"});
  CHECK(to_markdown(p).find("1. **cordon** (in 8 of 10)") != std::string::npos);
  std::string json;
  JsonWriter writer(json);
  write_json(writer, p);
  CHECK(json.find(R"("rollback":"uncordon")") != std::string::npos);
}

TEST_CASE("A record of an earlier version reads back, without what it did not know") {
  Record r = record("a", 10);
  std::string bytes = encode_record(r);
  CHECK(bytes.front() == 1);
  CHECK(decode_record(bytes) == r);
  bytes.front() = 2;
  CHECK_FALSE(decode_record(bytes));
  r.hands_on_s = 0;
  CHECK(encode_record(r).size() == bytes.size() + 1);
  CHECK(encode_record(r).front() == 2);
}

TEST_CASE("A person has his hands on an incident from his acknowledgement to its recovery") {
  incident::Incident i = crash(900);
  i.actions = {did(400, "rollout undo")};
  CHECK(records_of(i, at_s(10'000))[0].hands_on_s == -1);
  i.first_acknowledged = at_s(300);
  CHECK(records_of(i, at_s(10'000))[0].hands_on_s == 600);
  i.actions[0].details = {{"rule", "undo-api"}};
  CHECK(records_of(i, at_s(10'000))[0].hands_on_s == -1);
}

TEST_CASE("A procedure of a coarse lesson is made of resolutions of finer signatures") {
  History history;
  for (const char* line : {"a1", "b2"}) {
    Record r = record(line, 10);
    r.signature += std::string(" | line ") + line;
    REQUIRE(history.merge(r) == History::Merge::news);
  }
  Lesson lesson;
  lesson.signature = "crash_loop api";
  lesson.action = {Verb::rollout_undo, {}};
  const auto procedures = procedures_of(history, {lesson});
  REQUIRE(procedures.size() == 1);
  CHECK(procedures[0].resolutions == 2);
}
