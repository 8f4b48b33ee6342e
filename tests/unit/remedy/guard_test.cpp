// What may be done now, and what is refused by which name.
#include <algorithm>
#include <catch2/catch.hpp>
#include <vector>

#include "guard_node.hpp"

using namespace nines;
using namespace nines::remedy;
using namespace nines::remedy::testing;

TEST_CASE("What is not known is refused, each thing by its name") {
  Armed n;
  const auto refused = [&](Refusal why, auto change) {
    Proposal p = proposal("restart-worker", Verb::unit_restart, "unit/pi-1/worker");
    p.target.local = true;
    change(p);
    INFO(refusal_text(why));
    CHECK(refused_for(n.guard.propose({p}, 1, at_s(0))[0], why));
  };
  refused(Refusal::unknown_target, [](Proposal& p) { p.facts.known = false; });
  refused(Refusal::unknown_target, [](Proposal& p) { p.target.node.clear(); });
  refused(Refusal::unknown_target, [](Proposal& p) { p.target.name = std::string(990, 'x'); });
  refused(Refusal::clock, [](Proposal& p) { p.facts.clock_set = false; });
  refused(Refusal::over, [](Proposal& p) { p.facts.holds = false; });
  refused(Refusal::other_incident, [](Proposal& p) { p.facts.other_incident.reset(); });
  refused(Refusal::other_incident, [](Proposal& p) { p.facts.other_incident = true; });
  refused(Refusal::closed_namespace, [](Proposal& p) { p.target.namespace_ = "kube-system"; });
  refused(Refusal::rule_state, [](Proposal& p) { p.action.verb = Verb::unit_stop; });
  refused(Refusal::isolated, [](Proposal& p) {
    p.facts.isolated = true;
    p.target.local = false;
  });
  CHECK(n.guard.acts().empty());
  Proposal shared = proposal("restart-worker", Verb::unit_restart, "unit/pi-2/worker", "pi-2");
  shared.target.local = true;  // it says so, but is another node
  CHECK(refused_for(n.one(shared, 0, std::nullopt), Refusal::no_lease));
}

TEST_CASE("Nothing is allowed by default") {
  Guard guard({"pi-1", 1});
  CHECK(guard.stopped(at_s(0)));
  const Verdict v = guard.propose({local_restart("")}, 1, at_s(0))[0];
  CHECK(refused_for(v, Refusal::disabled));
  CHECK(refused_for(v, Refusal::verb));
}

TEST_CASE("Pods are left alone where they are bare, hold a volume or are too few") {
  Node n;
  const auto refused = [&](Refusal why, auto change) {
    Proposal p = proposal("", Verb::evict_pod, "pod/shop/api-1");
    p.who = "ada";
    change(p.facts);
    CHECK(refused_for(n.one(p, 0), why));
  };
  refused(Refusal::unsafe_target, [](Facts& f) { f.bare = true; });
  refused(Refusal::unsafe_target, [](Facts& f) { f.has_volume = true; });
  refused(Refusal::minimum, [](Facts& f) { f.ready = 1; });
  refused(Refusal::minimum, [](Facts& f) { f.budget_allows = false; });
}

