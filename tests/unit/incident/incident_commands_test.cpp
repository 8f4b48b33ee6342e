#include <catch2/catch.hpp>
#include <stdexcept>

#include "book_fixture.hpp"

using namespace nines;
using namespace nines::incident;
using namespace nines::incident::testing;

namespace {

struct Open {
  Open() : n("a") {
    n.begins("slo/api", "api", 1, 0);
    id = n.all(0)[0].id;
  }
  Incident now(int64_t s) const { return *n.book.find(id, at(s)); }
  Node n;
  std::string id;
};

}  // namespace

TEST_CASE("An incident is acknowledged, mitigated and resolved, each once, by somebody") {
  Open o;
  CHECK_FALSE(o.n.book.acknowledge(o.id, "", "", at(1)));
  o.n.keep(o.n.book.acknowledge(o.id, "ada", "looking", at(10)));
  CHECK(o.now(10).state == State::acknowledged);
  const auto twice = o.n.book.acknowledge(o.id, "bob", "", at(11));
  REQUIRE_FALSE(twice);
  CHECK(twice.error().message == o.id + " was acknowledged at 2026-03-01 12:00:10 UTC by ada");
  o.n.keep(o.n.book.mitigate(o.id, "ada", "rolled back", at(20)));
  CHECK(o.now(20).state == State::mitigated);
  const auto early = o.n.book.resolve(o.id, "ada", "fixed", false, at(30));
  REQUIRE_FALSE(early);
  CHECK(early.error().message.find("a condition holds (api burns its budget)") !=
        std::string::npos);
  o.n.ends("slo/api", 40);
  o.n.keep(o.n.book.resolve(o.id, "ada", "fixed", false, at(50)));
  CHECK(o.now(50).state == State::resolved);
  CHECK(o.now(50).resolution == "fixed");
  CHECK(o.now(50).recovered == at(40));
  CHECK_FALSE(o.n.book.acknowledge(o.id, "bob", "", at(60)));
}

TEST_CASE("Who mends an incident has acknowledged it") {
  Open o;
  o.n.keep(o.n.book.mitigate(o.id, "ada", "", at(20)));
  CHECK(o.now(20).acknowledged == at(20));
  CHECK(o.now(20).acknowledged_by == "ada");
}

TEST_CASE("Resolved with force while it holds: quiet at first, then another incident") {
  Open o;
  o.n.keep(o.n.book.resolve(o.id, "ada", "known, harmless", true, at(3500)));
  o.n.run(3510, 3500 + 1700);
  CHECK(o.n.all(5200).size() == 1);
  CHECK(o.now(5200).state == State::resolved);
  o.n.run(5210, 9000);
  CHECK(o.n.all(9000).size() == 2);
}

