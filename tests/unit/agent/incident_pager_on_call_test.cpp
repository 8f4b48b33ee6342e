// With an on-call document incidents go to people: one after the other while nobody answers, held
// in quiet hours, gathered in a digest, to everybody when there is nobody; once each whenever the
// node is killed.
#include <catch2/catch.hpp>

#include "config/oncall.hpp"
#include "config_support.hpp"
#include "incident/pager.hpp"

namespace nines::agent::incident {
namespace {

using Kind = slo::AlertEvent::Kind;
using Names = std::vector<std::string>;

const WallTime kStart = WallTime::from_s(1'772'452'800);  // 2026-03-02 12:00 UTC, a Monday
WallTime at(int64_t s) { return {kStart.ns + s * kNsPerSecond}; }
constexpr int64_t kHour = 3600;
const std::string kAll = OnCall::kName;

constexpr const char* kDocument = R"(
people:
  - {id: anna, name: Anna Arendt, notify: [phone-anna], skills: [db]}
  - {id: ben, notify: [phone-ben], quiet: [{from: "13:00", to: "07:00"}]}
  - {id: carla, notify: [phone-carla], away: [{from: "2026-03-02", to: "2026-03-03"}]}
  - {id: dora}
schedules:
  - name: primary
    layers: [{rotation: weekly, start: "2026-03-02 09:00", people: [anna, carla]}]
policies:
  - name: all
    levels: [{schedule: primary}, {people: [dora, ben]}, {people: [carla]}]
  - {name: nights, services: [night], levels: [{people: [ben]}]}
  - {name: nobodys, services: [lost], levels: [{people: [dora]}, {people: [carla]}]}
)";

std::shared_ptr<const OnCall> on_call_of(const std::string& document) {
  test::ConfigFolder folder;
  std::vector<Diagnostic> diagnostics;
  auto plan = config::load_oncall(folder.write("oncall.yaml", document), diagnostics);
  INFO(test::all_text(diagnostics));
  REQUIRE(plan);
  OnCall::Parts parts;
  parts.plan = std::make_shared<const oncall::Plan>(std::move(*plan));
  parts.notifiers = {{"phone-anna", "", true, false},
                     {"phone-ben", "", true, true},
                     {"phone-carla", "", true, true},
                     {"chat", "", true, true},
                     {"tracker", "", false, true}};
  return std::make_shared<const OnCall>(std::move(parts));
}

// A node with its book, its pager and what the store has.
struct Plant {
  explicit Plant(std::shared_ptr<const OnCall> by, std::string node = "n1")
      : on_call(std::move(by)), name(std::move(node)), book({"shop", name, 1}), pager(parts()) {}

  Pager::Parts parts() {
    return {{},
            [this](const core::Incident& one) { return all_mine || one.opened_on == name; },
            {},
            on_call};
  }
  core::Condition condition(const std::string& service, int priority, int64_t s,
                            core::ConditionKind kind = core::ConditionKind::error_storm) {
    core::Condition c;
    c.kind = kind;
    c.key = std::string(core::condition_kind_name(kind)) + "/" + service;
    c.priority = priority;
    c.service = service;
    c.since = c.at = at(s);
    c.text = service + " logs errors";
    return c;
  }
  void begins(const std::string& service, int priority, int64_t s,
              core::ConditionKind kind = core::ConditionKind::error_storm) {
    book.observe(condition(service, priority, s, kind), at(s));
  }
  void ends(const std::string& service, int64_t s) {
    core::Condition c = condition(service, 3, s);
    c.holds = false;
    book.observe(c, at(s));
  }
  // What a killed node decides and does not write, another decides again.
  Pager::Decided decide(int64_t s) {
    book.tick(at(s));
    return pager.look(book, at(s));
  }
  void write(const Pager::Decided& decided, int64_t s) {
    for (const auto& note : decided.notes) {
      REQUIRE(
          book.add(note.incident, core::EventKind::page_sent, {}, note.text, note.details, at(s))
              .ok());
    }
    for (const store::Document& document : decided.documents) {
      if (document.body.empty()) {
        stored.erase(document.key);
      } else {
        stored[document.key] = document;
      }
    }
    for (const auto& event : decided.events) told.push_back(event);
  }
  std::vector<slo::AlertEvent> look(int64_t s) {
    if (kills) {
      (void)decide(s);  // killed before it is written
      restart();
    }
    const Pager::Decided decided = decide(s);
    write(decided, s);
    if (kills) restart();  // and right after
    return decided.events;
  }
  std::vector<slo::AlertEvent> run(int64_t from, int64_t to) {
    std::vector<slo::AlertEvent> out;
    for (int64_t s = from; s <= to; s += 10) {
      for (auto& event : look(s)) out.push_back(std::move(event));
    }
    return out;
  }
  void restart() {
    pager = Pager(parts());
    std::vector<store::Document> documents;
    for (const auto& [key, document] : stored) documents.push_back(document);
    pager.restore(documents);
  }
  std::string id(int64_t s) { return book.list({}, at(s)).at(0).id; }

