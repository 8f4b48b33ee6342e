#include "nines/remedy/guard.hpp"

#include <algorithm>
#include <catch2/catch.hpp>

#include "guard_fixture.hpp"
#include "nines/remedy/rule_check.hpp"

using namespace nines;
using namespace nines::remedy;
using namespace nines::remedy::testing;

namespace {

const Action kRestart{Verb::unit_restart, {}};

bool refused_for(const Verdict& v, Refusal why) {
  return !v.event && std::count(v.refused.begin(), v.refused.end(), why) == 1;
}

struct Node {
  Guard guard{{"pi-1", 1}, open_limits()};
  Verdict one(Proposal p, int64_t s, std::optional<uint64_t> token = 1) {
    return guard.propose({std::move(p)}, token, at_s(s))[0];
  }
  // Begun, done and judged.
  std::string ran(Proposal p, int64_t s, bool good) {
    const Verdict v = one(std::move(p), s);
    REQUIRE(v.event);
    must(guard.result(v.event->uid(), Guard::Outcome::ok, "", at_s(s + 1)));
    must(guard.verified(v.event->uid(), good, "", at_s(s + 601)));
    return v.event->uid();
  }
};

struct Armed : Node {
  Armed() { arm(guard, "restart-worker", kRestart, -90'000); }
};

}  // namespace

TEST_CASE("A rule acts by itself only after draft, shadow, approval and proof") {
  Node n;
  CHECK(refused_for(n.one(local_restart(), 0), Refusal::rule_state));
  must(n.guard.draft("restart-worker", kRestart, "crash_loop worker", "worker", "ada", at_s(0)));
  CHECK(refused_for(n.one(local_restart(), 1), Refusal::rule_state));
  CHECK_FALSE(n.guard.approve("restart-worker", "ada", at_s(1)).ok());
  must(n.guard.shadow("restart-worker", "ada", at_s(2)));
  for (int i = 0; i < 5; ++i) {
    CHECK_FALSE(n.guard.approve("restart-worker", "bob", at_s(3)).ok());
    const Verdict v = n.one(local_restart("restart-worker", i), 3 + i);
    REQUIRE(v.event);
    CHECK(v.event->kind == GuardKind::shadow_hit);
    CHECK_FALSE(n.one(local_restart("restart-worker", i), 3 + i).event);  // one an incident
  }
  CHECK(n.guard.acts().empty());
  must(n.guard.approve("restart-worker", "bob", at_s(10)));
  const Verdict asks = n.one(local_restart(), 11);
  CHECK(refused_for(asks, Refusal::needs_approval));
  CHECK(asks.page);
  CHECK_FALSE(n.guard.arm("restart-worker", 9, 0.9, "bob", at_s(12)).ok());
  CHECK_FALSE(n.guard.arm("restart-worker", 30, 0.59, "bob", at_s(12)).ok());
  must(n.guard.arm("restart-worker", 10, 0.6, "bob", at_s(12)));
  const Verdict acts = n.one(local_restart(), 13);
  REQUIRE(acts.event);
  CHECK(acts.event->kind == GuardKind::intent);
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

TEST_CASE("A target cools down, for twice as long after each act in a row") {
  Armed n;
  n.ran(local_restart(), 0, true);
  CHECK(refused_for(n.one(local_restart(), 899), Refusal::cool_down));
  n.ran(local_restart(), 900, true);
  CHECK(refused_for(n.one(local_restart(), 900 + 1799), Refusal::cool_down));
  CHECK(refused_for(n.one(local_restart(), 900 + 1801), Refusal::rule_rate));  // two in the hour
  n.ran(local_restart(), 3601, true);
  CHECK(refused_for(n.one(local_restart(), 3601 + 3599), Refusal::cool_down));
  // A clock that is set back opens nothing.
  CHECK(refused_for(n.one(local_restart(), -5000), Refusal::cool_down));
}

TEST_CASE("Rates of node, namespace and cluster count whatever was begun") {
  Node n;
  const auto act = [&](int i, const std::string& node, const std::string& space) {
    Proposal p = proposal("", Verb::unit_restart, "t" + std::to_string(i), node);
    p.target.namespace_ = space;
    p.who = "ada";
    return p;
  };
  n.ran(act(1, "pi-1", "a"), 0, true);
  n.ran(act(2, "pi-1", "a"), 700, true);
  CHECK(refused_for(n.one(act(3, "pi-1", "b"), 1400), Refusal::node_rate));
  n.ran(act(4, "pi-2", "a"), 1400, true);
  CHECK(refused_for(n.one(act(5, "pi-2", "a"), 2100), Refusal::namespace_rate));
  n.ran(act(6, "pi-3", "b"), 2100, true);
  n.ran(act(7, "pi-3", "b"), 2101, true);
  const Verdict open = n.one(act(8, "pi-4", "c"), 2800);
  REQUIRE(open.event);
  CHECK(refused_for(n.one(act(9, "pi-5", "d"), 2801), Refusal::nodes_at_once));
  CHECK(refused_for(n.one(act(9, "pi-5", "d"), 2801), Refusal::cluster_rate));
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

TEST_CASE("An opposite within the cool-down is held, and a person told") {
  Node n;
  arm(n.guard, "up", {Verb::scale_up, {}}, -90'000);
  arm(n.guard, "down", {Verb::scale_down, {}}, -80'000);
  n.ran(proposal("up", Verb::scale_up, "d"), 0, true);
  const Verdict v = n.one(proposal("down", Verb::scale_down, "d"), 700);
  CHECK(refused_for(v, Refusal::opposite));
  CHECK(v.page);
}

TEST_CASE(
    "More than two turns to and fro within an hour freeze the target until a person thaws it") {
  Guard guard({"pi-1", 1}, [] {
    GuardLimits limits = open_limits();
    limits.node_per_hour = limits.namespace_per_hour = limits.cluster_per_hour = 100;
    return limits;
  }());
  for (int i = 0; i < 4; ++i) {
    CHECK_FALSE(guard.frozen("node/pi-1", at_s(i * 700)));
    Proposal p = proposal("", i % 2 == 0 ? Verb::cordon : Verb::uncordon, "node/pi-1");
    p.who = "ada";
    const Verdict v = guard.propose({p}, 1, at_s(i * 700))[0];
    REQUIRE(v.event);
    must(guard.result(v.event->uid(), Guard::Outcome::ok, "", at_s(i * 700)));
    must(guard.verified(v.event->uid(), true, "", at_s(i * 700 + 600)));
  }
  CHECK(guard.frozen("node/pi-1", at_s(2800)));
  Proposal p = proposal("", Verb::cordon, "node/pi-1");
  p.who = "bob";
  CHECK(refused_for(guard.propose({p}, 1, at_s(2800))[0], Refusal::frozen));
  CHECK(guard.frozen("node/pi-1", at_s(2100 + 86'399)));
  CHECK_FALSE(guard.frozen("node/pi-1", at_s(2100 + 86'400)));
  must(guard.unfreeze("node/pi-1", "bob", at_s(2900)));
  CHECK_FALSE(guard.frozen("node/pi-1", at_s(2901)));
}

TEST_CASE("A rule that fails three times in a row is in shadow again, at once and for good") {
  GuardLimits limits = open_limits();
  limits.trip_failures = 100;
  Node n;
  n.guard = Guard({"pi-1", 1}, limits);
  arm(n.guard, "restart-worker", kRestart, -90'000);
  for (int i = 0; i < 3; ++i) n.ran(local_restart("restart-worker", i), i * 30'000, false);
  CHECK(refused_for(n.one(local_restart("restart-worker", 9), 100'000), Refusal::rule_state));
  const auto events = n.guard.tick(at_s(100'001));
  REQUIRE(events.size() == 1);
  CHECK(events[0].kind == GuardKind::rule_demoted);
  CHECK(n.guard.rule("restart-worker")->state == RuleState::shadow);
  CHECK(n.guard.rule("restart-worker")->hits == 0);
  CHECK(n.guard.tick(at_s(100'002)).empty());
}

TEST_CASE("A promotion by someone who did not know of a demotion is void on every node") {
  Guard a({"a", 1}, open_limits()), b({"b", 1}, open_limits());
  arm(a, "restart-worker", kRestart, 0);
  for (const GuardEvent& e : a.events()) b.merge(e);
  must(a.demote("restart-worker", "ada", "it hurts", at_s(100)));
  must(b.demote("restart-worker", "bob", "me too", at_s(101)));
  // c knows of one of them only, and goes on.
  Guard c({"c", 1}, open_limits());
  for (const GuardEvent& e : a.events()) c.merge(e);
  for (int i = 0; i < 5; ++i) c.propose({local_restart("restart-worker", 50 + i)}, 1, at_s(200));
  Proposal p = local_restart();
  p.target.node = "c";
  for (int i = 0; i < 5; ++i) {
    p.incident = "C" + std::to_string(i);
    c.propose({p}, 1, at_s(200));
  }
  must(c.approve("restart-worker", "eve", at_s(300)));
  CHECK(c.rule("restart-worker")->state == RuleState::approved);
  for (const GuardEvent& e : b.events()) c.merge(e);
  CHECK(c.rule("restart-worker")->state == RuleState::shadow);
}

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

TEST_CASE("The breaker opens when over half of the last six failed, for rules but not for people") {
  GuardLimits limits = open_limits();
  limits.trip_failures = 100;
  Node n;
  n.guard = Guard({"pi-1", 1}, limits);
  arm(n.guard, "restart-worker", kRestart, -200'000);
  for (int i = 0; i < 4; ++i) {
    CHECK_FALSE(n.guard.breaker_open(at_s(i * 8000)));
    Proposal p = local_restart("", i);
    p.who = "ada";
    p.target.name = "unit/pi-1/" + std::to_string(i);
    n.ran(p, i * 8000, false);
  }
  CHECK(n.guard.breaker_open(at_s(40'000)));
  CHECK(refused_for(n.one(local_restart(), 40'000), Refusal::breaker));
  Proposal p = local_restart("");
  p.who = "ada";
  CHECK(n.one(p, 40'000).event);
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

TEST_CASE("An event reads back, and nothing that is cut does") {
  Armed n;
  n.ran(local_restart(), 0, true);
  for (const GuardEvent& e : n.guard.events()) {
    const std::string bytes = encode_guard(e);
    CHECK(decode_guard(bytes) == e);
    CHECK_FALSE(decode_guard(bytes + "x"));
    for (size_t i = 0; i < bytes.size(); ++i) CHECK_FALSE(decode_guard(bytes.substr(0, i)));
  }
}

TEST_CASE("Of two events of one name all nodes keep the same, a stop before anything else") {
  Node n;
  const GuardEvent drafted = must(
      n.guard.draft("restart-worker", kRestart, "crash_loop worker", "worker", "ada", at_s(0)));
  GuardEvent other = drafted, stop = drafted;
  other.rule = "another";
  stop.kind = GuardKind::stop;
  stop.details = {{"source", "person"}};
  std::vector<GuardEvent> events{drafted, other, stop};
  const auto by_name = [](const GuardEvent& a, const GuardEvent& b) {
    return encode_guard(a) < encode_guard(b);
  };
  std::sort(events.begin(), events.end(), by_name);
  do {
    Guard guard({"pi-2", 1}, open_limits());
    for (const GuardEvent& e : events) (void)guard.merge(e);
    CHECK(guard.events() == std::vector{stop});
    CHECK(guard.stopped(at_s(1)));
    CHECK(guard.counters().conflicts == 2);
    Guard without({"pi-3", 1}, open_limits());
    for (const GuardEvent& e : events) {
      if (e != stop) (void)without.merge(e);
    }
    CHECK(without.events() == std::vector{std::min(drafted, other, by_name)});
  } while (std::next_permutation(events.begin(), events.end(), by_name));
}

TEST_CASE("A full log refuses acts and takes stops") {
  Armed n;
  for (int i = 0; i < 5000; ++i) {
    GuardEvent e = *n.guard.stop("person", "ada", "", at_s(0));
    if (n.guard.events().size() >= Guard::kMaxEvents) break;
  }
  must(n.guard.stop("file", "", "", at_s(1)));
  CHECK(refused_for(n.one(local_restart(), 2), Refusal::log_full));
  CHECK_FALSE(n.guard.draft("x", kRestart, "", "", "ada", at_s(3)).ok());
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

TEST_CASE("A promotion that knew of a demotion which has not come here lets nothing act") {
  Guard a({"a", 1}, open_limits()), late({"late", 1}, open_limits());
  arm(a, "restart-worker", kRestart, 0);
  const GuardEvent demotion = must(a.demote("restart-worker", "ada", "it hurts", at_s(100)));
  for (int i = 0; i < 5; ++i) {
    Proposal p = local_restart("restart-worker", 50 + i);
    p.target.node = "a";
    a.propose({p}, std::nullopt, at_s(200));
  }
  must(a.approve("restart-worker", "ada", at_s(300)));
  for (const GuardEvent& e : a.events()) {
    if (e.uid() != demotion.uid()) late.merge(e);
  }
  CHECK(late.rule("restart-worker")->state == RuleState::shadow);
  late.merge(demotion);
  CHECK(late.rule("restart-worker")->state == RuleState::approved);
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

TEST_CASE("A fleet that does much keeps as much as limits look back, if not a week") {
  GuardLimits limits = open_limits();
  limits.freeze_s = limits.breaker_s = 3600;
  limits.cool_down_most_s = 1800;
  Guard b({"b", 1}, limits);
  int64_t s = 0;
  for (uint64_t i = 1; i <= 3000; ++i, s += 60) {  // an act of others every two minutes
    GuardEvent intent;
    intent.node = "pi-1";
    intent.boot = 1;
    intent.sequence = 2 * i;
    intent.at = at_s(s);
    intent.kind = GuardKind::intent;
    intent.details = {
        {"action", kRestart.key()}, {"target", "unit/pi-1/w"}, {"node", "pi-1"}, {"local", "1"}};
    REQUIRE(b.merge(intent) == Guard::Merge::news);
    GuardEvent end = intent;
    end.sequence = 2 * i + 1;
    end.kind = GuardKind::result;
    end.details = {{"act", intent.uid()}, {"outcome", "failed"}};
    REQUIRE(b.merge(end) == Guard::Merge::news);
    b.tick(at_s(s));
  }
  CHECK(b.events().size() < Guard::kMaxEvents * 3 / 4 + 2);
  const auto acts = b.acts();
  CHECK(acts.front().at <= at_s(s - 3660));
  CHECK(b.counters().refused == 0);
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

TEST_CASE("A single action has a limit of its own, whatever rule begins it") {
  const Action reset{Verb::program, "reset"};
  GuardLimits limits = open_limits();
  limits.per_hour[reset] = 1;
  limits.cool_down_s = 0;
  Node n;
  n.guard = Guard({"pi-1", 1}, limits);
  const auto of = [&](const std::string& rule, const Action& action) {
    arm(n.guard, rule, action, -90'000);
    must(n.guard.allow_once(rule, "program/pi-1/api", "INC-1", "bob", at_s(0)));
    Proposal p = proposal(rule, Verb::program, "program/pi-1/api");
    p.action = action;
    p.target.namespace_.clear();
    p.target.local = true;
    return p;
  };
  const Proposal first = of("a", reset), second = of("b", reset);
  const Proposal other = of("c", {Verb::program, "other"});
  n.ran(first, 0, true);
  CHECK(n.one(second, 700).refused == std::vector{Refusal::action_rate});
  CHECK(n.one(other, 701).go());
}

TEST_CASE("Rules that may meet on one incident and undo each other are seen beforehand") {
  const auto rule = [](const std::string& name, const Action& action, const std::string& signature,
                       const std::string& service = "") {
    return RuleLife{name, RuleState::shadow, action, signature, service, 0, 0, 0, {}, {}};
  };
  const Action divert{Verb::program, "divert"}, restore{Verb::program, "restore"};
  GuardLimits limits;
  limits.undone_by[divert] = restore;
  const std::vector<RuleLife> rules{
      rule("up", {Verb::scale_up, {}}, "burn_rate api"),
      rule("down", {Verb::scale_down, {}}, "burn_rate api"),
      rule("down-elsewhere", {Verb::scale_down, {}}, "burn_rate shop"),
      rule("down-of-service", {Verb::scale_down, {}}, "", "api"),
      rule("divert", divert, "burn_rate api", "api"),
      rule("restore", restore, "", "api"),
      rule("restore-another", restore, "", "shop"),
  };
  const auto names = [&](size_t of) {
    std::vector<std::string> out;
    for (const RuleLife& one : opposing(rules[of], rules, limits)) out.push_back(one.rule);
    return out;
  };
  CHECK(names(0) == std::vector<std::string>{"down", "down-of-service"});
  CHECK(names(2) == std::vector<std::string>{});
  CHECK(names(4) == std::vector<std::string>{"restore"});
  CHECK(names(5) == std::vector<std::string>{"divert"});
  // A coarse signature meets a finer one on one incident, from either side.
  const RuleLife finer = rule("fine", {Verb::scale_up, {}}, "burn_rate shop | fast | line x");
  const RuleLife other = rule("other", {Verb::scale_up, {}}, "burn_rate shopping");
  REQUIRE(opposing(finer, rules, limits).size() == 2);
  CHECK(opposing(finer, rules, limits)[0].rule == "down-elsewhere");
  CHECK(opposing(finer, rules, limits)[1].rule == "down-of-service");
  CHECK(opposing(rules[2], {finer}, limits).size() == 1);
  CHECK(opposing(rules[2], {other}, limits).empty());
  RuleLife gone = rules[1];
  gone.state = RuleState::none;
  CHECK(opposing(rules[0], {gone}, limits).empty());
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

TEST_CASE("A rule says since when it is in its state, and a draft what it was made from") {
  Guard guard({"pi-1", 1}, open_limits());
  must(guard.draft("r", {Verb::unit_restart, "w"}, "crash_loop w", "", {}, at_s(0), "p1"));
  CHECK(guard.rule("r")->procedure == "p1");
  CHECK(guard.rule("r")->since == at_s(0));
  must(guard.shadow("r", "ada", at_s(100)));
  CHECK(guard.rule("r")->since == at_s(100));
  must(guard.demote("r", {}, "no need", at_s(200)));
  CHECK(guard.rule("r")->since == at_s(100));
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

TEST_CASE("What a person lets a rule do does not judge the rule") {
  GuardLimits limits = open_limits();
  limits.trip_failures = limits.breaker_of = 100;
  Node n;
  n.guard = Guard({"pi-1", 1}, limits);
  arm(n.guard, "restart-worker", kRestart, -90'000);
  Proposal p = local_restart();
  for (int i = 0; i < 5; ++i) {
    p.who = i == 4 ? "" : "ada";  // only the last one is its own
    n.ran(p, i * 30'000, false);
  }
  CHECK(n.guard.tick(at_s(121'000)).empty());
  CHECK(n.guard.rule("restart-worker")->failures == 1);
  CHECK(n.guard.rule("restart-worker")->state == RuleState::automatic);
  p.who = "ada";
  n.ran(p, 150'000, true);
  CHECK(n.guard.rule("restart-worker")->failures == 1);  // nor does it mend it
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