TEST_CASE("What a person reopened only a person resolves, or new trouble does away with that") {
  Open o;
  CHECK_FALSE(o.n.book.reopen(o.id, "ada", "", at(1)));
  o.n.ends("slo/api", 10);
  o.n.keep(o.n.book.reopen(o.id, "ada", "still slow", at(700)));
  CHECK(o.now(100'000).state == State::reopened);
  o.n.begins("slo/api", "api", 1, 100'000);
  o.n.ends("slo/api", 100'010);
  CHECK(o.now(100'610).state == State::resolved);
}

TEST_CASE("A person's severity stands until something worse begins") {
  Open o;
  CHECK_FALSE(o.n.book.set_severity(o.id, 4, "ada", "", at(1)));
  o.n.keep(o.n.book.set_severity(o.id, 3, "ada", "nobody uses it", at(10)));
  CHECK(o.now(10).severity == 3);
  CHECK(o.now(10).severity_by == "ada");
  o.n.begins("storm/api", "api", 3, 20);
  CHECK(o.now(20).severity == 3);
  o.n.begins("down/api", "api", 0, 30);
  CHECK(o.now(30).severity == 0);
  CHECK(o.now(30).severity_by.empty());
}

TEST_CASE("Roles, notes, actions, evidence and causes are kept with the incident") {
  Open o;
  auto& b = o.n.book;
  o.n.keep(b.assign(o.id, Role::commander, "ada", "bob", at(5)));
  o.n.keep(b.add(o.id, EventKind::note, "bob", "seen since the deploy", {}, at(6)));
  o.n.keep(b.add(o.id, EventKind::action, "bob", "restarted", {{"outcome", "no help"}}, at(7)));
  o.n.keep(b.add(o.id, EventKind::impact, "", "412 of 1009 requests", {}, at(8)));
  o.n.keep(b.add(o.id, EventKind::suspects, "", "1. api: errors", {}, at(9)));
  CHECK_FALSE(b.add(o.id, EventKind::resolved, "bob", "x", {}, at(9)));
  CHECK_FALSE(b.add(o.id, EventKind::note, "bob", "", {}, at(9)));
  const Incident i = o.now(10);
  CHECK(i.roles[0] == "ada");
  CHECK(i.notes.at(0).text == "seen since the deploy");
  CHECK(*i.actions.at(0).detail("outcome") == "no help");
  CHECK(i.newest(EventKind::suspects)->number == 2);
  CHECK(i.history.size() == 6);
}

TEST_CASE("Action items have a name, an owner and a date, and are overdue behind it") {
  Open o;
  auto& b = o.n.book;
  o.n.keep(b.add_item(o.id, "alert on queue", "ada", at(86400), "high", "bob", at(10)));
  o.n.keep(b.add_item(o.id, "write runbook", "", {}, "", "bob", at(11)));
  CHECK_FALSE(b.finish_item(o.id, "A3", "ada", at(12)));
  CHECK(o.now(86401).items.at(0).overdue(at(86401)));
  CHECK_FALSE(o.now(86401).items.at(1).overdue(at(86401)));
  o.n.keep(b.finish_item(o.id, "A1", "ada", at(90000)));
  CHECK(o.now(90001).items.at(0).done == at(90000));
  const auto twice = b.finish_item(o.id, "A1", "ada", at(90002));
  REQUIRE_FALSE(twice);
  CHECK(twice.error().message.find("A1") != std::string::npos);
}

TEST_CASE("A person declares an incident, and it waits for a person") {
  Node n("a");
  n.keep(n.book.declare("web", 0, "customers call: shop is gone", "ada", at(0)));
  const Incident i = n.all(0)[0];
  CHECK(i.severity == 0);
  CHECK(i.title == "customers call: shop is gone");
  CHECK(n.all(50'000)[0].state == State::open);
  CHECK_FALSE(n.book.declare("web", 0, "", "ada", at(0)));
}

TEST_CASE("Two incidents that a person links are one, found by both ids") {
  Open o;
  o.n.begins("slo/mail", "mail", 2, 5);
  const std::string other = o.n.all(5)[0].id;
  o.n.keep(o.n.book.link(other, o.id, "ada", at(20)));
  CHECK(o.n.all(20).size() == 1);
  CHECK(o.n.book.find(other, at(20))->id == o.id);
  CHECK_FALSE(o.n.book.link(other, o.id, "ada", at(21)));
}

TEST_CASE("An unknown incident is an error that says how ids look") {
  Open o;
  const auto done = o.n.book.acknowledge("INC-2026-0301-999x", "ada", "", at(1));
  REQUIRE_FALSE(done);
  CHECK(done.error().code == Errc::not_found);
  CHECK(done.error().message.find("nines incident list") != std::string::npos);
}

TEST_CASE("What is said with a clock that is behind still comes after what it answers") {
  Node a("a"), b("b");
  a.begins("slo/api", "api", 1, 100);
  b.takes(a.sent, 60);
  const std::string id = b.all(60)[0].id;
  b.keep(b.book.acknowledge(id, "ada", "", at(60)));
  a.takes(b.sent, 101);
  CHECK(a.all(101)[0].state == State::acknowledged);
}
