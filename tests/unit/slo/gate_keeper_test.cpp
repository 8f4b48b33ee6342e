// What a gate remembers: hold-down, overrides, policy steps. Restart in the middle of each.
#include "nines/slo/gate_keeper.hpp"

#include <catch2/catch.hpp>

#include "slo_test_support.hpp"

using namespace nines;
using namespace nines::slo;
using namespace nines::slo::test;

namespace {

WallTime at(int64_t s) { return WallTime::from_s(kT0 + s); }

// A gate whose own answer the test sets, judged by a keeper that is restarted at will from what it
// said was to be kept.
class Gate {
 public:
  explicit Gate(GatePolicy policy) {
    spec_ = spec_of("web");
    spec_.gate = std::move(policy);
  }
  const GateVerdict& judge(int64_t s, Release own, const std::vector<WatchNote>& notes = {}) {
    status_.gate = {};
    status_.gate.decision = own;
    status_.gate.reason = std::string(release_name(own)) + ": own";
    out_ = {};
    keeper_.expire(at(s), out_);
    keeper_.judge(spec_, status_, at(s), notes, out_);
    for (const GateMemory& memory : out_.changed) kept_ = memory.encode();
    for (const Change& change : out_.changes) told_.push_back(change);
    return status_.gate;
  }
  void budget(int64_t bad, int64_t total) {
    status_.window.bad = bad;
    status_.window.good = total - bad;
    status_.state = State::healthy;
    status_.error_budget_remaining = 0.5;
    const auto step = step_in_force(spec_.gate, {bad, total}, *budget_of(spec_.target));
    status_.budget_step.reset();
    if (step) status_.budget_step = spec_.gate.steps[*step];
  }
  void restart() {
    keeper_ = {};
    if (!kept_.empty()) keeper_.restore(*GateMemory::decode(kept_));
    for (const Override& one : overrides_) keeper_.restore(*Override::decode(one.encode()));
  }
  void open(const std::string& name, int64_t s, int64_t ttl_s) {
    const auto opened = GateKeeper::open(name, "ann", "hotfix", ttl_s, {&spec_}, at(s));
    REQUIRE(opened.ok());
    keeper_.put(opened->override_);
    overrides_.push_back(opened->override_);
  }
  SloSpec spec_;
  SloStatus status_;
  GateKeeper keeper_;
  GateKeeper::Outcome out_;
  std::string kept_;
  std::vector<Override> overrides_;
  std::vector<Change> told_;
};

GatePolicy held_down(int64_t s) {
  GatePolicy policy;
  policy.hold_down_s = s;
  return policy;
}

GatePolicy steps() {
  GatePolicy policy;
  policy.steps = {{"stop", dec("0.1"), {"freeze", "all hands"}, "page"},
                  {"slow", dec("0.5"), {"pause non-critical"}, ""}};
  return policy;
}

}  // namespace

TEST_CASE("A closed gate stays closed for the hold-down after its cause is gone", "[slo]") {
  Gate gate(held_down(600));
  CHECK(gate.judge(0, Release::go).decision == Release::go);
  CHECK(gate.judge(10, Release::freeze).decision == Release::freeze);
  CHECK_FALSE(gate.judge(20, Release::freeze).held);
  const GateVerdict& held = gate.judge(30, Release::go);
  CHECK(held.decision == Release::freeze);
  CHECK(held.held == Release::freeze);
  CHECK(held.held_until == at(630));
  CHECK(held.reason ==
        "FREEZE: held down until 2026-01-01T00:10:30Z after its cause is gone; now it would be "
        "GO: own");
  CHECK(gate.judge(629, Release::go).decision == Release::freeze);
  CHECK(gate.judge(630, Release::go).decision == Release::go);
}

TEST_CASE("Hold-down begins anew when the cause comes back, and a weaker cause is held too",
          "[slo]") {
  Gate gate(held_down(600));
  gate.judge(0, Release::freeze);
  CHECK(gate.judge(10, Release::hold).decision == Release::freeze);
  gate.judge(500, Release::freeze);
  CHECK(gate.judge(510, Release::go).held_until == at(1110));
  CHECK(gate.judge(1100, Release::hold).decision == Release::freeze);
  CHECK(gate.judge(1110, Release::hold).decision == Release::hold);
  CHECK(gate.judge(1120, Release::go).held_until == at(1720));
}

