// Who is told of incidents: what no alert told, once each whenever the node is killed; again while
// nobody answers; and that it is over, whoever was told of it.
#include <catch2/catch.hpp>
#include <set>

#include "incident/pager.hpp"

namespace nines::agent::incident {
namespace {

using Kind = slo::AlertEvent::Kind;

const WallTime kStart = WallTime::from_s(1'772'366'400);  // 2026-03-01 12:00:00 UTC
WallTime at(int64_t s) { return {kStart.ns + s * kNsPerSecond}; }

core::Condition condition(const std::string& key, core::ConditionKind kind, int priority,
                          int64_t since_s) {
  core::Condition c;
  c.key = key;
  c.kind = kind;
  c.priority = priority;
  c.service = "shop";
  c.since = c.at = at(since_s);
  c.text = "shop logs errors by the hundred";
  return c;
}

constexpr auto kStorm = core::ConditionKind::error_storm;
constexpr auto kBurn = core::ConditionKind::burn_rate;

// A node with its book, its pager and what the store has: everything decided so far.
struct Plant {
  explicit Plant(PagerRules rules = {}) : rules_(std::move(rules)), pager(parts()) {}

  Pager::Parts parts() {
    return {rules_, [this](const core::Incident& one) { return all_mine || one.opened_on == "n1"; },
            [this](const core::Incident&) { return quiet; }};
  }
  void begins(const std::string& key, core::ConditionKind kind, int priority, int64_t s) {
    book.observe(condition(key, kind, priority, s), at(s));
  }
  void ends(const std::string& key, core::ConditionKind kind, int64_t s) {
    core::Condition c = condition(key, kind, 3, s);
    c.holds = false;
    book.observe(c, at(s));
  }
  std::vector<slo::AlertEvent> look(int64_t s) {
    book.tick(at(s));
    auto decided = pager.look(book, at(s));
    for (const store::Document& document : decided.documents) {
      if (document.body.empty()) {
        stored.erase(document.key);
      } else {
        stored[document.key] = document;
      }
    }
    for (const auto& event : decided.events) told.push_back(event);
    return decided.events;
  }
  std::vector<slo::AlertEvent> run(int64_t from, int64_t to) {
    std::vector<slo::AlertEvent> out;
    for (int64_t s = from; s <= to; s += 10) {
      for (auto& event : look(s)) out.push_back(std::move(event));
    }
    return out;
  }
  // Another life: it knows what the store has, and nothing else.
  void restart() {
    pager = Pager(parts());
    std::vector<store::Document> documents;
    for (const auto& [key, document] : stored) documents.push_back(document);
    pager.restore(documents);
  }
  std::string id(int64_t s) { return book.list({}, at(s)).at(0).id; }

  PagerRules rules_;
  bool quiet = false, all_mine = false;
  core::IncidentBook book{{"shop", "n1", 1}};
  Pager pager;
  std::map<std::string, store::Document> stored;
  std::vector<slo::AlertEvent> told;
};

std::string transition(const slo::AlertEvent& event) {
  const std::string* const found = event.detail("transition");
  return found != nullptr ? *found : "";
}

}  // namespace

TEST_CASE("An incident that no alert told is told once, and that it is over, also over restarts",
          "[pager]") {
  Plant plant;
  plant.begins("storm/a", kStorm, 1, 0);
  const auto first = plant.look(0);
  REQUIRE(first.size() == 1);
  CHECK(first[0].kind == Kind::fired);
  CHECK(first[0].slo == plant.id(0));
  CHECK(first[0].severity == "page");
  CHECK(first[0].priority == 1);
  CHECK(first[0].service == "shop");
  CHECK(first[0].summary == "shop logs errors by the hundred");
  CHECK(*first[0].detail("incident") == plant.id(0));
  CHECK(transition(first[0]) == "opened");
  CHECK(plant.run(10, 60).empty());
  plant.restart();
  CHECK(plant.run(70, 120).empty());
  plant.ends("storm/a", kStorm, 130);
  CHECK(plant.run(130, 720).empty());  // it resolves itself after ten minutes
  plant.restart();
  const auto last = plant.run(730, 800);
  REQUIRE(last.size() == 1);
  CHECK(last[0].kind == Kind::resolved);
  CHECK(last[0].slo == first[0].slo);
  CHECK(last[0].rule == first[0].rule);
  CHECK(last[0].since == first[0].since);
  CHECK(last[0].severity == "page");
  CHECK(plant.stored.empty());
  plant.restart();
  CHECK(plant.run(810, 900).empty());
}

TEST_CASE("What was decided and not written is decided again by the next life", "[pager]") {
  Plant plant;
  plant.begins("storm/a", kStorm, 1, 0);
  plant.book.tick(at(0));
  CHECK(plant.pager.look(plant.book, at(0)).events.size() == 1);  // killed before it is stored
  plant.restart();
  CHECK(plant.look(10).size() == 1);
  plant.restart();
  CHECK(plant.look(20).empty());
}

TEST_CASE("What an alert told is not told again, unless something else makes it more urgent",
          "[pager]") {
  Plant plant;
  plant.begins("burn/checkout", kBurn, 1, 0);
  CHECK(plant.run(0, 60).empty());
  plant.begins("storm/a", kStorm, 2, 70);  // of the same service: joins
  CHECK(plant.run(70, 120).empty());
  plant.begins("storm/b", kStorm, 0, 130);
  const auto worse = plant.run(130, 200);
  REQUIRE(worse.size() == 1);
  CHECK(transition(worse[0]) == "worse");
  CHECK(worse[0].priority == 0);
  CHECK(worse[0].summary == "it is P0 now: shop logs errors by the hundred");
  CHECK(plant.book.list({}, at(200)).size() == 1);
}

TEST_CASE("The alert of an incident that was told is enough when it becomes that urgent",
          "[pager]") {
  Plant plant;
  plant.begins("storm/a", kStorm, 2, 0);
  REQUIRE(plant.look(0).size() == 1);
  CHECK(plant.told[0].severity == "ticket");
  plant.begins("burn/checkout", kBurn, 1, 20);
  CHECK(plant.run(20, 100).empty());
}

TEST_CASE("With all, incidents of alerts are told, too; with none, nothing is", "[pager]") {
  PagerRules rules;
  rules.tells = Tells::all;
  Plant plant(rules);
  plant.begins("burn/checkout", kBurn, 1, 0);
  CHECK(plant.run(0, 60).size() == 1);
  rules.tells = Tells::none;
  Plant silent(rules);
  silent.begins("storm/a", kStorm, 0, 0);
  CHECK(silent.run(0, 7200).empty());
}

TEST_CASE("An incident that comes back is told as that, under its id", "[pager]") {
  Plant plant;
  plant.begins("storm/a", kStorm, 1, 0);
  plant.look(0);
  plant.ends("storm/a", kStorm, 20);
  REQUIRE(plant.run(20, 700).size() == 1);  // it is over
  plant.begins("storm/a", kStorm, 1, 900);
  const auto back = plant.run(900, 960);
  REQUIRE(back.size() == 1);
  CHECK(transition(back[0]) == "reopened");
  CHECK(back[0].slo == plant.told[0].slo);
}

TEST_CASE("An incident that comes back with an alert is told by that alert", "[pager]") {
  Plant plant;
  plant.begins("storm/a", kStorm, 1, 0);
  plant.look(0);
  plant.begins("burn/checkout", kBurn, 1, 10);
  plant.ends("storm/a", kStorm, 20);
  plant.ends("burn/checkout", kBurn, 20);
  REQUIRE(plant.run(20, 700).size() == 1);  // it is over
  plant.begins("burn/checkout", kBurn, 1, 900);
  REQUIRE(plant.book.list({}, at(900)).size() == 1);
  CHECK(plant.book.list({}, at(900))[0].reopens == 1);
  CHECK(plant.run(900, 960).empty());
}

TEST_CASE("While nobody acknowledges it is told level by level, and no further than there are",
          "[pager]") {
  PagerRules rules;
  rules.levels = {{"lead"}, {"boss"}};
  Plant plant(rules);
  plant.begins("storm/a", kStorm, 1, 0);  // P1: a quarter of an hour
  REQUIRE(plant.run(0, 890).size() == 1);
  plant.restart();
  const auto first = plant.run(900, 1'790);
  REQUIRE(first.size() == 1);
  CHECK(transition(first[0]) == "escalated");
  CHECK(*first[0].detail("level") == "1");
  CHECK(first[0].notify == std::vector<std::string>{"lead"});
  CHECK(first[0].summary == "nobody has acknowledged it for 15m: shop logs errors by the hundred");
  const auto second = plant.run(1'800, 20'000);
  REQUIRE(second.size() == 1);
  CHECK(second[0].notify == std::vector<std::string>{"boss"});
}

TEST_CASE("Nobody is told again once somebody has acknowledged", "[pager]") {
  Plant plant;
  plant.begins("storm/a", kStorm, 1, 0);
  plant.run(0, 800);
  REQUIRE(plant.book.acknowledge(plant.id(800), "kim", "", at(800)).ok());
  CHECK(plant.run(810, 9'000).empty());
}

TEST_CASE("An alert that nobody acknowledges is escalated, and who was told learns that it is over",
          "[pager]") {
  PagerRules rules;
  rules.levels = {{"lead"}};
  Plant plant(rules);
  plant.begins("burn/checkout", kBurn, 0, 0);  // P0: five minutes
  const auto up = plant.run(0, 400);
  REQUIRE(up.size() == 1);
  CHECK(transition(up[0]) == "escalated");
  plant.restart();
  plant.ends("burn/checkout", kBurn, 410);
  const auto over = plant.run(410, 1'100);
  REQUIRE(over.size() == 1);
  CHECK(over[0].kind == Kind::resolved);
  CHECK(over[0].notify == std::vector<std::string>{"lead"});  // nobody else heard of it
}

TEST_CASE("After a long absence levels follow one another, each with its time", "[pager]") {
  PagerRules rules;
  rules.levels = {{"lead"}, {"boss"}};
  Plant plant(rules);
  plant.begins("storm/a", kStorm, 1, 0);
  plant.look(0);
  plant.restart();
  CHECK(plant.look(7'200).size() == 1);
  CHECK(plant.look(7'210).empty());
  CHECK(plant.look(8'110).size() == 1);
}

TEST_CASE("In maintenance nothing is told; what goes on afterwards is, with time to answer",
          "[pager]") {
  Plant plant;
  plant.quiet = true;
  plant.begins("storm/a", kStorm, 1, 0);
  CHECK(plant.run(0, 1'200).empty());
  plant.quiet = false;
  const auto after = plant.run(1'210, 1'300);
  REQUIRE(after.size() == 1);
  CHECK(transition(after[0]) == "opened");
  Plant calm;
  calm.quiet = true;
  calm.begins("storm/a", kStorm, 1, 0);
  calm.run(0, 60);
  calm.ends("storm/a", kStorm, 60);
  calm.quiet = false;
  CHECK(calm.run(800, 1'200).empty());  // over by then
}

TEST_CASE("A ticket that becomes a page is over for those who take no pages, too", "[pager]") {
  PagerRules rules;
  rules.only_tickets = rules.no_pages = {"tracker"};
  Plant plant(rules);
  plant.begins("storm/a", kStorm, 2, 0);
  plant.look(0);
  plant.begins("storm/b", kStorm, 1, 20);
  const auto worse = plant.run(20, 60);
  REQUIRE(worse.size() == 1);
  CHECK(worse[0].severity == "page");
  plant.ends("storm/a", kStorm, 70);
  plant.ends("storm/b", kStorm, 70);
  const auto over = plant.run(70, 800);
  REQUIRE(over.size() == 2);
  CHECK(over[0].severity == "page");
  CHECK(over[0].notify.empty());
  CHECK(over[1].notify == std::vector<std::string>{"tracker"});
}

TEST_CASE("Who was told by name only, one level up, learns that it is over", "[pager]") {
  PagerRules rules;
  rules.levels = {{"lead"}, {"pager"}};
  rules.no_pages = {"lead"};
  Plant plant(rules);
  plant.begins("storm/a", kStorm, 1, 0);
  plant.run(0, 2'000);  // both levels
  plant.ends("storm/a", kStorm, 2'010);
  const auto over = plant.run(2'010, 2'800);
  REQUIRE(over.size() == 2);
  CHECK(over[0].notify.empty());  // the pager hears that
  CHECK(over[1].notify == std::vector<std::string>{"lead"});
}

TEST_CASE("Of incidents of other nodes this one tells only when it has to, and not what was told",
          "[pager]") {
  core::IncidentBook other({"shop", "n2", 1});
  auto events = other.observe(condition("storm/a", kStorm, 1, 0), at(0));
  Plant plant;
  for (const auto& event : events) plant.book.merge(event, at(0));
  CHECK(plant.run(0, 60).empty());
  const auto page = other.add(other.list({}, at(60)).at(0).id, core::EventKind::page_sent, {},
                              "opened: pager was told", {{"channel", "pager"}}, at(60));
  REQUIRE(page.ok());
  plant.book.merge(*page, at(60));
  plant.all_mine = true;  // n2 is gone
  CHECK(plant.run(70, 300).empty());
  core::Condition c = condition("storm/a", kStorm, 1, 310);
  c.holds = false;
  for (const auto& event : other.observe(c, at(310))) plant.book.merge(event, at(310));
  CHECK(plant.run(310, 1'000).size() == 1);  // that it is over
}

TEST_CASE("The message has the first suspect and the runbook, where they are known", "[pager]") {
  PagerRules rules;
  rules.runbook = "https://wiki/{kind}/{service}?p={severity}";
  Plant plant(rules);
  plant.begins("storm/a", kStorm, 1, 0);
  const auto opened = plant.look(0);
  REQUIRE(opened.size() == 1);
  CHECK(*opened[0].detail("runbook") == "https://wiki/error_storm/shop?p=P1");
  CHECK(opened[0].detail("suspect") == nullptr);
  REQUIRE(plant.book
              .add(plant.id(0), core::EventKind::suspects, {}, "pay; logs refused connections",
                   {{"rank", "1"}, {"service", "pay"}}, at(30))
              .ok());
  const auto again = plant.run(10, 910);
  REQUIRE(again.size() == 1);
  CHECK(*again[0].detail("suspect") == "pay; logs refused connections");
}

TEST_CASE("Overdue action items are told once a day until they are done", "[pager]") {
  Plant plant;
  constexpr int64_t kDay = 86'400;
  plant.begins("storm/a", kStorm, 2, 0);
  plant.look(0);
  const std::string id = plant.id(0);
  REQUIRE(plant.book.acknowledge(id, "kim", "", at(5)).ok());
  REQUIRE(plant.book.add_item(id, "watch the queue", "kim", at(600), "P2", "kim", at(10)).ok());
  plant.ends("storm/a", kStorm, 20);
  REQUIRE(plant.run(20, 700).size() == 2);  // it is over; then the item is overdue
  CHECK(plant.told.back().slo == "action-items");
  CHECK(plant.told.back().priority == 3);
  CHECK(plant.told.back().severity == "ticket");
  CHECK(plant.told.back().summary.find(id + " A1 watch the queue (kim), due ") !=
        std::string::npos);
  plant.restart();
  const size_t before = plant.told.size();
  for (int64_t s = 700; s < 3 * kDay; s += 600) plant.look(s);
  CHECK(plant.told.size() - before == 2);
  REQUIRE(plant.book.finish_item(id, "A1", "kim", at(3 * kDay)).ok());
  const auto done = plant.run(3 * kDay, 3 * kDay + 120);
  REQUIRE(done.size() == 1);
  CHECK(done[0].kind == Kind::resolved);
  CHECK(done[0].slo == "action-items");
  CHECK(plant.stored.empty());
}

TEST_CASE("More incidents than are kept are counted and not told", "[pager]") {
  Plant plant;
  for (size_t i = 0; i < Pager::kMaxKept + 3; ++i) {
    core::Condition c = condition("storm/" + std::to_string(i), kStorm, 2, 0);
    c.service = "service-" + std::to_string(i);
    plant.book.observe(c, at(0));
  }
  plant.book.tick(at(60));
  CHECK(plant.look(60).size() == Pager::kMaxKept);
  CHECK(plant.pager.counters().beyond == 3);
}

TEST_CASE("What the store kept and cannot be read is told once more rather than never", "[pager]") {
  Plant plant;
  plant.begins("storm/a", kStorm, 1, 0);
  plant.look(0);
  plant.stored[plant.id(0)].body = "{\"since\": \"x\"";
  plant.restart();
  CHECK(plant.look(10).size() == 1);
}

}  // namespace nines::agent::incident
