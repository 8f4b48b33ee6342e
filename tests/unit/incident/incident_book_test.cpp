#include "nines/incident/incident_book.hpp"

#include <catch2/catch.hpp>
#include <stdexcept>

#include "book_fixture.hpp"

using namespace nines;
using namespace nines::incident;
using namespace nines::incident::testing;

TEST_CASE("A condition opens an incident at once, with an id of its day") {
  Node n("a");
  n.begins("slo/api", "api", 1, 100);
  const auto all = n.all(100);
  REQUIRE(all.size() == 1);
  CHECK(all[0].state == State::open);
  CHECK(all[0].severity == 1);
  CHECK(all[0].id.substr(0, 14) == "INC-2026-0301-");
  CHECK(all[0].id.size() == 17);
  CHECK(all[0].title == "api burns its budget");
  CHECK(n.sent.at(0).id == all[0].id);
  n.begins("slo/api", "api", 1, 110);
  CHECK(n.sent.size() == 1);
}

TEST_CASE("An incident resolves itself when all has been over for ten minutes") {
  Node n("a");
  n.begins("slo/api", "api", 1, 0);
  n.begins("storm/api", "api", 2, 60);
  n.ends("slo/api", 300);
  n.ends("storm/api", 400);
  CHECK(n.all(999)[0].state == State::open);
  const Incident i = n.all(1000)[0];
  CHECK(i.state == State::resolved);
  CHECK(i.resolved_itself);
  CHECK(i.recovered == at(400));
  CHECK(i.resolved == at(1000));
  CHECK(i.conditions.size() == 2);
}

TEST_CASE("A condition that returns within half an hour reopens the same incident, later another") {
  Node n("a");
  n.begins("slo/api", "api", 1, 0);
  n.ends("slo/api", 100);
  n.begins("slo/api", "api", 1, 700 + 1800);
  REQUIRE(n.all(2500).size() == 1);
  CHECK(n.all(2500)[0].state == State::reopened);
  CHECK(n.all(2500)[0].reopens == 1);
  n.ends("slo/api", 2600);
  n.begins("slo/api", "api", 1, 2600 + 600 + 1801);
  const auto all = n.all(6000);
  REQUIRE(all.size() == 2);
  // The second of that key on that day has the next number.
  const int first = std::stoi(all[1].id.substr(14)), second = std::stoi(all[0].id.substr(14));
  CHECK(second == (first + 1) % 1000);
}

TEST_CASE("What depends on what failed a moment ago, and fails now, brings the incident back") {
  Node n("a");
  n.book.topology().add_edge("door", "pay", 100);
  n.begins("silent/pay", "pay", 2, 0);
  n.ends("silent/pay", 300);
  n.begins("burn/door", "door", 0, 1200);  // over by itself at 900
  REQUIRE(n.all(1200).size() == 1);
  CHECK(n.all(1200)[0].state == State::reopened);
  CHECK(n.all(1200)[0].severity == 0);
  n.begins("burn/mail", "mail", 2, 1210);  // has nothing to do with it
  CHECK(n.all(1210).size() == 2);
}

TEST_CASE("What a person closed, or what was over for long, is not brought back by others") {
  Node n("a");
  n.book.topology().add_edge("door", "pay", 100);
  n.begins("silent/pay", "pay", 2, 0);
  n.ends("silent/pay", 300);
  n.begins("burn/door", "door", 0, 900 + 1801);
  CHECK(n.all(2701).size() == 2);
  Node m("a");
  m.begins("silent/pay", "pay", 2, 0);
  m.ends("silent/pay", 300);
  m.keep(m.book.resolve(m.all(310)[0].id, "kim", "moved", false, at(310)));
  m.begins("storm/pay", "pay", 2, 1000);
  CHECK(m.all(1000).size() == 2);
}

TEST_CASE("Conditions of one service, and of services that call each other, are one incident") {
  Node n("a");
  n.book.topology().add_edge("web", "api", 10);
  n.begins("slo/web", "web", 2, 0);
  n.begins("slo/api", "api", 1, 200);    // what web calls, within five minutes
  n.begins("queue/web", "web", 3, 900);  // of a service whose condition holds
  n.begins("slo/mail", "mail", 2, 901);
  CHECK(n.all(901).size() == 2);
  CHECK(n.all(901)[1].severity == 1);
  CHECK(n.all(901)[1].services == std::vector<std::string>{"web", "api"});
}

