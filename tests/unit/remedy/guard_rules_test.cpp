// The lives of rules: what was drafted twice, and what shadow has shown.
#include <catch2/catch.hpp>

#include "guard_node.hpp"
#include "nines/remedy/rule_check.hpp"

using namespace nines;
using namespace nines::remedy;
using namespace nines::remedy::testing;

TEST_CASE("A draft that Nines wrote elsewhere takes no promotion back") {
  const Action action{Verb::unit_restart, {}};
  Guard a({"pi-1", 1}, open_limits()), b({"pi-2", 1}, open_limits());
  const auto healed = [&](const Guard& first, const Guard& second) {
    Guard out({"pi-3", 1}, open_limits());
    for (const GuardEvent& e : first.events()) out.merge(e);
    for (const GuardEvent& e : second.events()) out.merge(e);
    return *out.rule("r");
  };
  // Cut off from each other both learn the same; on one a person goes on.
  must(b.draft("r", action, "crash_loop api", {}, {}, at_s(0), "p1"));
  must(a.draft("r", action, "crash_loop api", {}, {}, at_s(5), "p1"));
  must(a.shadow("r", "ada", at_s(10)));
  CHECK(healed(a, b).state == RuleState::shadow);  // of a draft that is not the first
  CHECK(healed(b, a).state == RuleState::shadow);
  must(b.draft("r", action, "crash_loop api", {}, {}, at_s(20), "p2"));
  CHECK(healed(a, b).state == RuleState::shadow);  // and what comes behind it takes nothing back
  CHECK(healed(b, a).since == at_s(10));
  CHECK(healed(b, a).procedure == "p1");
  // Not promoted it is what was learned last.
  CHECK(b.rule("r")->procedure == "p2");
  CHECK(b.rule("r")->since == at_s(20));
  // A person's draft begins anew, and so does one that does something else.
  Guard person = std::move(b);
  must(person.draft("r", action, "crash_loop api", {}, "eve", at_s(30)));
  CHECK(healed(a, person).state == RuleState::draft);
  Guard changed({"pi-4", 1}, open_limits());
  must(changed.draft("r", {Verb::unit_start, {}}, "crash_loop api", {}, {}, at_s(30)));
  CHECK(healed(a, changed).state == RuleState::draft);
  // One that was removed is not alive.
  must(a.remove("r", "ada", at_s(40)));
  must(a.draft("r", action, "crash_loop api", {}, {}, at_s(50)));
  CHECK(a.rule("r")->state == RuleState::draft);
  CHECK(a.rule("r")->since == at_s(50));
}

TEST_CASE("It is known of which incidents a rule in shadow was counted") {
  Guard guard({"pi-1", 1}, open_limits());
  const Proposal p = local_restart("r", 7);
  must(guard.draft("r", p.action, "crash_loop api", "api", "ada", at_s(0)));
  must(guard.shadow("r", "ada", at_s(0)));
  CHECK_FALSE(guard.counted("r", "INC-7"));
  REQUIRE(guard.propose({p}, 1, at_s(1))[0].event);
  CHECK(guard.counted("r", "INC-7"));
  CHECK_FALSE(guard.counted("r", "INC-8"));
  CHECK_FALSE(guard.counted("other", "INC-7"));
}

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
