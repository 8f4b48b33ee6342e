#include <catch2/catch.hpp>

#include "notify/chain.hpp"
#include "notify_support.hpp"

using namespace nines;
using namespace nines::agent::notify;
using namespace nines::agent::test;

namespace {

Chain single(uint64_t cursor, uint64_t seed = 1, RetryPolicy policy = {}) {
  return Chain({{"a", 0, 0, {}}}, policy, cursor, seed);
}
// a within 2 min, b within 5 min, c.
Chain three(uint64_t cursor = 0) {
  return Chain({{"a", 120'000, 0, {}}, {"b", 300'000, 0, {}}, {"c", 0, 0, {}}}, {}, cursor, 1);
}

int64_t wait_ms(const Chain& chain, Instant now) { return (chain.due(0)->ns - now.ns) / kNsPerMs; }
std::string begun(Chain& chain, size_t step, Instant now) {
  const Message* m = chain.begin(step, now);
  return m == nullptr ? "-" : std::to_string(m->sequence());
}
void answer(Chain& chain, size_t step, Outcome outcome, Instant now) {
  chain.answered(step, verdict(outcome), now);
}
// Tries until the step waits for something else than its back-off.
void fail(Chain& chain, size_t step, Instant now) {
  if (chain.begin(step, now) != nullptr) answer(chain, step, Outcome::retry, now);
}

}  // namespace

TEST_CASE("A step has one event in flight and the cursor moves only when it is told", "[notify]") {
  Chain c = single(10);
  CHECK(c.begin(0, ms(0)) == nullptr);
  CHECK_FALSE(c.due(0).has_value());
  c.add(messages(11, 12), ms(0));
  REQUIRE(c.begin(0, ms(0)) != nullptr);
  CHECK(c.begin(0, ms(0)) == nullptr);
  CHECK(c.cursor() == 10);
  answer(c, 0, Outcome::delivered, ms(1));
  CHECK(c.cursor() == 11);
  CHECK(begun(c, 0, ms(1)) == "12");
}

TEST_CASE("A chain ignores what it knows already and never holds more than its bound", "[notify]") {
  Chain c = single(5);
  c.add(messages(1, 7), ms(0));
  c.add(messages(6, 8), ms(0));
  CHECK(c.stats(0).pending == 3);
  CHECK(c.last_known() == 8);
  c.add(messages(9, 500), ms(0));
  CHECK(c.room() == 0);
  CHECK(c.stats(0).pending == Chain::kMaxQueue);
}