TEST_CASE("A caller waits half a minute for what it depends on, and joins that incident") {
  Node n("a");
  n.book.topology().add_edge("web", "api", 10);
  n.book.topology().add_edge("api", "db", 10);
  n.book.suspect("db", at(60));
  n.begins("slo/web", "web", 1, 0);
  CHECK(n.all(0).empty());
  CHECK(n.book.stats(at(0)).waiting == 1);
  n.tick(10);
  CHECK(n.all(10).empty());
  n.begins("disk/db", "db", 2, 20);
  n.tick(20);
  REQUIRE(n.all(20).size() == 1);
  CHECK(n.all(20)[0].service == "db");
  CHECK(n.all(20)[0].severity == 1);
  // Hours later it is still no incident of its own.
  n.begins("slo/shop", "web", 1, 9000);
  CHECK(n.all(9000).size() == 1);
}

TEST_CASE("A caller that waited in vain opens its own incident after half a minute") {
  Node n("a");
  n.book.topology().add_edge("web", "db", 10);
  n.book.suspect("db", at(600));
  n.begins("slo/web", "web", 1, 0);
  n.tick(20);
  CHECK(n.all(20).empty());
  n.tick(30);
  CHECK(n.all(30).size() == 1);
  CHECK(n.book.counters().held_back == 1);
}

TEST_CASE("Services that fall silent on a silent node belong to it") {
  Node n("a");
  Condition node = condition("node/pi-3", "", 1, at(0));
  node.kind = ConditionKind::node_silent;
  node.node = "pi-3";
  n.keep(n.book.observe(node, at(0)));
  Condition silent = condition("silent/api", "api", 2, at(900));
  silent.kind = ConditionKind::service_silent;
  silent.node = "pi-3";
  n.keep(n.book.observe(silent, at(900)));
  CHECK(n.all(900).size() == 1);
  silent.key = "silent/api/pi-4";
  silent.service = "mail";
  silent.node = "pi-4";
  n.keep(n.book.observe(silent, at(901)));
  CHECK(n.all(901).size() == 2);
}

TEST_CASE("A flapping condition keeps one incident open, and says little") {
  Node n("a");
  for (int64_t s = 0; s < 3 * 3600; s += 10) {
    if (s % 60 == 0) n.begins("slo/api", "api", 1, s);
    if (s % 60 == 30) n.ends("slo/api", s);
    n.tick(s);
  }
  const auto all = n.all(3 * 3600);
  REQUIRE(all.size() == 1);
  CHECK(all[0].reopens == 0);
  CHECK(all[0].state == State::open);
  CHECK(n.book.counters().flapping == 1);
  CHECK(n.sent.size() < 30);
  // Steady again for long enough: over.
  n.run(3 * 3600, 4 * 3600);
  CHECK(n.all(4 * 3600)[0].state == State::resolved);
}

TEST_CASE("An observer that is heard no more is believed for three hours") {
  Node a("a"), b("b");
  a.begins("slo/api", "api", 1, 0);
  b.takes(a.sent, 1);
  CHECK(b.all(3 * 3600)[0].state == State::open);
  const Incident i = b.all(4 * 3600)[0];
  CHECK(i.state == State::resolved);
  CHECK(i.recovered == at(3 * 3600));
  // One that is, repeats it, and it holds on.
  a.run(10, 5 * 3600);
  b.takes(a.sent, 5 * 3600);
  CHECK(b.all(5 * 3600)[0].state == State::open);
  CHECK(b.all(5 * 3600)[0].history.size() == 1);
}

TEST_CASE("A condition holds until its last observer says that it is over") {
  Node a("a"), b("b");
  a.begins("slo/api", "api", 1, 0);
  b.begins("slo/api", "api", 1, 5);
  a.ends("slo/api", 60);
  a.takes(b.sent, 61);
  CHECK(a.all(3600)[0].state == State::open);
  b.ends("slo/api", 3600);
  a.takes(b.sent, 3601);
  CHECK(a.all(3601)[0].recovered == at(3600));
}

TEST_CASE("Two nodes that cannot talk tell one id, and the later story becomes part of the first") {
  Node a("a"), b("b");
  a.begins("slo/api", "api", 1, 0);
  b.begins("slo/api", "api", 1, 7);
  const std::string told_by_b = b.all(7)[0].id;
  CHECK(told_by_b == a.all(7)[0].id);
  b.keep(b.book.acknowledge(told_by_b, "ada", "", at(30)));
  a.takes(b.sent, 100);
  b.takes(a.sent, 100);
  CHECK(a.all(100).size() == 1);
  CHECK(a.all(100)[0].acknowledged_by == "ada");
  CHECK(story(a.book, at(100)) == story(b.book, at(100)));
}

