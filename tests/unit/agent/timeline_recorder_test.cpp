// What the parts of the agent tell becomes events of the timeline: each once, with the key of what
// it belongs to.
#include <catch2/catch.hpp>

#include "timeline/recorder.hpp"

namespace nines::agent::timeline {
namespace {

using core::EventKind;
namespace book = nines::incident;

constexpr int64_t kStart = 1'790'000'000;
WallTime at(int64_t s) { return WallTime::from_s(kStart + s); }

// A life of a node's recorder.
struct Life {
  explicit Life(const std::vector<store::Document>& kept = {}, RecorderLimits given = {},
                const std::string& node = "n1", int64_t now = 0)
      : log([&] {
          EventLog restored(node);
          restored.restore(kept, at(now));
          return restored;
        }()),
        recorder(
            node, log, [this](const core::TimelineEvent& e) { published.push_back(e); }, given) {}
  std::vector<core::TimelineEvent> events() const { return log.events(); }
  core::TimelineEvent last() const {
    const auto all = log.events();
    REQUIRE_FALSE(all.empty());
    return all.back();
  }
  std::vector<core::TimelineEvent> published;
  EventLog log;
  Recorder recorder;
};

slo::AlertEvent alert(bool fired, int64_t s, int64_t since, const std::string& rule = "fast") {
  slo::AlertEvent out;
  out.kind = fired ? slo::AlertEvent::Kind::fired : slo::AlertEvent::Kind::resolved;
  out.slo = "web";
  out.service = "shop";
  out.rule = rule;
  out.severity = "page";
  out.priority = 1;
  out.at = at(s);
  out.since = at(since);
  out.summary = fired ? "burns 14 times too fast" : "is calm";
  return out;
}

book::Incident incident(const std::string& node = "n1") {
  book::Incident out;
  out.id = "INC-2026-0921-001";
  out.key = "burn/web";
  out.opened_on = node;
  out.opened = out.began = at(10);
  out.service = "shop";
  out.severity = 1;
  out.title = "web burns its budget";
  out.conditions.emplace_back();
  out.conditions.back().condition.key = "burn/web";
  return out;
}

book::IncidentEvent deed(book::EventKind kind, uint64_t sequence, const std::string& who,
                         const std::string& text, const std::string& node = "n1") {
  book::IncidentEvent out;
  out.node = node;
  out.boot = 3;
  out.sequence = sequence;
  out.at = at(40);
  out.id = "INC-2026-0921-001";
  out.kind = kind;
  out.who = who;
  out.text = text;
  return out;
}

book::Transition became(book::Transition::Kind kind, int64_t s) {
  return {kind, "INC-2026-0921-001", 1, at(s)};
}

slo::Change deploy(uint64_t id, int64_t s) {
  slo::Change out;
  out.id = id;
  out.at = at(s);
  out.kind = slo::ChangeKind::deploy;
  out.service = "shop";
  out.who = "kim";
  out.text = "v2";
  out.details = {{"version", "2.0"}, {"state", "of the art"}};
  return out;
}

incident::Newcomer newcomer(const std::string& service, bool error, uint32_t line, int64_t s) {
  return {{service, line, error, at(s)}, "connection to <*> refused"};
}

void tell_story(Life& life) {
  life.recorder.change(deploy(12, 0), at(0));
  life.recorder.alert(alert(true, 10, 10), at(10));
  life.recorder.became(became(book::Transition::Kind::opened, 10), incident(), at(10));
  life.recorder.paged(alert(true, 10, 10), "webhook", at(11));
  const auto now = incident();
  life.recorder.wrote(deed(book::EventKind::acknowledged, 2, "kim", "looking"), &now, at(40));
  life.recorder.wrote(deed(book::EventKind::action, 3, "kim", "rolled back"), &now, at(41));
  life.recorder.alert(alert(false, 100, 10), at(100));
  auto over = incident();
  over.resolved_itself = true;
  life.recorder.became(became(book::Transition::Kind::resolved, 700), over, at(700));
}

}  // namespace

TEST_CASE("A deploy, an alert, its page, ack, action and recovery are one story under one key",
          "[timeline]") {
  Life life;
  tell_story(life);
  const auto all = life.events();
  std::vector<EventKind> kinds;
  for (const auto& one : all) kinds.push_back(one.kind);
  CHECK(kinds == std::vector{EventKind::change, EventKind::alert, EventKind::state, EventKind::page,
                             EventKind::ack, EventKind::action, EventKind::resolved,
                             EventKind::recovery});
  REQUIRE(all.size() == 8);
  CHECK(all[0].text == "deploy of shop by kim: v2");
  CHECK(*field_of(all[0], "version") == "2.0");
  CHECK(all[1].text == "P1 page web: burns 14 times too fast");
  CHECK(all[4].text == "acknowledged by kim: looking");
  CHECK(all[4].incident == "INC-2026-0921-001");
  CHECK(all[4].service == "shop");
  CHECK_FALSE(all[1].key.empty());
  for (const size_t i : {2U, 3U, 4U, 5U, 6U, 7U}) CHECK(all[i].key == all[1].key);
  CHECK(life.published == all);
  for (size_t i = 1; i < all.size(); ++i) CHECK(all[i].seq > all[i - 1].seq);
}

TEST_CASE("What is told again after a restart is not told twice", "[timeline]") {
  Life life;
  tell_story(life);
  Life next(life.log.take_changes(), {}, "n1", 800);
  tell_story(next);  // alerts apart, which nobody repeats
  std::map<EventKind, int> times;
  for (const auto& one : next.events()) ++times[one.kind];
  CHECK(times[EventKind::change] == 1);
  CHECK(times[EventKind::page] == 1);
  CHECK(times[EventKind::ack] == 1);
  CHECK(times[EventKind::action] == 1);
  CHECK(times[EventKind::state] == 1);
  CHECK(times[EventKind::recovery] == 1);
  CHECK(next.recorder.stats().repeated == 6);
}

TEST_CASE("After a restart an acknowledgement still belongs to the alert of before", "[timeline]") {
  Life life;
  life.recorder.alert(alert(true, 10, 10), at(10));
  life.recorder.became(became(book::Transition::Kind::opened, 10), incident(), at(10));
  const std::string key = life.last().key;
  Life next(life.log.take_changes(), {}, "n1", 20);
  const auto now = incident();
  next.recorder.wrote(deed(book::EventKind::acknowledged, 2, "kim", ""), &now, at(40));
  CHECK(next.last().key == key);
}

TEST_CASE("A second rule of the same SLO has a key of its own; the first names the incident",
          "[timeline]") {
  Life life;
  life.recorder.alert(alert(true, 10, 10), at(10));
  const std::string first = life.last().key;
  life.recorder.alert(alert(true, 15, 15, "slow"), at(15));
  CHECK(life.last().key != first);
  life.recorder.became(became(book::Transition::Kind::opened, 16), incident(), at(16));
  CHECK(life.last().key == first);
}

TEST_CASE("Of an incident that another node opened, and of its events, this one tells nothing",
          "[timeline]") {
  Life life;
  const auto theirs = incident("n2");
  life.recorder.became(became(book::Transition::Kind::opened, 10), theirs, at(10));
  life.recorder.wrote(deed(book::EventKind::note, 2, "kim", "x", "n2"), &theirs, at(40));
  CHECK(life.events().empty());
}

TEST_CASE("An acknowledgement on another node carries the key that was heard", "[timeline]") {
  Life here, there({}, {}, "n2");
  here.recorder.alert(alert(true, 10, 10), at(10));
  here.recorder.became(became(book::Transition::Kind::opened, 10), incident(), at(10));
  for (const auto& one : here.published) CHECK(there.recorder.heard(one, at(11)));
  for (const auto& one : here.published) CHECK_FALSE(there.recorder.heard(one, at(12)));
  const auto now = incident();
  there.recorder.wrote(deed(book::EventKind::acknowledged, 1, "lee", "", "n2"), &now, at(30));
  CHECK(there.last().key == here.published.front().key);
  CHECK(there.published.size() == 1);  // what was heard is not told on
}

TEST_CASE("A deploy's own words cannot be taken for what the recorder remembers", "[timeline]") {
  Life life;
  slo::Change change = deploy(1, 0);
  change.slo = "web";
  change.details = {{"ref", "change/2"}, {"state", "VIOLATED"}, {"rule", "fast"}};
  life.recorder.change(change, at(0));
  CHECK(*field_of(life.last(), "ref") == "change/1");
  CHECK(*field_of(life.last(), "state_") == "VIOLATED");
  change.id = 2;
  life.recorder.change(change, at(1));
  CHECK(life.events().size() == 2);
}

TEST_CASE("A condition is told when it begins and when it is over, however often it is repeated",
          "[timeline]") {
  Life life;
  book::Condition oom;
  oom.key = "oom/n1";
  oom.kind = book::ConditionKind::oom_kill;
  oom.since = oom.at = at(5);
  oom.text = "the kernel killed java";
  life.recorder.condition(oom, at(6));
  life.recorder.condition(oom, at(60));
  CHECK(life.events().size() == 1);
  CHECK(life.last().kind == EventKind::kernel);
  Life next(life.log.take_changes(), {}, "n1", 70);
  next.recorder.condition(oom, at(80));
  CHECK(next.events().size() == 1);
  oom.holds = false;
  oom.at = at(700);
  next.recorder.condition(oom, at(700));
  next.recorder.condition(oom, at(710));
  REQUIRE(next.events().size() == 2);
  CHECK(next.last().kind == EventKind::resolved);
  CHECK(next.last().key == next.events().front().key);
  oom.holds = true;
  oom.since = oom.at = at(1'000);
  next.recorder.condition(oom, at(1'000));
  CHECK(next.events().size() == 3);
  Life later(next.log.take_changes(), {}, "n1", 9'000);  // nobody saw its end
  oom.since = oom.at = at(9'000);
  later.recorder.condition(oom, at(9'000));
  CHECK(later.events().size() == 4);
  CHECK(later.last().key != later.events()[2].key);
}

TEST_CASE("New templates of one service are limited, and how many more there were is told",
          "[timeline]") {
  RecorderLimits limits;
  limits.newcomers_an_hour = 3;
  Life life({}, limits);
  for (uint32_t i = 0; i < 10; ++i) {
    life.recorder.newcomer(newcomer("mail", false, i, i), at(i));
  }
  life.recorder.newcomer(newcomer("pay", true, 99, 20), at(20));
  CHECK(life.events().size() == 4);
  CHECK(life.last().text == "never logged this error before: connection to <*> refused");
  CHECK(life.recorder.stats().left_out == 7);
  life.recorder.tick(at(3'000));
  CHECK(life.events().size() == 4);
  life.recorder.tick(at(3'700));
  REQUIRE(life.events().size() == 5);
  CHECK(life.last().text == "and 7 more within an hour");
  CHECK(life.last().service == "mail");
  life.recorder.newcomer(newcomer("mail", false, 11, 3'701), at(3'701));
  CHECK(life.events().size() == 6);
}

TEST_CASE("An SLO that changes its state is told, and not again by the next life", "[timeline]") {
  slo::SloEngine engine;
  slo::SloSpec spec;
  spec.name = "web";
  spec.service = "shop";
  spec.target = {99, -2};
  REQUIRE(engine.add(spec).ok());
  const auto count = [&](int64_t s, int64_t bad) {
    slo::Batch batch;
    batch.slots.push_back({0, (kStart + s) / slo::kSlotS, 100 - bad, bad});
    batch.max_event_time = at(s);
    batch.normalize();
    engine.apply(batch);
    std::vector<slo::AlertEvent> events;
    engine.evaluate(at(s + slo::kSlotS), at(s + slo::kSlotS), events);
  };
  Life life;
  count(0, 0);
  life.recorder.states(engine, at(10));
  CHECK(life.events().empty());  // the first state is news to nobody
  count(10, 100);
  life.recorder.states(engine, at(20));
  life.recorder.states(engine, at(21));
  REQUIRE(life.events().size() == 1);
  CHECK(life.last().text == "web: HEALTHY -> VIOLATED");
  Life next(life.log.take_changes(), {}, "n1", 30);
  next.recorder.states(engine, at(30));
  CHECK(next.events().size() == 1);
}

TEST_CASE("Decisions of peers, Kubernetes and a clock that was set are told", "[timeline]") {
  Life life;
  peer::Decision silent;
  silent.kind = peer::Decision::Kind::node_silent;
  silent.node = "n3";
  silent.at = at(5);
  silent.text = "node n3 is silent";
  life.recorder.decided(silent, at(5));
  CHECK(life.last().kind == EventKind::node_silent);
  silent.kind = peer::Decision::Kind::refused;
  life.recorder.decided(silent, at(6));
  CHECK(life.events().size() == 1);
  const KubernetesEvent restart{
      "pay", "container pay was started again", at(7), "pod/1/4", {{"reason", "BackOff"}}};
  life.recorder.kubernetes(restart, at(8));
  life.recorder.kubernetes(restart, at(9));
  REQUIRE(life.events().size() == 2);
  CHECK(life.last().kind == EventKind::kubernetes);
  life.recorder.clock_set(-5'200 * kNsPerMs, at(10));
  CHECK(life.last().text == "the clock of n1 was set back by 5.2 s");
  life.recorder.alert(alert(true, 10, 10, "node-silent"), at(10));  // the decision told it
  CHECK(life.events().size() == 3);
}

TEST_CASE("A suspect is told when it is another one; pages and diagnostics are not told again",
          "[timeline]") {
  Life life;
  tell_story(life);
  const auto now = incident();
  const size_t before = life.log.stats().recorded;
  const auto suspect = [&](uint64_t sequence, const std::string& text) {
    auto event = deed(book::EventKind::suspects, sequence, "", text);
    event.details = {{"rank", "1"}};
    life.recorder.wrote(event, &now, at(50));
  };
  suspect(4, "pay");
  suspect(5, "pay");
  suspect(6, "card");
  CHECK(life.log.stats().recorded == before + 2);
  for (const auto kind :
       {book::EventKind::diagnostics, book::EventKind::impact, book::EventKind::page_sent}) {
    life.recorder.wrote(deed(kind, 7, "", "the node"), &now, at(50));
  }
  CHECK(life.log.stats().recorded == before + 2);
}

}  // namespace nines::agent::timeline