TEST_CASE("An approval is for one act on one target in one incident, and runs out to no") {
  Node n;
  arm(n.guard, "hook", {Verb::webhook, "purge"}, -90'000);
  Proposal p = proposal("hook", Verb::webhook, "hook/purge");
  p.action.parameter = "purge";
  CHECK(refused_for(n.one(p, 0), Refusal::needs_approval));
  CHECK_FALSE(n.guard.arm("hook", 50, 0.9, "bob", at_s(0)).ok());  // cannot be undone
  must(n.guard.allow_once("hook", "hook/purge", "INC-1", "bob", at_s(0)));
  CHECK(refused_for(n.one(p, 901), Refusal::needs_approval));
  must(n.guard.allow_once("hook", "hook/purge", "INC-1", "bob", at_s(1000)));
  Proposal other = p;
  other.incident = "INC-2";
  CHECK(refused_for(n.one(other, 1001), Refusal::needs_approval));
  other = p;
  other.target.name = "hook/other";
  CHECK(refused_for(n.one(other, 1001), Refusal::needs_approval));
  REQUIRE(n.one(p, 1001).event);
  CHECK(refused_for(n.one(p, 1002), Refusal::needs_approval));  // it is used
}

TEST_CASE("An approval is used up also where its writer's clock is ahead of who acts by it") {
  GuardLimits limits = open_limits();
  limits.cool_down_s = 0;
  Guard approver({"a", 1}, limits);
  Node n;
  n.guard = Guard({"pi-1", 1}, limits);
  arm(n.guard, "hook", {Verb::webhook, "purge"}, -90'000);
  for (const GuardEvent& e : n.guard.events()) approver.merge(e);
  const GuardEvent allowed =
      must(approver.allow_once("hook", "hook/purge", "INC-1", "bob", at_s(50)));
  n.guard.merge(allowed);
  Proposal p = proposal("hook", Verb::webhook, "hook/purge");
  p.action.parameter = "purge";
  const Verdict first = n.one(p, 0);
  REQUIRE(first.go());
  CHECK(comes_before(allowed, *first.event));
  CHECK(n.guard.may_start(first.event->uid(), 1, at_s(1)));  // by its own clock
  must(n.guard.result(first.event->uid(), Guard::Outcome::ok, "", at_s(2)));
  must(n.guard.verified(first.event->uid(), true, "", at_s(602)));
  CHECK(refused_for(n.one(p, 603), Refusal::needs_approval));
  // After a restart, too, and whatever comes first.
  for (const bool back : {false, true}) {
    Guard again({"pi-1", 2}, limits);
    std::vector<GuardEvent> events = n.guard.events();
    if (back) std::reverse(events.begin(), events.end());
    for (const GuardEvent& e : events) again.merge(e);
    CHECK(refused_for(again.propose({p}, 1, at_s(604))[0], Refusal::needs_approval));
  }
  // An intent of who did not order it behind its approval.
  GuardEvent early = *first.event;
  early.after = {};
  Guard other({"b", 1}, limits);
  for (const GuardEvent& e : n.guard.events()) {
    if (e.kind < GuardKind::intent) other.merge(e);
  }
  other.merge(early);
  CHECK(refused_for(other.propose({p}, 1, at_s(5000))[0], Refusal::needs_approval));
  CHECK(refused_for(other.propose({p}, 1, at_s(60))[0], Refusal::needs_approval));
}

TEST_CASE("Of proposals of one moment people go first, then severity, scope, proof and name") {
  std::vector<Proposal> all;
  all.push_back(proposal("b", Verb::cordon, "node/pi-1"));
  all.push_back(proposal("b", Verb::rollout_restart, "d"));
  all.push_back(proposal("a", Verb::rollout_restart, "d"));
  all.push_back(proposal("c", Verb::rollout_restart, "d"));
  all.back().proven_low = 0.9;
  all.push_back(proposal("z", Verb::cordon, "node/pi-2"));
  all.back().severity = 0;
  all.push_back(proposal("", Verb::cordon, "node/pi-3"));
  all.back().who = "ada";
  all.back().severity = 3;
  std::sort(all.begin(), all.end(), goes_before);
  std::string order;
  for (const Proposal& p : all) order += p.rule.empty() ? "-" : p.rule;
  CHECK(order == "-zcabb");
}

TEST_CASE("Windows are civil time, may go over midnight, and yield to an approved P0") {
  const std::vector<Window> night{{{0b0010000, 22 * 3600, 6 * 3600}}};  // Friday night
  const auto friday = WallTime::from_s(1'700'179'200);                  // 2023-11-17 00:00
  const auto hour = [&](int h) { return WallTime{friday.ns + h * 3600 * kNsPerSecond}; };
  CHECK_FALSE(in_windows(night, hour(21)));
  CHECK(in_windows(night, hour(22)));
  CHECK(in_windows(night, hour(29)));
  CHECK_FALSE(in_windows(night, hour(30)));
  CHECK_FALSE(in_windows(night, hour(2)));
  CHECK(in_windows({}, hour(2)));
  Armed n;
  GuardLimits limits = open_limits();
  limits.windows = {{{0}}};  // never
  Guard guard({"pi-1", 1}, limits);
  for (const GuardEvent& e : n.guard.events()) guard.merge(e);
  Proposal p = local_restart();
  CHECK(refused_for(guard.propose({p}, 1, at_s(0))[0], Refusal::window));
  must(guard.allow_once("restart-worker", p.target.name, p.incident, "bob", at_s(0)));
  CHECK(refused_for(guard.propose({p}, 1, at_s(1))[0], Refusal::window));
  p.severity = 0;
  CHECK(guard.propose({p}, 1, at_s(2))[0].event);
}

TEST_CASE(
    "What cannot be undone asks a person each time, also on the node itself without a lease") {
  Node n;
  const Action clear{Verb::program, "clear-cache"};
  arm(n.guard, "clear", clear, -90'000);  // its hits in shadow count without a lease, too
  Proposal p = proposal("clear", Verb::program, "program/pi-1/api");
  p.action = clear;
  p.target.namespace_.clear();
  p.target.local = true;
  const Verdict asks = n.one(p, 0, std::nullopt);
  CHECK(asks.refused == std::vector{Refusal::needs_approval});
  CHECK(asks.page);
  CHECK_FALSE(n.guard.arm("clear", 50, 0.9, "bob", at_s(0)).ok());
  must(n.guard.allow_once("clear", "program/pi-1/api", "INC-1", "bob", at_s(1)));
  p.facts.isolated = true;
  CHECK(n.one(p, 2, std::nullopt).refused == std::vector{Refusal::isolated});
  p.facts.isolated = false;
  CHECK(n.one(p, 3, std::nullopt).go());
}

TEST_CASE("What the guard would say is what it says, and asking writes nothing") {
  Guard guard({"pi-1", 1}, open_limits());
  arm(guard, "restart-worker", {Verb::unit_restart, {}}, 0);
  const size_t before = guard.events().size();
  CHECK(guard.would(local_restart(), std::nullopt, at_s(1000)).empty());
  Proposal closed = local_restart();
  closed.facts.holds = false;
  closed.rule = "unknown";
  const auto said = guard.would(closed, std::nullopt, at_s(1000));
  CHECK(guard.events().size() == before);
  CHECK(said == guard.propose({closed}, std::nullopt, at_s(1000)).front().refused);
  CHECK(said == std::vector{Refusal::rule_state, Refusal::over});
}