TEST_CASE("Hold-down survives a restart, in its cause and behind it", "[slo]") {
  Gate gate(held_down(600));
  gate.judge(0, Release::hold);
  gate.restart();
  CHECK(gate.judge(100, Release::go).decision == Release::hold);  // nobody saw when it went
  gate.restart();
  CHECK(gate.judge(699, Release::go).held_until == at(700));
  CHECK(gate.judge(700, Release::go).decision == Release::go);
  gate.restart();
  CHECK(gate.judge(701, Release::go).decision == Release::go);
}

TEST_CASE("A clock that is set back does not hold a gate longer than the hold-down", "[slo]") {
  Gate gate(held_down(600));
  gate.judge(5000, Release::hold);
  gate.judge(5010, Release::go);
  CHECK(gate.judge(1000, Release::go).held_until == at(1600));
  CHECK(gate.judge(1600, Release::go).decision == Release::go);
}

TEST_CASE("Without hold-down a gate opens with its cause", "[slo]") {
  Gate gate(held_down(0));
  gate.judge(0, Release::freeze);
  CHECK(gate.judge(10, Release::go).decision == Release::go);
  CHECK(gate.out_.empty());
}

TEST_CASE("An override opens the gate and shows what it would be without", "[slo]") {
  Gate gate{GatePolicy{}};
  gate.open("shop", 0, 3600);
  const GateVerdict& open = gate.judge(10, Release::freeze);
  CHECK(open.allows());
  CHECK(open.decision == Release::caution);
  CHECK(open.without_override == Release::freeze);
  CHECK(open.override_by == "ann");
  CHECK(open.override_until == at(3600));
  CHECK(open.reason ==
        "CAUTION: opened by ann until 2026-01-01T01:00:00Z (hotfix); without it FREEZE: own");
  CHECK(gate.judge(20, Release::go).decision == Release::go);
}

TEST_CASE("An override survives a restart, ends by itself, and its end is told once", "[slo]") {
  Gate gate{GatePolicy{}};
  gate.open("web", 0, 3600);
  gate.restart();
  CHECK(gate.judge(3599, Release::freeze).overridden);
  CHECK(gate.told_.empty());
  CHECK_FALSE(gate.judge(3600, Release::freeze).overridden);
  REQUIRE(gate.told_.size() == 1);
  CHECK(gate.told_[0].kind == ChangeKind::override);
  CHECK(gate.told_[0].at == at(3600));
  CHECK(*gate.told_[0].detail("action") == "expired");
  CHECK(gate.out_.ended == std::vector<std::string>{"web"});
  gate.judge(3610, Release::freeze);
  CHECK(gate.told_.size() == 1);
}

TEST_CASE("An override needs a reason, a name and a ttl within the strictest policy", "[slo]") {
  SloSpec strict = spec_of("a"), loose = spec_of("b");
  strict.gate.override_ttl_s = 3600;
  loose.gate.override_needs_reason = false;
  const auto why = [&](const char* by, const char* reason, int64_t ttl_s,
                       std::vector<const SloSpec*> specs) {
    const auto opened = GateKeeper::open("shop", by, reason, ttl_s, specs, at(0));
    return opened.ok() ? std::string("ok") : opened.error().message;
  };
  CHECK(why("ann", "  ", 600, {&strict}) == "an override needs a reason");
  CHECK(why("ann", "", 600, {&loose, &strict}) == "an override needs a reason");
  CHECK(why("ann", "", 600, {&loose}) == "ok");
  CHECK(why("", "why", 600, {&loose}) == "an override says by whom");
  CHECK(why("ann", "why", 3600, {&loose, &strict}) == "ok");
  CHECK_THAT(why("ann", "why", 3601, {&loose, &strict}), Catch::Contains("within 1m..1h"));
  CHECK_THAT(why("ann", "why", 59, {&loose}), Catch::Contains("within 1m..4h"));
  CHECK_THAT(why("ann", "two\nlines", 600, {&loose}), Catch::Contains("line breaks"));
}

TEST_CASE("Taking an override back is an entry; without one it is an error", "[slo]") {
  Gate gate{GatePolicy{}};
  CHECK(gate.keeper_.revoke("web", "bob", "", at(1)).error().code == Errc::not_found);
  gate.open("web", 0, 3600);
  const auto change = gate.keeper_.revoke("web", "bob", "", at(1));
  REQUIRE(change.ok());
  CHECK(change->text == "the override by ann was taken back");
  CHECK(*change->detail("action") == "revoked");
}

