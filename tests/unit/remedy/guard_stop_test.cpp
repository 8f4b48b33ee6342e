// Stops: who says them, what trips them, and what lifts them.
#include <catch2/catch.hpp>
#include <string>

#include "guard_node.hpp"

using namespace nines;
using namespace nines::remedy;
using namespace nines::remedy::testing;

TEST_CASE("Three failures in an hour trip the kill switch, and only a person resumes") {
  Node n;
  for (int i = 0; i < 3; ++i) {
    CHECK_FALSE(n.guard.stopped(at_s(i)));
    Proposal p =
        proposal("", Verb::unit_restart, "t" + std::to_string(i), "pi-" + std::to_string(i));
    p.target.namespace_ = "n" + std::to_string(i);
    p.who = "ada";
    const Verdict v = n.one(p, i);
    REQUIRE(v.event);
    must(n.guard.result(v.event->uid(), Guard::Outcome::failed, "", at_s(i)));
  }
  CHECK(n.guard.stopped(at_s(5)));  // before anyone has said so
  REQUIRE(n.guard.tick(at_s(5)).size() == 1);
  CHECK(n.guard.tick(at_s(6)).empty());
  CHECK(n.guard.stopped(at_s(900'000)));  // sticky
  CHECK_FALSE(n.guard.resume("", "", at_s(900'000)).ok());
  must(n.guard.resume("bob", "mended", at_s(900'000)));
  CHECK_FALSE(n.guard.stopped(at_s(900'001)));
}

TEST_CASE("Whose act failed says that the kill switch is tripped; others if that stays unsaid") {
  GuardLimits limits = open_limits();
  limits.node_per_hour = 100;
  Guard a({"pi-1", 1}, limits), b({"b", 1}, limits);
  for (int i = 0; i < 3; ++i) {
    Proposal p = local_restart("", i);
    p.target.name = "unit/pi-1/" + std::to_string(i);
    p.who = "ada";
    const Verdict v = a.propose({p}, std::nullopt, at_s(i))[0];
    REQUIRE(v.event);
    must(a.result(v.event->uid(), Guard::Outcome::failed, "", at_s(3000)));
  }
  for (const GuardEvent& e : a.events()) b.merge(e);
  CHECK(b.stopped(at_s(3001)));  // before anyone has said so
  CHECK(b.tick(at_s(3001)).empty());
  CHECK(a.tick(at_s(3001)).size() == 1);
  CHECK(b.tick(at_s(3001 + Guard::kOthersWaitS)).size() == 1);
  for (const GuardEvent& e : a.events()) b.merge(e);
  CHECK(b.tick(at_s(3002 + Guard::kOthersWaitS)).empty());
}

TEST_CASE("A stop that the resuming one did not know of still stands") {
  Guard a({"a", 1}, open_limits()), b({"b", 1}, open_limits());
  must(a.stop("file", "", "/etc/nines/STOP", at_s(0)));
  for (const GuardEvent& e : a.events()) b.merge(e);
  const GuardEvent second = must(a.stop("person", "ada", "wait", at_s(10)));
  must(b.resume("bob", "fine", at_s(20)));
  CHECK_FALSE(b.stopped(at_s(21)));
  b.merge(second);
  CHECK(b.stopped(at_s(22)));
}

TEST_CASE("A resume names what could not be read, however much is said with it") {
  Guard a({"a", 1}, open_limits()), b({"b", 1}, open_limits());
  const GuardEvent stop = must(a.stop("person", "ada", "", at_s(0)));
  // b has heard of it, and could not read it.
  const GuardEvent over = must(b.resume("bob", std::string(2000, 'x'), at_s(10), {stop.uid()}));
  CHECK(b.is_lifted(stop.uid()));
  b.merge(stop);
  CHECK_FALSE(b.stopped(at_s(11)));
  a.merge(*decode_guard(encode_guard(over)));
  CHECK_FALSE(a.stopped(at_s(11)));
}