TEST_CASE("A step backs off with full jitter up to its ceiling, for as long as it takes",
          "[notify]") {
  Chain c = single(0, 7, {1000, 60'000, 100, 3600'000});
  c.add(messages(1, 1), ms(0));
  Instant now = ms(0);
  int64_t longest = 0;
  for (int i = 0; i < 1000; ++i) {
    REQUIRE(c.begin(0, now) != nullptr);
    answer(c, 0, Outcome::retry, now);
    const int64_t wait = wait_ms(c, now);
    CHECK(wait >= 100);
    CHECK(wait <= (i < 6 ? int64_t{1000} << i : 60'000));
    longest = std::max(longest, wait);
    CHECK(c.begin(0, {c.due(0)->ns - 1}) == nullptr);
    now = *c.due(0);
  }
  CHECK(longest > 50'000);
  CHECK(c.cursor() == 0);
  CHECK(c.stats(0).failures == 1000);
}

TEST_CASE("Retry-After is the least wait, within reason", "[notify]") {
  Chain c = single(0);
  c.add(messages(1, 1), ms(0));
  Verdict v = verdict(Outcome::retry);
  c.begin(0, ms(0));
  v.retry_after_ms = 30'000;
  c.answered(0, v, ms(0));
  CHECK(wait_ms(c, ms(0)) >= 30'000);
  CHECK(wait_ms(c, ms(0)) <= 31'000);
  c.begin(0, ms(40'000));
  v.retry_after_ms = int64_t{1} << 60;
  c.answered(0, v, ms(40'000));
  CHECK(wait_ms(c, ms(40'000)) <= 3600'000 + 2'000);
}

TEST_CASE("Short waits begin anew after a success, and are the same from the same seed",
          "[notify]") {
  Chain c = single(0, 3);
  c.add(messages(1, 2), ms(0));
  Instant now = ms(0);
  for (int i = 0; i < 10; ++i) {
    c.begin(0, now);
    answer(c, 0, Outcome::retry, now);
    now = *c.due(0);
  }
  c.begin(0, now);
  answer(c, 0, Outcome::delivered, now);
  c.begin(0, now);
  answer(c, 0, Outcome::retry, now);
  CHECK(wait_ms(c, now) <= 1000);
  const auto first_wait = [](uint64_t seed) {
    Chain d = single(0, seed);
    d.add(messages(1, 1), ms(0));
    fail(d, 0, ms(0));
    return d.due(0)->ns;
  };
  CHECK(first_wait(1) == first_wait(1));
  CHECK(first_wait(1) != first_wait(2));
}

TEST_CASE("What is refused for good is given back as a dead letter and the next follows",
          "[notify]") {
  Chain c = single(0);
  c.add(messages(1, 2), ms(0));
  c.begin(0, ms(0));
  const auto dead = c.answered(0, verdict(Outcome::dead), ms(0));
  REQUIRE(dead);
  CHECK(dead->key == "node-1/3/alert/1");
  CHECK(c.cursor() == 1);
  CHECK(c.stats(0).dead == 1);
  CHECK(begun(c, 0, ms(0)) == "2");
}

TEST_CASE("A refused login is tried again slowly", "[notify]") {
  Chain c = single(0);
  c.add(messages(1, 1), ms(0));
  c.begin(0, ms(0));
  answer(c, 0, Outcome::refused, ms(0));
  CHECK(wait_ms(c, ms(0)) >= 150'000);
  CHECK(wait_ms(c, ms(0)) <= 300'000);
  CHECK(c.stats(0).refused);
  CHECK(c.cursor() == 0);
}

TEST_CASE("Messages keep the least time between them that a receiver asks for", "[notify]") {
  Chain c({{"slack", 0, 1000, {}}}, {}, 0, 1);
  c.add(messages(1, 2), ms(0));
  c.begin(0, ms(0));
  answer(c, 0, Outcome::delivered, ms(5));
  CHECK(c.begin(0, ms(1004)) == nullptr);
  CHECK(begun(c, 0, ms(1005)) == "2");
}

TEST_CASE("What is accepted but not done is asked for, and sent again when nobody knows of it",
          "[notify]") {
  Chain c = single(0);
  c.add(messages(1, 1), ms(0));
  Verdict pending = verdict(Outcome::pending);
  pending.receipt = "r-1";
  Instant now = ms(0);
  REQUIRE(c.begin(0, now) != nullptr);
  CHECK(c.receipt(0).empty());
  c.answered(0, pending, now);
  int asked = 0;
  while (asked < 100) {
    now = *c.due(0);
    REQUIRE(c.begin(0, now) != nullptr);
    if (c.receipt(0).empty()) break;
    ++asked;
    c.answered(0, pending, now);
  }
  CHECK(asked == 30);
  answer(c, 0, Outcome::delivered, now);
  CHECK(c.cursor() == 1);
}

TEST_CASE("A notifier is told its severities only", "[notify]") {
  Chain c({{"a", 0, 0, {"page"}}}, {}, 0, 1);
  c.add({told(1, true, "x", "ticket"), told(2, true, "y", "page"), told(3, false, "x", "ticket")},
        ms(0));
  CHECK(begun(c, 0, ms(0)) == "2");
  CHECK(c.cursor() == 1);
  answer(c, 0, Outcome::delivered, ms(0));
  CHECK(c.cursor() == 3);
  CHECK(c.stats(0).filtered == 2);
}

TEST_CASE("Rows of a query go to whom it names, by the name of a chain or of a step", "[notify]") {
  const auto rows = [](uint64_t sequence, const std::string& to) {
    slo::AlertEvent e = alert_event(sequence, true);
    e.kind = slo::AlertEvent::Kind::rows;
    e.notify = {to};
    e.rows = "[]";
    return event_message(identity(), e);
  };
  Chain c({{"a", 60'000, 0, {}, "c"}, {"b", 0, 0, {}, "c"}}, {}, 0, 1);
  c.add({rows(1, "other"), rows(2, "b"), rows(3, "c"), rows(4, "other")}, ms(0));
  CHECK(begun(c, 0, ms(0)) == "3");
  CHECK(begun(c, 1, ms(0)) == "2");
  answer(c, 0, Outcome::delivered, ms(0));
  answer(c, 1, Outcome::delivered, ms(0));
  CHECK(begun(c, 1, ms(100'000)) == "-");
  CHECK(c.cursor() == 4);
}

TEST_CASE("Documents are told in between, behind alerts, and bounded", "[notify]") {
  Chain c = single(0);
  std::vector<bool> done;
  Message document = document_message("q/1", "rows", "[1]");
  document.done = [&](bool delivered) { done.push_back(delivered); };
  REQUIRE(c.post(0, document));
  c.add(messages(1, 1), ms(0));
  CHECK(begun(c, 0, ms(0)) == "1");
  answer(c, 0, Outcome::delivered, ms(0));
  const Message* next = c.begin(0, ms(0));
  REQUIRE(next != nullptr);
  CHECK(next->key == "q/1");
  answer(c, 0, Outcome::delivered, ms(0));
  CHECK(done == std::vector<bool>{true});
  for (size_t i = 0; i < Chain::kMaxDocuments; ++i) CHECK(c.post(0, document));
  CHECK_FALSE(c.post(0, document));
  CHECK(c.stats(0).dropped == 1);
  CHECK(c.cursor() == 1);
}

TEST_CASE("The next step is used when the one before has not delivered in time", "[notify]") {
  Chain c = three();
  c.add({told(1)}, ms(0));
  fail(c, 0, ms(0));
  CHECK(begun(c, 1, ms(0)) == "-");
  CHECK(c.due(1) == ms(120'000));
  CHECK(begun(c, 1, ms(119'999)) == "-");
  CHECK(begun(c, 1, ms(120'000)) == "1");
  answer(c, 1, Outcome::delivered, ms(120'100));
  CHECK(c.cursor() == 1);
  CHECK(begun(c, 0, ms(200'000)) == "-");  // told: the first does not tell it too
  CHECK(begun(c, 2, ms(900'000)) == "-");
  CHECK(c.stats(0).passed_over == 1);
}

TEST_CASE("A step that refuses for good gives its turn away at once", "[notify]") {
  Chain c = three();
  c.add({told(1)}, ms(0));
  c.begin(0, ms(0));
  CHECK(c.answered(0, verdict(Outcome::dead), ms(0)).has_value());
  CHECK(begun(c, 1, ms(0)) == "1");
}

TEST_CASE("All steps down: whoever comes back first tells it, once", "[notify]") {
  Chain c = three();
  c.add({told(1)}, ms(0));
  Instant now = ms(0);
  for (int i = 0; i < 500; ++i, now.ns += 10 * kNsPerSecond) {
    for (size_t s = 0; s < 3; ++s) fail(c, s, now);
  }
  CHECK(c.cursor() == 0);
  now.ns += 100 * kNsPerSecond;
  REQUIRE(begun(c, 0, now) == "1");
  answer(c, 0, Outcome::delivered, now);
  now.ns += 100 * kNsPerSecond;
  CHECK(begun(c, 1, now) == "-");
  CHECK(begun(c, 2, now) == "-");
  CHECK(c.cursor() == 1);
}

TEST_CASE("A late delivery of a step that was passed over is counted, not repeated", "[notify]") {
  Chain c = three();
  c.add({told(1)}, ms(0));
  REQUIRE(begun(c, 0, ms(0)) == "1");  // hangs
  REQUIRE(begun(c, 1, ms(120'000)) == "1");
  answer(c, 1, Outcome::delivered, ms(120'000));
  CHECK(c.cursor() == 0);  // one is still under way
  answer(c, 0, Outcome::delivered, ms(130'000));
  CHECK(c.stats(0).late == 1);
  CHECK(c.cursor() == 1);
  // Both have an incident open now: both are told its end.
  c.add({told(2, false)}, ms(200'000));
  CHECK(begun(c, 0, ms(200'000)) == "2");
  CHECK(begun(c, 1, ms(200'000)) == "2");
  CHECK(begun(c, 2, ms(200'000)) == "-");
}

TEST_CASE("A resolution goes to the step that told the fire", "[notify]") {
  Chain c = three();
  c.add({told(1), told(2, false)}, ms(0));
  fail(c, 0, ms(0));
  REQUIRE(begun(c, 1, ms(120'000)) == "1");
  answer(c, 1, Outcome::delivered, ms(120'000));
  CHECK(begun(c, 0, ms(500'000)) == "-");
  CHECK(begun(c, 1, ms(130'000)) == "2");
  answer(c, 1, Outcome::delivered, ms(130'000));
  CHECK(c.cursor() == 2);
}

TEST_CASE("A resolution that another step told is owed to the one that told the fire", "[notify]") {
  Chain c = three();
  c.add({told(1)}, ms(0));
  REQUIRE(begun(c, 0, ms(0)) == "1");
  answer(c, 0, Outcome::delivered, ms(0));
  c.add({told(2, false)}, ms(1000));
  fail(c, 0, ms(1000));
  REQUIRE(begun(c, 1, ms(121'000)) == "2");
  answer(c, 1, Outcome::delivered, ms(121'000));
  CHECK(c.cursor() == 2);
  CHECK(begun(c, 0, ms(400'000)) == "2");  // its incident must not stay open
  answer(c, 0, Outcome::delivered, ms(400'000));
  CHECK(begun(c, 0, ms(900'000)) == "-");
}

TEST_CASE("Nothing is owed when the alert fires again meanwhile", "[notify]") {
  Chain c = three();
  c.add({told(1)}, ms(0));
  REQUIRE(begun(c, 0, ms(0)) == "1");
  answer(c, 0, Outcome::delivered, ms(0));
  c.add({told(2, false)}, ms(1000));
  fail(c, 0, ms(1000));
  REQUIRE(begun(c, 1, ms(121'000)) == "2");
  answer(c, 1, Outcome::delivered, ms(121'000));
  fail(c, 0, ms(122'000));
  c.add({told(3)}, ms(130'000));
  REQUIRE(begun(c, 1, ms(260'000)) == "3");
  answer(c, 1, Outcome::delivered, ms(260'000));
  CHECK(begun(c, 0, ms(900'000)) == "-");
}

TEST_CASE("A chain goes on after a restart where it was", "[notify]") {
  Chain c = three();
  c.add({told(1), told(2, true, "db")}, ms(0));
  REQUIRE(begun(c, 0, ms(0)) == "1");
  answer(c, 0, Outcome::delivered, ms(0));
  c.add({told(3, false)}, ms(1000));
  fail(c, 0, ms(1000));  // of event 2
  CHECK(c.take_changed());
  CHECK_FALSE(c.take_changed());
  const std::string memory = c.memory(ms(60'000), WallTime::from_s(1000));
  Chain d = three(c.cursor());
  REQUIRE(d.restore(memory, identity(), ms(5), WallTime::from_s(1030)).ok());
  d.add({told(2, true, "db"), told(3, false)}, ms(5));
  // 60 s before the restart and 30 s between: 30 s are left.
  CHECK(begun(d, 1, ms(29'000)) == "-");
  REQUIRE(begun(d, 1, ms(31'100)) == "2");
  answer(d, 1, Outcome::delivered, ms(31'100));
  CHECK(begun(d, 0, ms(31'100)) == "3");  // told the fire
  answer(d, 0, Outcome::delivered, ms(31'100));
  CHECK(d.cursor() == 3);
}

TEST_CASE("What is owed survives a restart", "[notify]") {
  Chain c = three();
  c.add({told(1)}, ms(0));
  REQUIRE(begun(c, 0, ms(0)) == "1");
  answer(c, 0, Outcome::delivered, ms(0));
  c.add({told(2, false)}, ms(1000));
  fail(c, 0, ms(1000));
  REQUIRE(begun(c, 1, ms(121'000)) == "2");
  answer(c, 1, Outcome::delivered, ms(121'000));
  Chain d = three(c.cursor());
  REQUIRE(d.restore(c.memory(ms(0), {}), identity(), ms(0), {}).ok());
  const Message* owed = d.begin(0, ms(0));
  REQUIRE(owed != nullptr);
  CHECK(owed->key == "node-1/3/alert/2");
  CHECK(owed->resolved());
  CHECK(owed->json == told(2, false).json);
}

TEST_CASE("A memory that is not understood is refused, and a foreign step in it ignored",
          "[notify]") {
  Chain c = three();
  for (const char* bad :
       {"{", "[1]", R"({"cursor":"x"})", R"({"steps":[{"open":[1],"name":"a"}]})"}) {
    CAPTURE(bad);
    CHECK_FALSE(c.restore(bad, identity(), ms(0), {}).ok());
  }
  CHECK(c.restore(R"({"cursor":4,"steps":[{"name":"gone","position":9}]})", identity(), ms(0), {})
            .ok());
  CHECK(c.cursor() == 4);
  CHECK(single(3).memory(ms(0), {}).empty());
}

TEST_CASE(
    "One level up is told by the step that is named, whatever its severities, and it learns "
    "the end",
    "[notify]") {
  Chain c({{"pager", 120'000, 0, {"page"}}, {"lead", 0, 0, {"critical"}}}, {}, 0, 1);
  const auto event = [](uint64_t sequence, bool fired, const char* transition) {
    slo::AlertEvent e = alert_event(sequence, fired, "INC-2026-0301-042");
    e.rule = "incident";
    e.details = {{"incident", e.slo}, {"transition", transition}};
    return e;
  };
  slo::AlertEvent up = event(2, true, "escalated");
  up.notify = {"lead"};
  c.add({event_message(identity(), event(1, true, "opened")), event_message(identity(), up)},
        ms(0));
  CHECK(begun(c, 0, ms(0)) == "1");
  answer(c, 0, Outcome::delivered, ms(1));
  CHECK(begun(c, 0, ms(1)) == "-");
  CHECK(begun(c, 1, ms(1)) == "2");
  answer(c, 1, Outcome::delivered, ms(2));
  CHECK(c.cursor() == 2);
  slo::AlertEvent end = event(4, false, "resolved");
  end.notify = {"lead"};
  c.add({event_message(identity(), event(3, false, "resolved")), event_message(identity(), end)},
        ms(3));
  CHECK(begun(c, 0, ms(3)) == "3");
  answer(c, 0, Outcome::delivered, ms(4));
  CHECK(begun(c, 1, ms(4)) == "4");
  answer(c, 1, Outcome::delivered, ms(5));
  CHECK(c.cursor() == 4);
}

TEST_CASE("What is told of an incident says which, what became of it and where to read on",
          "[notify]") {
  slo::AlertEvent e = alert_event(7, true, "INC-2026-0301-042");
  e.rule = "incident";
  e.summary = "mail: depth is 50, above 10";
  e.details = {{"incident", e.slo},
               {"transition", "worse"},
               {"suspect", "mail; is slow"},
               {"runbook", "https://wiki/queue_depth"}};
  const Message message = event_message(identity(), e);
  CHECK(message.title == "P1 INC-2026-0301-042 became worse (shop)");
  CHECK(message.json.find("\"incident\":{\"id\":\"INC-2026-0301-042\",\"transition\":\"worse\"") !=
        std::string::npos);
  e.kind = slo::AlertEvent::Kind::resolved;
  CHECK(event_message(identity(), e).title == "Resolved: INC-2026-0301-042");
  slo::AlertEvent alert = alert_event(8, true);
  CHECK(event_message(identity(), alert).json.find("incident") == std::string::npos);
}

TEST_CASE("A step whose credential is refused gives its turn away at once, and goes on trying",
          "[notify]") {
  Chain c = three();
  c.add({told(1)}, ms(0));
  REQUIRE(begun(c, 0, ms(0)) == "1");
  answer(c, 0, Outcome::refused, ms(1));
  CHECK(begun(c, 1, ms(1)) == "1");  // not after two minutes
  CHECK(begun(c, 2, ms(1)) == "-");
  answer(c, 1, Outcome::retry, ms(2));
  CHECK(begun(c, 0, *c.due(0)) == "1");
}

TEST_CASE("There is hope for an event until each step that it is for has failed", "[notify]") {
  using Hope = Chain::Hope;
  Chain c = three();
  c.add({told(1)}, ms(0));
  CHECK(c.hope(told(1).event) == Hope::open);
  fail(c, 0, ms(0));
  CHECK(c.hope(told(1).event) == Hope::open);  // b and c have not had their turn
  fail(c, 1, ms(120'000));
  CHECK(c.hope(told(1).event) == Hope::open);
  fail(c, 2, ms(420'000));
  CHECK(c.hope(told(1).event) == Hope::failing);
  slo::AlertEvent for_a = told(1).event;
  for_a.notify = {"a"};
  CHECK(c.hope(for_a) == Hope::failing);
  REQUIRE(c.begin(0, ms(1'000'000)) != nullptr);
  answer(c, 0, Outcome::dead, ms(1'000'000));
  CHECK(c.hope(for_a) == Hope::refused);
  CHECK(c.hope(told(1).event) == Hope::failing);
}

TEST_CASE("What somebody else has told is passed over, and the next one is told", "[notify]") {
  const bool alone = GENERATE(true, false);
  Chain c = alone ? single(0) : three();
  c.add({told(1), told(3)}, ms(0));
  fail(c, 0, ms(0));
  c.told_elsewhere(1, ms(1));
  c.told_elsewhere(2, ms(1));  // unknown
  CHECK(c.cursor() == 1);
  CHECK(c.stats(0).passed_over == 1);
  CHECK(begun(c, 0, ms(100'000)) == "3");
  c.told_elsewhere(3, ms(100'001));  // under way
  CHECK(c.cursor() == 1);
  answer(c, 0, Outcome::delivered, ms(100'002));
  CHECK(c.stats(0).late == 1);
  CHECK(c.cursor() == 3);
}