  std::shared_ptr<const OnCall> on_call;
  std::string name;
  bool all_mine = false, kills = false;
  core::IncidentBook book;
  Pager pager;
  std::map<std::string, store::Document> stored;
  std::vector<slo::AlertEvent> told;
};

std::string said(const slo::AlertEvent& event, const char* name) {
  const std::string* const found = event.detail(name);
  return found != nullptr ? *found : "";
}

// "opened to anna at 0, escalated to ben at 900"
std::string story(const std::vector<slo::AlertEvent>& events) {
  std::string out;
  for (const slo::AlertEvent& event : events) {
    const std::string person = said(event, "person");
    out += (out.empty() ? "" : ", ") + said(event, "transition") + " to " +
           (person.empty() ? "?" : person) + " at " +
           std::to_string((event.at.ns - kStart.ns) / kNsPerSecond);
  }
  return out;
}

}  // namespace

TEST_CASE("A page goes to who is on call, with the reason, and to what is nobody's",
          "[pager][oncall]") {
  Plant plant(on_call_of(kDocument));
  plant.begins("shop", 1, 0);
  const auto first = plant.look(0);
  REQUIRE(first.size() == 1);
  CHECK(first[0].notify == Names{kAll, "chat", "phone-anna"});
  CHECK(said(first[0], "person") == "anna");
  CHECK(said(first[0], "why") == "on call by primary");
  const auto incident = plant.book.list({}, at(0)).at(0);
  REQUIRE(incident.pages.size() == 1);
  CHECK(*incident.pages[0].detail("person") == "anna");
  CHECK(incident.pages[0].text == "on call by primary, is told by phone-anna");
  CHECK(plant.pager.counters().people == 1);
  CHECK(plant.pager.answers_for(incident));
  CHECK(plant.run(10, 890).empty());
}

TEST_CASE("While nobody acknowledges the next person is told, then everybody, then nobody",
          "[pager][oncall]") {
  const bool kills = GENERATE(false, true);  // at each step, before and after it is written
  Plant plant(on_call_of(kDocument));
  plant.kills = kills;
  plant.begins("shop", 1, 0);
  // dora cannot be reached, carla is away: ben is the next, and the last.
  CHECK(story(plant.run(0, 6 * kHour)) ==
        "opened to anna at 0, escalated to ben at 900, escalated to ? at 1800");
  CHECK(plant.told[1].notify == Names{"phone-ben"});
  CHECK(plant.told[1].summary == "nobody has acknowledged it for 15m: shop logs errors");
  CHECK(plant.told[2].notify == Names{kAll, "phone-anna", "phone-ben", "phone-carla", "chat"});
  CHECK(
      said(plant.told[2], "why") ==
      "everybody is told: anna was told already, ben was told already, dora has no notifier here");
  plant.ends("shop", 6 * kHour);
  const auto over = plant.run(6 * kHour, 6 * kHour + 800);
  REQUIRE(over.size() == 1);
  CHECK(over[0].kind == Kind::resolved);
  CHECK(over[0].notify == Names{kAll, "chat", "phone-anna", "phone-ben", "phone-carla"});
  CHECK(plant.stored.empty());
}

TEST_CASE("A P0 escalates after five minutes, by the times of the policy", "[pager][oncall]") {
  Plant plant(on_call_of(kDocument));
  plant.begins("shop", 0, 0);
  CHECK(story(plant.run(0, 500)) == "opened to anna at 0, escalated to ben at 300");
  // What else is said of it goes to these.
  const auto incident = plant.book.list({}, at(500)).at(0);
  CHECK(plant.pager.heard_by(incident) == Names{kAll, "chat", "phone-anna", "phone-ben"});
  CHECK(plant.pager.heard_by(core::Incident{}).empty());
}

TEST_CASE("An acknowledgement stops the chain, and the ledger knows whose it was",
          "[pager][oncall]") {
  Plant plant(on_call_of(kDocument));
  plant.begins("shop", 1, 0);
  plant.run(0, 800);
  const char* const who = GENERATE("Anna ARENDT", "anna, by link to chat", "by link to phone-anna");
  REQUIRE(plant.book.acknowledge(plant.id(800), who, "", at(800)).ok());
  CHECK(plant.run(810, 9'000).empty());
  plant.ends("shop", 9'000);
  const auto over = plant.run(9'000, 9'800);
  REQUIRE(over.size() == 1);
  CHECK(over[0].notify == Names{kAll, "chat", "phone-anna"});
  const auto pages = plant.on_call->pages(plant.book, at(9'800));
  REQUIRE(pages.size() == 1);
  CHECK(plant.on_call->plan().roster->people[pages[0].page.person].id == "anna");
  CHECK(pages[0].page.acknowledged_s - pages[0].page.at_s == 800);
  CHECK(pages[0].page.over_s - pages[0].page.at_s >= 9'000);
  CHECK(pages[0].page.resolved);
  CHECK_FALSE(pages[0].page.by_itself);
  CHECK(pages[0].page.signature == "error_storm shop");
}

TEST_CASE("What nobody answers and is over is a page that was over by itself", "[pager][oncall]") {
  Plant plant(on_call_of(kDocument));
  plant.begins("shop", 1, 0);
  plant.look(0);
  plant.ends("shop", 20);
  plant.run(20, 700);
  const auto pages = plant.on_call->pages(plant.book, at(700));
  REQUIRE(pages.size() == 1);
  CHECK(pages[0].page.by_itself);
  CHECK(pages[0].page.acknowledged_s == 0);
}

TEST_CASE("In quiet hours a P2 waits for their end, over restarts, and goes to people once",
          "[pager][oncall]") {
  Plant plant(on_call_of(kDocument));
  plant.kills = GENERATE(false, true);
  plant.begins("night", 2, 2 * kHour);  // 14:00: ben has quiet hours until 07:00
  const auto first = plant.run(2 * kHour, 2 * kHour + 60);
  REQUIRE(first.size() == 1);
  CHECK(first[0].notify == Names{kAll, "chat", "tracker"});
  for (int64_t s = 3 * kHour; s < 19 * kHour; s += 600) CHECK(plant.look(s).empty());
  const auto morning = plant.run(19 * kHour, 19 * kHour + 600);
  REQUIRE(morning.size() == 1);
  CHECK(morning[0].notify == Names{"phone-ben"});
  CHECK(said(morning[0], "person") == "ben");
}

TEST_CASE("A P2 that becomes a page does not wait", "[pager][oncall]") {
  Plant plant(on_call_of(kDocument));
  plant.begins("night", 2, 2 * kHour);
  plant.look(2 * kHour);
  plant.begins("night", 1, 2 * kHour + 100, core::ConditionKind::service_silent);
  const auto worse = plant.run(2 * kHour + 100, 2 * kHour + 200);
  REQUIRE(worse.size() == 1);
  CHECK(said(worse[0], "transition") == "worse");
  CHECK(worse[0].notify == Names{kAll, "chat", "phone-ben"});
}

TEST_CASE("What becomes worse goes to who was told of it, and is no other page",
          "[pager][oncall]") {
  Plant plant(on_call_of(kDocument));
  plant.begins("shop", 1, 0);
  plant.look(0);
  plant.begins("shop", 0, 100, core::ConditionKind::service_silent);
  const auto worse = plant.run(100, 200);
  REQUIRE(worse.size() == 1);
  CHECK(worse[0].notify == Names{kAll, "chat", "phone-anna"});
  CHECK(plant.on_call->pages(plant.book, at(200)).size() == 1);
  CHECK(story(plant.run(210, 500)) == "escalated to ben at 400");  // five minutes from then
}

TEST_CASE("P3 are one digest of the policy on the next business day, over restarts",
          "[pager][oncall]") {
  Plant plant(on_call_of(kDocument));
  plant.kills = GENERATE(false, true);
  plant.begins("shop", 3, 0);
  plant.begins("web", 3, 2 * kHour);
  for (int64_t s = 0; s < 21 * kHour; s += 600) {  // 09:00 on Tuesday
    for (const auto& event : plant.look(s)) {
      CHECK(event.notify == Names{kAll, "chat", "tracker"});
    }
  }
  CHECK(plant.told.size() == 2);
  const auto digest = plant.run(21 * kHour, 22 * kHour);
  REQUIRE(digest.size() == 1);
  CHECK(digest[0].kind == Kind::rows);
  CHECK(digest[0].summary == "Digest of all: 2 incidents of P3");
  CHECK(digest[0].notify == Names{"phone-anna"});
  CHECK(digest[0].rows.find("shop logs errors") != std::string::npos);
  CHECK(digest[0].rows.find("web logs errors") != std::string::npos);
  for (int64_t s = 22 * kHour; s <= 46 * kHour; s += 600) CHECK(plant.look(s).empty());
  CHECK(plant.on_call->pages(plant.book, at(46 * kHour)).empty());  // no page
}

TEST_CASE("When nobody can be reached everybody is told, once, and it is counted",
          "[pager][oncall]") {
  Plant plant(on_call_of(kDocument));
  plant.begins("lost", 1, 0);  // dora has no notifier, carla is away
  const auto events = plant.run(0, 3 * kHour);
  REQUIRE(events.size() == 1);
  CHECK(events[0].notify == Names{kAll, "chat", "phone-anna", "phone-ben", "phone-carla"});
  CHECK(said(events[0], "why") == "everybody is told: dora has no notifier here, carla is away");
  CHECK(plant.pager.counters().nobody == 1);
}

TEST_CASE("Who cannot be told because all their notifiers refuse is not waited for",
          "[pager][oncall]") {
  std::string document = kDocument;
  const std::string one = "notify: [phone-anna]";
  document.replace(document.find(one), one.size(), "notify: [phone-anna, chat]");
  Plant plant(on_call_of(document));
  plant.begins("shop", 1, 0);
  const auto first = plant.run(0, 30);
  REQUIRE(first.size() == 1);
  CHECK(said(first[0], "person") == "anna");
  CHECK_FALSE(plant.pager.refused({"phone-ben"}, first[0]));
  CHECK_FALSE(plant.pager.refused({"phone-anna"}, first[0]));
  CHECK(plant.look(31).empty());  // chat may tell her yet
  CHECK(plant.pager.refused({"chat"}, first[0]));
  const auto next = plant.look(32);
  REQUIRE(next.size() == 1);
  CHECK(said(next[0], "person") == "ben");
  CHECK(said(next[0], "transition") == "escalated");
  CHECK(next[0].summary == "who was told before cannot be reached: shop logs errors");
  CHECK(plant.pager.counters().refused == 1);
  CHECK_FALSE(plant.pager.refused({"chat", "phone-anna"}, first[0]));  // said twice
  CHECK(plant.run(33, 33 + 14 * 60).empty());                          // ben has the whole time
}

TEST_CASE("A refusal of what somebody has acknowledged tells nobody", "[pager][oncall]") {
  Plant plant(on_call_of(kDocument));
  plant.begins("shop", 1, 0);
  const auto first = plant.run(0, 30);
  REQUIRE(first.size() == 1);
  REQUIRE(plant.book.acknowledge(plant.id(31), "kim", {}, at(31)).ok());
  CHECK(plant.pager.refused({"phone-anna"}, first[0]));
  CHECK(plant.run(32, 3600).empty());
}

TEST_CASE("Of a P2 that nobody can be chosen for those hear who have no quiet hours",
          "[pager][oncall]") {
  Plant plant(on_call_of(kDocument));
  plant.begins("lost", 2, 2 * kHour);  // 14:00: ben has quiet hours, anna and carla have none
  const auto told = plant.run(2 * kHour, 2 * kHour + 60);
  REQUIRE(told.size() == 1);
  CHECK(told[0].notify == Names{kAll, "chat", "tracker", "phone-carla"});
  plant.ends("lost", 2 * kHour + 70);
  const auto over = plant.run(2 * kHour + 80, 3 * kHour);
  REQUIRE(over.size() == 1);
  CHECK(over[0].kind == Kind::resolved);
  CHECK(over[0].notify == told[0].notify);
}

TEST_CASE("A P2 for everybody waits while all of them have quiet hours, over restarts",
          "[pager][oncall]") {
  std::string document = kDocument;
  for (const char* phone : {"phone-anna]", "phone-carla]"}) {
    const std::string quiet = std::string(phone) + ", quiet: [{from: \"13:00\", to: \"06:00\"}]";
    document.replace(document.find(phone), std::string_view(phone).size(), quiet);
  }
  const std::string until = "to: \"2026-03-03\"";  // carla is away on the next morning, too
  document.replace(document.find(until), until.size(), "to: \"2026-03-05\"");
  Plant plant(on_call_of(document));
  plant.kills = true;
  plant.begins("lost", 2, 2 * kHour);
  const auto at_once = plant.run(2 * kHour, 2 * kHour + 60);
  REQUIRE(at_once.size() == 1);
  CHECK(at_once[0].notify == Names{kAll, "chat", "tracker"});
  for (int64_t s = 3 * kHour; s < 18 * kHour; s += 600) CHECK(plant.look(s).empty());
  const auto morning = plant.run(18 * kHour, 18 * kHour + 60);  // 06:00
  REQUIRE(morning.size() == 1);
  CHECK(morning[0].notify == Names{kAll, "phone-carla"});  // the others have heard it
  for (int64_t s = 19 * kHour; s < 24 * kHour; s += 600) CHECK(plant.look(s).empty());
}

TEST_CASE("The end of an alert goes to whom the alert went, over restarts, once",
          "[pager][oncall]") {
  Plant plant(on_call_of(kDocument));
  slo::AlertEvent alert;
  alert.slo = "web";
  alert.rule = "fast";
  const auto keep = [&] {
    Pager::Decided decided;
    const auto document = plant.pager.take_unrouted();
    REQUIRE(document);
    decided.documents.push_back(*document);
    plant.write(decided, 0);
    plant.restart();
  };
  plant.pager.unrouted(alert, {});
  keep();
  CHECK(plant.pager.ends_unrouted(alert) == Names{});
  CHECK_FALSE(plant.pager.ends_unrouted(alert));
  keep();
  CHECK_FALSE(plant.pager.ends_unrouted(alert));
  plant.pager.unrouted(alert, {"chat"});
  keep();
  CHECK(plant.pager.ends_unrouted(alert) == Names{"chat"});
}

TEST_CASE("An alert's incident is a page like any other, and the alert need not wake anybody",
          "[pager][oncall]") {
  Plant plant(on_call_of(kDocument));
  CHECK_FALSE(plant.pager.answers_for(core::Incident{}));
  plant.begins("shop", 1, 0, core::ConditionKind::burn_rate);
  CHECK(story(plant.look(0)) == "opened to anna at 0");
  CHECK(plant.pager.answers_for(plant.book.list({}, at(0)).at(0)));
}

TEST_CASE("Who is paged often is spared, by the pages that the incidents tell", "[pager][oncall]") {
  std::string document = kDocument;
  const std::string level = "[{schedule: primary}, {people: [dora, ben]}, {people: [carla]}]";
  document.replace(document.find(level), level.size(), "[{people: [anna, ben]}]");
  Plant plant(on_call_of(document));
  std::map<std::string, int> pages;
  for (int i = 0; i < 6; ++i) {
    plant.begins("service-" + std::to_string(i), 1, i * 600);
    for (const auto& event : plant.look(i * 600)) ++pages[said(event, "person")];
    REQUIRE(plant.book.acknowledge(plant.id(i * 600), "kim", "", at(i * 600)).ok());
  }
  CHECK(pages == std::map<std::string, int>{{"anna", 3}, {"ben", 3}});
}

TEST_CASE("Nodes that know the same incidents choose the same person, and who takes over goes on",
          "[pager][oncall]") {
  const auto on_call = on_call_of(kDocument);
  Plant one(on_call, "n2"), other(on_call, "n1");
  one.begins("shop", 1, 0);
  CHECK(story(one.look(0)) == "opened to anna at 0");
  // Somebody was told, and n2 was heard to say so.
  REQUIRE(one.book
              .add(one.id(10), core::EventKind::page_sent, {}, "opened: phone-anna was told",
                   {{"channel", "phone-anna"}}, at(10))
              .ok());
  for (const auto& event : one.book.events()) other.book.merge(event, at(20));
  CHECK(other.run(20, 100).empty());
  CHECK(on_call->pages(other.book, at(100)).size() == 1);
  other.all_mine = true;  // n2 is gone
  CHECK(story(other.run(110, 1'000)) == "escalated to ben at 900");
}

TEST_CASE("Who was chosen by a node that is gone and was not told is chosen again",
          "[pager][oncall]") {
  const auto on_call = on_call_of(kDocument);
  Plant one(on_call, "n2"), other(on_call, "n1");
  one.begins("shop", 1, 0);
  one.look(0);
  for (const auto& event : one.book.events()) other.book.merge(event, at(20));
  other.all_mine = true;
  const auto again = other.run(110, 200);
  REQUIRE(again.size() == 1);
  CHECK(said(again[0], "transition") == "opened");
  CHECK_FALSE(said(again[0], "person").empty());
}

TEST_CASE("What a node that is gone had put off is put off by whoever takes over",
          "[pager][oncall]") {
  const auto on_call = on_call_of(kDocument);
  Plant one(on_call, "n2"), other(on_call, "n1");
  other.kills = GENERATE(false, true);
  const int severity = GENERATE(2, 3);
  const std::string service = severity == 2 ? "night" : "shop";
  one.begins(service, severity, 2 * kHour);
  CHECK(one.look(2 * kHour).size() == 1);  // the team's chat
  REQUIRE(one.book
              .add(one.id(2 * kHour), core::EventKind::page_sent, {}, "opened: chat was told",
                   {{"channel", "chat"}}, at(2 * kHour + 5))
              .ok());
  for (const auto& event : one.book.events()) other.book.merge(event, at(2 * kHour + 20));
  other.all_mine = true;
  for (int64_t s = 2 * kHour + 30; s < 19 * kHour; s += 600) {
    other.begins(service, severity, s);  // it sees it, too
    INFO(s);
    CHECK(story(other.look(s)).empty());
  }
  const auto morning = other.run(19 * kHour, 22 * kHour);
  REQUIRE_FALSE(morning.empty());
  CHECK(said(morning[0], "person") == (severity == 2 ? "ben" : "anna"));
  CHECK((morning[0].kind == Kind::rows) == (severity == 3));
}

TEST_CASE(
    "What waited for the morning or a digest is told to all when there is no on-call any more",
    "[pager][oncall]") {
  Plant plant(on_call_of(kDocument));
  plant.begins("shop", GENERATE(2, 3), 6 * kHour);
  plant.begins("night", GENERATE(2, 3), 6 * kHour);
  const size_t first = plant.look(6 * kHour).size();
  plant.on_call = nullptr;
  plant.restart();
  const auto events = plant.run(6 * kHour + 10, 6 * kHour + 100);
  CHECK(first == 2);
  for (const auto& event : events) CHECK(event.notify.empty());
  CHECK(std::any_of(events.begin(), events.end(),
                    [](const auto& event) { return event.service == "night"; }));
}

TEST_CASE("A clock that is set back delays nobody's turn by more than its time",
          "[pager][oncall]") {
  Plant plant(on_call_of(kDocument));
  plant.begins("shop", 1, 0);
  plant.look(0);
  CHECK(plant.run(-8000, -7200).empty());
  CHECK(story(plant.run(-7190, -7000)) == "escalated to ben at -7100");
}

TEST_CASE("Who is on call when the agent starts with a document goes on with what was told before",
          "[pager][oncall]") {
  Plant plant(nullptr);
  plant.begins("shop", 1, 0);
  CHECK(plant.look(0).at(0).notify.empty());
  plant.on_call = on_call_of(kDocument);
  plant.restart();
  CHECK(plant.run(10, 800).empty());
  CHECK(story(plant.run(810, 1'000)) == "escalated to anna at 900");
}

}  // namespace nines::agent::incident