TEST_CASE("Incidents that began apart on connected services are linked when their nodes meet") {
  Node a("a"), b("b");
  a.book.topology().add_edge("web", "db", 10);
  b.book.topology().add_edge("web", "db", 10);
  a.begins("slo/web", "web", 1, 0);
  b.begins("disk/db", "db", 2, 20);
  const std::string id_b = b.all(20)[0].id;
  a.takes(b.sent, 60);
  CHECK(a.all(60).size() == 2);
  a.tick(60);
  b.takes(a.sent, 61);
  b.tick(61);
  a.takes(b.sent, 61);
  REQUIRE(a.all(70).size() == 1);
  CHECK(a.all(70)[0].aliases == std::vector<std::string>{id_b});
  CHECK(a.book.find(id_b, at(70))->service == "web");
  CHECK(story(a.book, at(70)) == story(b.book, at(70)));
  // Linked once is enough.
  a.run(70, 200);
  CHECK(a.book.counters().linked + b.book.counters().linked == 1);
}

TEST_CASE("A link written with a clock that is behind still finds what it links") {
  Node a("a"), b("b");
  a.begins("slo/api", "api", 1, 100);
  b.begins("storm/api", "api", 1, 120);
  a.takes(b.sent, 105);
  a.tick(105);
  CHECK(a.all(121).size() == 1);
  CHECK(a.book.stats(at(121)).orphans == 0);
}

TEST_CASE("An id that was told before a collision was settled is found for ever") {
  // Keys of one day that have one number.
  std::string first, second, number;
  for (int i = 0; second.empty(); ++i) {
    Node n("x");
    n.begins("key/" + std::to_string(i), "s" + std::to_string(i), 2, 0);
    const std::string id = n.all(0)[0].id;
    if (number.empty()) {
      first = "key/0";
      number = id;
    } else if (id == number) {
      second = "key/" + std::to_string(i);
    }
  }
  Node a("a"), b("b");
  a.begins(first, "one", 2, 0);
  b.begins(second, "two", 2, 1);
  REQUIRE(a.all(1)[0].id == b.all(1)[0].id);
  const std::string told = b.all(1)[0].id;
  a.takes(b.sent, 10);
  b.takes(a.sent, 10);
  CHECK(a.book.find(told, at(10))->service == "one");
  const Incident moved = b.all(10)[0];
  CHECK(moved.service == "two");
  CHECK(moved.id != told);
  CHECK(moved.aliases == std::vector<std::string>{told});
  CHECK(story(a.book, at(10)) == story(b.book, at(10)));
}

TEST_CASE("After a restart the node goes on where it was, and lets go of what it sees no more") {
  Node before("a");
  before.begins("slo/api", "api", 1, 0);
  before.begins("disk/x", "db", 2, 0);
  IncidentBook after({"shop", "a", 2});
  for (const auto& e : before.sent) after.merge(e, at(60));
  CHECK(story(after, at(60)) == story(before.book, at(60)));
  CHECK(after.tick(at(60)).empty());
  CHECK(after.observe(condition("slo/api", "api", 1, at(0)), at(70)).empty());
  const auto said = after.tick(at(60 + 900));
  REQUIRE(said.size() == 1);
  CHECK(said[0].kind == EventKind::condition_ended);
  CHECK(*said[0].detail("condition") == "disk/x");
  CHECK(said[0].boot == 2);
}

TEST_CASE("Transitions are told once, whatever becomes of the opening") {
  Node a("a"), b("b");
  using Kind = Transition::Kind;
  a.begins("slo/api", "api", 2, 10);
  auto told = a.book.take_transitions(at(10));
  REQUIRE(told.size() == 1);
  CHECK(told[0].kind == Kind::opened);
  // The other node saw it earlier, and worse.
  b.begins("slo/api", "api", 1, 4);
  a.takes(b.sent, 20);
  told = a.book.take_transitions(at(20));
  REQUIRE(told.size() == 1);
  CHECK(told[0].kind == Kind::worse);
  CHECK(told[0].severity == 1);
  a.keep(a.book.acknowledge(a.all(20)[0].id, "ada", "", at(30)));
  CHECK(a.book.take_transitions(at(30)).at(0).kind == Kind::acknowledged);
  a.ends("slo/api", 60);
  b.ends("slo/api", 60);
  a.takes(b.sent, 60);
  CHECK(a.book.take_transitions(at(60)).empty());
  CHECK(a.book.take_transitions(at(700)).at(0).kind == Kind::resolved);
  a.begins("slo/api", "api", 1, 800);
  CHECK(a.book.take_transitions(at(800)).at(0).kind == Kind::reopened);
}

