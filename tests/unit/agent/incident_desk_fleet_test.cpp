// Desks of several nodes: what is told, heard, asked, and for whom one stands in.
#include <catch2/catch.hpp>

#include "incident/desk.hpp"

namespace nines::agent::incident {
namespace {

constexpr int64_t kStart = 1'790'000'000;

WallTime at(int64_t s) { return WallTime::from_s(kStart + s); }

struct Node {
  explicit Node(const std::string& called, uint64_t life = 1)
      : name(called),
        desk({"c", called, life},
             {engine, [this](const auto& question, auto) { asked.push_back(question); }}) {}

  void burns(int64_t s, const std::string& service, bool holds = true) {
    core::Condition c;
    c.key = "burn/" + service;
    c.kind = core::ConditionKind::burn_rate;
    c.priority = 1;
    c.holds = holds;
    c.at = c.since = at(s);
    c.service = service;
    c.node = name;
    c.text = service + " burns";
    desk.conditions({c}, at(s));
  }
  // What `other` did since is heard here.
  void hear(Node& other, int64_t s) {
    for (const auto& event : other.desk.take_events()) {
      CHECK(desk.heard(other.name, core::encode_event(event), at(s)));
    }
  }
  std::string told(int64_t s) {
    desk.tick(at(s));
    std::string out;
    for (const std::string& one : desk.take_news()) out += one + "\n";
    return out;
  }
  std::vector<core::Incident> all(int64_t s) { return desk.book().list({}, at(s)); }

  std::string name;
  slo::SloEngine engine{1};
  std::vector<core::TrailQuestion> asked;
  Desk desk;
};

}  // namespace

TEST_CASE("What another node opened and people did there is told here, and only that node asks",
          "[incident][fleet]") {
  Node a("a"), b("b");
  a.burns(0, "shop");
  a.told(1);
  b.hear(a, 2);
  const std::string opened = b.told(3);
  CHECK(opened.find("opened: P1 shop burns (opened on a)") != std::string::npos);
  CHECK(a.asked.size() == 1);
  CHECK(b.asked.empty());
  const auto id = b.all(3).at(0).id;
  CHECK(id == a.all(3).at(0).id);

  REQUIRE(b.desk.did(b.desk.book().acknowledge(id, "kim", "mine", at(10))).ok());
  a.hear(b, 11);
  CHECK(a.told(12).find("acknowledged by kim") != std::string::npos);
  a.burns(20, "shop", false);
  REQUIRE(a.desk.did(a.desk.book().resolve(id, "alex", "done", true, at(30))).ok());
  b.hear(a, 31);
  const std::string over = b.told(32);
  CHECK(over.find("resolved by alex") != std::string::npos);
  CHECK(b.told(33).empty());  // once
  CHECK(b.desk.fleet_counters().heard == 3);
}

TEST_CASE("What was heard outlives a restart, and is told again by its own node only",
          "[incident][fleet]") {
  Node a("a"), b("b");
  a.burns(0, "shop");
  b.hear(a, 2);
  b.burns(3, "mail");
  b.told(4);
  const auto documents = b.desk.take_documents();
  CHECK(documents.size() == 2);
  Node again("b", 2);
  again.desk.restore(documents, at(60));
  again.desk.tell_again();
  CHECK(again.all(60).size() == b.all(60).size());
  const auto told = again.desk.take_events();
  REQUIRE(told.size() == 1);
  CHECK(told[0].node == "b");
  CHECK(again.told(61).empty());                   // nothing of it is news
  REQUIRE(again.desk.events_of("a").size() == 1);  // for a, should it have lost them
  CHECK(again.desk.events_of("a")[0].node == "a");
  CHECK(again.desk.heard("a", core::encode_event(again.desk.events_of("a")[0]), at(62)));
  CHECK(again.desk.take_documents().empty());  // known
}

TEST_CASE("An event that another node wrote than it comes from is refused", "[incident][fleet]") {
  Node a("a"), b("b");
  a.burns(0, "shop");
  const auto events = a.desk.take_events();
  REQUIRE(events.size() == 1);
  const std::string body = core::encode_event(events[0]);
  CHECK_FALSE(b.desk.heard("c", body, at(1)));
  CHECK_FALSE(b.desk.heard("a", body.substr(1), at(1)));
  CHECK_FALSE(b.desk.heard("a", "", at(1)));
  CHECK(b.desk.fleet_counters().invalid == 3);
  CHECK(b.all(1).empty());
  CHECK_FALSE(b.desk.heard("a", body, {at(0).ns - 7'200 * kNsPerSecond}));  // its clock is ahead
  CHECK(b.desk.fleet_counters().refused == 1);
  CHECK(b.desk.heard("a", body, at(1)));
}

TEST_CASE("Who stands in for a node that is gone asks about what that one opened",
          "[incident][fleet]") {
  Node a("a"), b("b");
  a.burns(0, "shop");
  b.hear(a, 2);
  b.told(3);
  CHECK(b.asked.empty());
  b.desk.stand_in_for({"a"}, at(40));
  b.told(41);
  REQUIRE(b.asked.size() == 1);
  CHECK(b.asked[0].onset == at(0));
  b.desk.stand_in_for({"a"}, at(50));  // as before
  b.told(51);
  CHECK(b.asked.size() == 1);
}

TEST_CASE("What was over long before it was heard is kept and not told", "[incident][fleet]") {
  Node a("a"), late("late");
  a.burns(0, "shop");
  a.told(1);
  a.burns(60, "shop", false);
  const auto id = a.all(61).at(0).id;
  REQUIRE(a.desk.did(a.desk.book().resolve(id, "kim", "done", true, at(70))).ok());
  late.hear(a, 90'000);
  CHECK(late.told(90'001).empty());
  REQUIRE(late.all(90'001).size() == 1);
  CHECK(late.all(90'001)[0].id == id);
}

}  // namespace nines::agent::incident
