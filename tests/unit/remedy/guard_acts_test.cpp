// The course of an act: begun, in doubt, judged, undone.
#include <catch2/catch.hpp>
#include <string>

#include "guard_node.hpp"

using namespace nines;
using namespace nines::remedy;
using namespace nines::remedy::testing;

TEST_CASE("An act is begun in time, in the life and under the token of its intent, or not at all") {
  Armed n;
  Proposal shared = proposal("restart-worker", Verb::unit_restart, "unit/pi-2/worker", "pi-2");
  const GuardEvent intent = *n.one(shared, 0, 7).event;
  CHECK(n.guard.may_start(intent.uid(), 7, at_s(29)));
  CHECK_FALSE(n.guard.may_start(intent.uid(), 8, at_s(1)));
  CHECK_FALSE(n.guard.may_start(intent.uid(), std::nullopt, at_s(1)));
  CHECK_FALSE(n.guard.may_start(intent.uid(), 7, at_s(30)));
  CHECK_FALSE(n.guard.may_start(intent.uid(), 7, at_s(-1)));
  must(n.guard.stop("config", "", "", at_s(2)));
  CHECK_FALSE(n.guard.may_start(intent.uid(), 7, at_s(3)));
}

TEST_CASE(
    "An intent without a result is never repeated: it is looked at, then settled by a person") {
  Armed before;
  const GuardEvent intent = *before.one(local_restart(), 0).event;
  // It crashed here. The next life knows what was durable.
  Node n;
  n.guard = Guard({"pi-1", 2}, open_limits());
  for (const GuardEvent& e : before.guard.events()) n.guard.merge(e);
  CHECK_FALSE(n.guard.may_start(intent.uid(), 1, at_s(1)));
  REQUIRE(n.guard.to_recheck(std::nullopt, at_s(1)).size() == 1);
  CHECK(n.guard.to_recheck(std::nullopt, at_s(1))[0].target_uid == "u-unit/pi-1/worker");
  CHECK(refused_for(n.one(local_restart("restart-worker", 2), 50'000), Refusal::busy));
  must(n.guard.doubt(intent.uid(), "the unit does not say when it was started", at_s(2)));
  CHECK(n.guard.to_recheck(std::nullopt, at_s(50'000)).empty());
  CHECK(refused_for(n.one(local_restart("restart-worker", 2), 50'000), Refusal::busy));
  CHECK_FALSE(n.guard.settle(intent.uid(), "", "", at_s(50'001)).ok());
  must(n.guard.settle(intent.uid(), "bob", "it was done", at_s(50'001)));
  CHECK(n.one(local_restart("restart-worker", 2), 50'002).event);
}

TEST_CASE("An act of this life whose result is not known is looked at once it cannot begin") {
  Armed n;
  const Verdict v = n.one(local_restart(), 0);
  REQUIRE(v.go());
  CHECK(n.guard.to_recheck(1, at_s(29)).empty());
  CHECK(n.guard.may_start(v.event->uid(), 1, at_s(29)));
  CHECK(n.guard.to_recheck(1, at_s(30)).size() == 1);
  CHECK_FALSE(n.guard.may_start(v.event->uid(), 1, at_s(30)));
}

TEST_CASE(
    "Whether an act helped may stay unknown: its target is closed until a person settles it") {
  Armed n;
  const Verdict v = n.one(local_restart(), 0);
  must(n.guard.result(v.event->uid(), Guard::Outcome::ok, "", at_s(1)));
  const GuardEvent doubt = must(n.guard.doubt(v.event->uid(), "no such incident", at_s(700)));
  CHECK(n.guard.find(v.event->uid())->phase == Phase::in_doubt);
  CHECK(n.guard.to_verify(1, at_s(9000)).empty());
  CHECK(refused_for(n.one(local_restart("restart-worker", 2), 9000), Refusal::busy));
  CHECK(n.guard.rule("restart-worker")->failures == 0);
  must(n.guard.settle(v.event->uid(), "bob", "it helped", at_s(9001)));
  CHECK(n.one(local_restart("restart-worker", 2), 9002).event);
}

TEST_CASE("How an act of a node on itself went only that node says, or a person who settles it") {
  Guard a({"pi-1", 1}, open_limits()), eve({"eve", 1}, open_limits());
  Proposal p = local_restart("");
  p.who = "ada";
  const Verdict v = a.propose({p}, std::nullopt, at_s(0))[0];
  REQUIRE(v.event);
  eve.merge(*v.event);
  const GuardEvent lie = must(eve.result(v.event->uid(), Guard::Outcome::not_done, "", at_s(1)));
  a.merge(lie);
  CHECK(a.acts()[0].phase == Phase::intended);
  CHECK(eve.acts()[0].phase == Phase::intended);
  // Nor does one that says that it is the act of another node on itself count as such.
  GuardEvent forged = *v.event;
  forged.node = "eve";
  forged.sequence = 99;
  a.merge(forged);
  REQUIRE(a.acts().size() == 2);
  CHECK_FALSE(a.find(forged.uid())->local);
  a.merge(must(eve.settle(v.event->uid(), "bob", "I have looked", at_s(2))));
  CHECK(a.find(v.event->uid())->phase == Phase::settled);
}

TEST_CASE("What went wrong is undone once, and then a person is called") {
  Node n;
  arm(n.guard, "up", {Verb::scale_up, {}}, -90'000);
  const std::string act = n.ran(proposal("up", Verb::scale_up, "d"), 0, false);
  auto back = n.guard.rollback_of(act, at_s(700));
  REQUIRE(back);
  CHECK(back->action.verb == Verb::scale_down);
  CHECK(back->target.uid == "u-d");
  back->facts = good_facts();
  const Verdict v = n.one(*back, 700);
  REQUIRE(v.event);
  CHECK_FALSE(n.guard.rollback_of(act, at_s(701)));
  must(n.guard.result(v.event->uid(), Guard::Outcome::ok, "", at_s(701)));
  must(n.guard.verified(v.event->uid(), false, "", at_s(1400)));
  CHECK_FALSE(n.guard.rollback_of(v.event->uid(), at_s(1401)));
  CHECK(refused_for(n.one(*back, 1402), Refusal::rolled_back));
  const std::string restart = n.ran(
      [] {
        Proposal p = local_restart("");
        p.who = "ada";
        p.target.node = "pi-1";
        return p;
      }(),
      9000, false);
  CHECK_FALSE(n.guard.rollback_of(restart, at_s(10'000)));  // nothing undoes a restart
}

TEST_CASE("What was verified as bad and not undone is known as such after a restart") {
  Node n;
  arm(n.guard, "up", {Verb::scale_up, {}}, -90'000);
  const std::string act = n.ran(proposal("up", Verb::scale_up, "d"), 0, false);
  Guard next({"pi-1", 2}, open_limits());
  for (const GuardEvent& e : n.guard.events()) next.merge(e);
  REQUIRE(next.to_roll_back(1, at_s(700)).size() == 1);
  CHECK(next.to_roll_back(1, at_s(602 + 3600)).empty());  // a person has looked by then
  auto back = next.rollback_of(act, at_s(700));
  back->facts = good_facts();
  REQUIRE(next.propose({*back}, 1, at_s(700))[0].go());
  CHECK(next.to_roll_back(1, at_s(701)).empty());
}

TEST_CASE("What the configuration can take back acts by itself, and is taken back once") {
  const Action divert{Verb::program, "divert"}, restore{Verb::program, "restore"};
  GuardLimits limits = open_limits();
  limits.undone_by[divert] = restore;
  Node n;
  n.guard = Guard({"pi-1", 1}, limits);
  arm(n.guard, "divert", divert, -90'000);
  must(n.guard.arm("divert", 20, 0.7, "bob", at_s(0)));
  Proposal p = proposal("divert", Verb::program, "program/pi-1/api");
  p.action = divert;
  p.target.namespace_.clear();
  p.target.local = true;
  const std::string act = n.ran(p, 0, false);
  auto back = n.guard.rollback_of(act, at_s(700));
  REQUIRE(back);
  CHECK(back->action == restore);
  back->facts = good_facts();
  Proposal another = *back;
  another.action.parameter = "clear-cache";
  CHECK(refused_for(n.one(another, 700, std::nullopt), Refusal::reach));
  CHECK(n.one(*back, 700, std::nullopt).go());
  CHECK_FALSE(n.guard.rollback_of(act, at_s(701)));
  CHECK(reach_of(restore, limits) == Reach::irreversible);  // nothing takes that back
}

TEST_CASE("What undoes an act may start in the moment in which that was judged") {
  Node n;
  arm(n.guard, "start", {Verb::unit_start, "worker.service"}, -90'000);
  Proposal p = proposal("start", Verb::unit_start, "unit/pi-1/worker.service");
  p.action.parameter = "worker.service";
  p.target.namespace_.clear();
  p.target.local = true;
  const std::string act = n.ran(p, 0, false);
  auto back = n.guard.rollback_of(act, at_s(601));
  REQUIRE(back);
  back->facts = good_facts();
  const Verdict v = n.one(*back, 601, std::nullopt);
  REQUIRE(v.go());
  CHECK(n.guard.may_start(v.event->uid(), std::nullopt, at_s(601)));
  CHECK_FALSE(n.guard.may_start(v.event->uid(), std::nullopt, at_s(590)));  // set back
}