TEST_CASE("What nobody answers is due again by its severity") {
  Node n("a");
  n.begins("slo/api", "api", 0, 0);
  n.begins("slo/mail", "mail", 3, 0);
  auto due = n.book.due(at(299));
  REQUIRE(due.size() == 1);
  CHECK(due[0].level == 0);
  CHECK(due[0].next == at(300));
  CHECK(n.book.due(at(301))[0].level == 1);
  CHECK(n.book.due(at(601))[0].level == 2);
  n.keep(n.book.acknowledge(due[0].id, "ada", "on it", at(700)));
  CHECK(n.book.due(at(9000)).empty());
}

TEST_CASE("Forgotten are whole days of resolved incidents, the oldest first") {
  BookLimits limits;
  limits.max_resolved = 3;
  Node n("a", limits);
  for (int64_t day = 0; day < 4; ++day) {
    for (int i = 0; i < 2; ++i) {
      const std::string key = "slo/" + std::to_string(i);
      const int64_t s = day * 86400 + i * 4000;
      n.begins(key, key, 2, s);
      n.ends(key, s + 60);
    }
    n.tick(day * 86400 + 20000);
  }
  CHECK(n.all(4 * 86400).size() == 2);
  CHECK(n.book.counters().pruned == 12);
  n.tick(100 * 86400);
  CHECK(n.all(100 * 86400).empty());
  CHECK(n.book.stats(at(100 * 86400)).bytes == 0);
  CHECK(n.book.merge(n.sent[0], at(100 * 86400)) == IncidentBook::Merge::refused);
  CHECK(n.book.counters().refused_old == 1);
}

TEST_CASE("A book that is full of open incidents refuses, counts it, and says so") {
  BookLimits limits;
  limits.max_events = 4;
  Node n("a", limits);
  for (int i = 0; i < 6; ++i) n.begins("k" + std::to_string(i), "s" + std::to_string(i), 2, i);
  CHECK(n.all(10).size() == 4);
  CHECK(n.book.counters().refused_full == 2);
  const auto done = n.book.declare("web", 1, "shop is gone", "ada", at(11));
  REQUIRE_FALSE(done);
  CHECK(done.error().code == Errc::exhausted);
}

TEST_CASE("A call graph forgets what is not called any more, and survives a restart") {
  Topology t;
  t.add_edge("web", "api", 100);
  t.add_edge("api", "db", 100);
  t.add_edge("api", "rare", 1);
  CHECK(t.depends("web", "db"));
  CHECK_FALSE(t.depends("db", "web"));
  CHECK(t.connected("db", "web"));
  CHECK_FALSE(t.depends("web", "rare"));
  Topology again;
  REQUIRE(again.merge_saved(t.save()));
  REQUIRE(again.merge_saved(t.save()));
  CHECK(again.save() == t.save());
  CHECK_FALSE(again.merge_saved("web\tapi\n"));
  for (int i = 0; i < 12; ++i) again.decay(0.5);
  CHECK(again.stats().edges == 0);
  TopologyLimits small;
  small.max_edges = 8;
  Topology full(small);
  for (int i = 0; i < 100; ++i) full.add_edge("a", "b" + std::to_string(i), i + 1);
  CHECK(full.stats().edges <= 8);
  CHECK(full.calls("a", "b99") == 100);
  CHECK(full.stats().forgotten >= 92);
}
TEST_CASE("What several nodes saw happen in the cluster is evidence once, what is of a node each") {
  Node a("a"), b("b");
  a.begins("burn/door", "door", 1, 0);
  for (const IncidentEvent& event : a.sent) (void)b.book.merge(event, at(1));
  const std::string id = a.all(1)[0].id;
  const auto add = [&](Node& node, const char* ref, const char* name, int64_t s) {
    node.keep(node.book.add(id, EventKind::diagnostics, "", "it happened",
                            {{"ref", ref}, {"node", name}}, at(s)));
  };
  add(a, "rollout/rs-1/bbb", "a", 10);  // before they hear of each other
  add(b, "rollout/rs-1/bbb", "b", 10);
  add(a, "vital/memory/10", "a", 11);
  add(b, "vital/memory/10", "b", 11);
  for (const IncidentEvent& event : b.sent) (void)a.book.merge(event, at(12));
  for (const IncidentEvent& event : a.sent) (void)b.book.merge(event, at(12));
  const Incident one = a.all(20)[0];
  CHECK(one.evidence.size() == 3);
  REQUIRE(b.all(20)[0].evidence.size() == 3);
  for (size_t i = 0; i < 3; ++i) {
    CHECK(one.evidence[i].entry.details == b.all(20)[0].evidence[i].entry.details);
  }
}