TEST_CASE("A release watch that found it WORSE holds the gates of its service only", "[slo]") {
  Gate gate{GatePolicy{}};
  CHECK(gate.judge(0, Release::go, {{"shop", "", "#1 is WORSE"}}).decision == Release::hold);
  CHECK(gate.status_.gate.reason == "HOLD: #1 is WORSE; without it GO: own");
  CHECK(gate.judge(1, Release::freeze, {{"shop", "", "w"}}).decision == Release::freeze);
  CHECK(gate.status_.gate.reason == "FREEZE: own; w");
  CHECK(gate.judge(2, Release::go, {{"mail", "", "w"}}).decision == Release::go);
  CHECK(gate.judge(3, Release::go, {{"shop", "other", "w"}}).decision == Release::go);
}

TEST_CASE("A step of the budget policy is in force below its share, exactly", "[slo]") {
  const GatePolicy policy = steps();
  const Decimal budget = *budget_of(dec("0.999"));
  const auto step = [&](int64_t bad) {
    const auto index = step_in_force(policy, {bad, 1'000'000}, budget);
    return index ? policy.steps[*index].name : std::string();
  };
  CHECK(step(0).empty());
  CHECK(step(500).empty());  // exactly half is left
  CHECK(step(501) == "slow");
  CHECK(step(900) == "slow");
  CHECK(step(901) == "stop");
  CHECK_FALSE(step_in_force(policy, {0, 0}, budget));
  GatePolicy any;
  any.steps = {{"touched", dec("1"), {}, ""}};
  CHECK_FALSE(step_in_force(any, {0, 1000}, budget));
  CHECK(step_in_force(any, {1, 1'000'000}, budget) == 0u);
}

TEST_CASE("Crossing a step is told once in each direction, over restarts too", "[slo]") {
  Gate gate(steps());
  const auto go = [&](int64_t s, int64_t bad) {
    gate.budget(bad, 1'000'000);
    gate.judge(s, Release::go);
    return gate.out_;
  };
  CHECK(go(0, 0).changes.empty());
  const auto down = go(10, 600);
  REQUIRE(down.changes.size() == 1);
  CHECK(down.changes[0].kind == ChangeKind::budget_step);
  CHECK_THAT(down.changes[0].text, Catch::StartsWith("down to step slow: "));
  CHECK(*down.changes[0].detail("action") == "pause non-critical");
  CHECK(down.alerts.empty());
  CHECK(go(20, 700).changes.empty());
  gate.restart();
  CHECK(go(30, 700).changes.empty());
  const auto stop = go(40, 950);
  REQUIRE(stop.alerts.size() == 1);
  CHECK(stop.alerts[0].kind == AlertEvent::Kind::fired);
  CHECK(stop.alerts[0].rule == "step:stop");
  CHECK(stop.alerts[0].severity == "page");
  CHECK(stop.alerts[0].priority == priority_of("page", gate.spec_.tier));
  gate.restart();
  const auto back = go(50, 700);
  REQUIRE(back.changes.size() == 1);
  CHECK_THAT(back.changes[0].text, Catch::StartsWith("back to step slow: "));
  REQUIRE(back.alerts.size() == 1);
  CHECK(back.alerts[0].kind == AlertEvent::Kind::resolved);
  CHECK_THAT(go(60, 0).changes.at(0).text, Catch::StartsWith("back to step none: "));
}

TEST_CASE("Without data the step that was told stays", "[slo]") {
  Gate gate(steps());
  gate.budget(950, 1'000'000);
  gate.judge(0, Release::go);
  gate.budget(0, 0);
  gate.status_.state = State::no_data;
  gate.judge(10, Release::go);
  CHECK(gate.out_.changes.empty());
}

TEST_CASE("Memories of gates and overrides read back, damaged ones do not", "[slo]") {
  const GateMemory memory{"web", Release::hold, at(5), "slow"};
  CHECK(GateMemory::decode(memory.encode()) == memory);
  CHECK_FALSE(GateMemory::decode(""));
  CHECK_FALSE(GateMemory::decode("slo\tweb\nclosed\t9\n"));
  const Override one{"web", "ann", "why", at(0), at(60)};
  CHECK(Override::decode(one.encode()) == one);
  CHECK_FALSE(Override::decode("name\tweb\nat\t5\nuntil\t5\n"));
}
