// The Curator beside a Steward, over simulated weeks: rules that stop working, and drafts.
#include <catch2/catch.hpp>

#include "remedy/curator.hpp"

using namespace nines;                 // NOLINT(google-build-using-namespace)
using namespace nines::agent::remedy;  // NOLINT(google-build-using-namespace)
using nines::remedy::Action;
using nines::remedy::Guard;
using nines::remedy::GuardLimits;
using nines::remedy::Record;
using nines::remedy::RuleState;
using nines::remedy::Verb;

namespace {

constexpr const char* kSignature = "crash_loop worker";
constexpr const char* kRule = "restart-worker";
const Action kRestart{Verb::unit_restart, "worker.service"};
const Action kStart{Verb::unit_start, "worker.service"};
constexpr int64_t kDayS = 86'400;

class World {
 public:
  explicit World(Curator::Settings settings = {})
      : steward_(Guard({"pi-1", 1}, limits()), parts()),
        curator_(
            steward_,
            [this](WallTime from, size_t most, WallTime) {
              ++asked;
              std::vector<Incident> out;
              for (auto it = incidents_.rbegin(); it != incidents_.rend(); ++it) {
                const bool open = it->recovered == WallTime{} || it->recovered >= from;
                if (open && out.size() < most) out.push_back(*it);
              }
              return out;
            },
            settings) {}

  static GuardLimits limits() {
    GuardLimits out;
    out.enabled = true;
    out.shadow_hits = 0;
    return out;
  }
  Steward::Parts parts() {
    Steward::Parts out;
    out.node = "pi-1";
    out.carry_out = [](Order, std::function<void(agent::remedy::Outcome)>) { FAIL("acts"); };
    out.keep = [](std::vector<store::Document>, std::function<void(Status)> done) { done(Ok{}); };
    out.open = [](WallTime) { return std::vector<Incident>(); };
    out.incident = [](const std::string&, WallTime) { return std::nullopt; };
    out.find = [](const Incident&, const Action&) { return std::nullopt; };
    out.note = [](const nines::remedy::Act&, const std::string&, bool) {};
    out.page = [](const std::string&, const std::string&) {};
    out.clock_set = [] { return true; };
    out.isolated = [] { return false; };
    out.notify = [this](const std::string& rule, const std::string& text) {
      told.push_back(rule + ": " + text);
    };
    return out;
  }

  WallTime now() const { return now_; }
  Guard& guard() { return steward_.guard(); }
  const Curator::Counters& counters() const { return curator_.counters(); }
  void tick() {
    steward_.tick(now_);
    curator_.tick(now_);
  }
  void run(int64_t s) {
    for (const WallTime end{now_.ns + s * kNsPerSecond}; now_ < end;) {
      now_.ns += std::min<int64_t>(s, 600) * kNsPerSecond;
      tick();
    }
  }
  void arm() {
    const auto must = [&](Guard::Done done) {
      REQUIRE(done.ok());
      steward_.did(std::move(done), [](const Status&) {});
    };
    if (!guard().rule(kRule)) {
      must(guard().draft(kRule, kRestart, kSignature, {}, "ada", now_));
      must(guard().shadow(kRule, "ada", now_));
    }
    must(guard().approve(kRule, "ada", now_));
    must(guard().arm(kRule, 20, 0.7, "ada", now_));
  }
  // An incident in which the rule acts, five minutes after it was opened; then a day goes by.
  void acts(bool good) {
    Incident one;
    one.id = "INC-" + std::to_string(incidents_.size() + 1);
    one.severity = 1;
    nines::incident::IncidentCondition condition;
    condition.condition.kind = nines::incident::ConditionKind::crash_loop;
    condition.condition.service = "worker";
    one.conditions.push_back(condition);
    one.began = one.opened = now_;
    one.actions.push_back(
        {after(300), "pi-1", "rule", "restarted it", {{"rule", kRule}, {"verb", kRestart.key()}}});
    one.recovered = after(good ? 600 : 20'000);
    incidents_.push_back(one);
    run(kDayS);
  }
  void import(const std::string& signature, const Action& action, int good, int bad,
              const std::string& incident = {}) {
    for (int i = 0; i < good + bad; ++i) {
      Record r;
      r.id = "CHG-" + std::to_string(++imported_);
      r.incident = incident.empty() ? r.id : incident + std::to_string(i);
      r.signature = signature;
      r.action = action;
      r.at = {now_.ns - (400 * kDayS - imported_) * kNsPerSecond};
      r.severity = 1;
      r.outcome = i < good ? nines::remedy::Outcome::resolved : nines::remedy::Outcome::failed;
      r.recover_s = 600;
      r.censored = i >= good;
      r.judged = r.at;
      REQUIRE(curator_.import(r) == nines::remedy::History::Merge::news);
    }
  }
  nines::remedy::Effect effect() {
    return effect_of(curator_.experience(now_).history(), kRule, kSignature, now_);
  }
  std::vector<std::string> audited(const std::string& what) const {
    std::vector<std::string> out;
    for (const auto& record : steward_.audit().records()) {
      if (record.body.find("\"what\":\"" + what) != std::string::npos) out.push_back(record.body);
    }
    return out;
  }
  std::vector<std::string> told;
  int asked = 0;

 private:
  WallTime after(int64_t s) const { return {now_.ns + s * kNsPerSecond}; }
  WallTime now_{1'795'300'000 * kNsPerSecond};
  std::vector<Incident> incidents_;
  int imported_ = 0;
  Steward steward_;
  Curator curator_;
};

RuleState state(World& world) { return world.guard().rule(kRule)->state; }

}  // namespace

TEST_CASE("a rule that stops working goes back to shadow with the evidence that says so, and stays",
          "[remedy]") {
  World world({.open_drafts = 0});
  world.import(kSignature, {Verb::other, "failed over"}, 38, 2);
  world.tick();
  world.arm();
  for (int i = 0; i < 3; ++i) world.acts(true);
  REQUIRE(state(world) == RuleState::automatic);
  // From now on every second one goes wrong: never three in a row.
  int bad = 0;
  for (int i = 0; i < 40 && state(world) == RuleState::automatic; ++i) {
    REQUIRE(world.effect().demote.empty());
    world.acts(i % 2 == 0 ? (++bad, false) : true);
  }
  CHECK(state(world) == RuleState::shadow);
  CHECK(bad >= 2);
  const std::string why = world.effect().demote;
  CHECK(why.find("did without") != std::string::npos);
  REQUIRE(world.told.size() == 1);
  CHECK(world.told.front() == std::string(kRule) + ": goes back to shadow: " + why);
  REQUIRE(world.audited("rule_demoted").size() == 1);
  CHECK(world.audited("rule_demoted").front().find("\"who\":\"nines\"") != std::string::npos);
  CHECK(world.guard().rule(kRule)->demotions == 1);
  // Whatever comes in afterwards promotes nothing.
  for (int i = 0; i < 30; ++i) world.acts(true);
  CHECK(state(world) == RuleState::shadow);
  CHECK(world.told.size() == 1);
}

TEST_CASE("a person who lets a rule act again is not overruled by what was known then",
          "[remedy]") {
  World world({.open_drafts = 0});
  world.import(kSignature, {Verb::other, "failed over"}, 40, 0);
  world.arm();
  for (int i = 0; i < 20 && state(world) == RuleState::automatic; ++i) world.acts(i % 2 == 0);
  REQUIRE(state(world) == RuleState::shadow);
  world.arm();
  world.import(kSignature, {Verb::other, "failed over"}, 5, 0);  // news, but none of the rule
  world.run(2 * kDayS);
  CHECK(state(world) == RuleState::automatic);
  world.acts(false);
  CHECK(state(world) == RuleState::shadow);
}

TEST_CASE("where nothing has changed no effect is looked at", "[remedy]") {
  World world({.open_drafts = 0});
  world.import(kSignature, {Verb::other, "failed over"}, 38, 2);
  world.arm();
  world.acts(true);
  const uint64_t judged = world.counters().judged;
  CHECK(judged >= 1);
  CHECK(judged <= 4);
  world.run(30 * kDayS);
  CHECK(world.counters().judged == judged);
}

TEST_CASE("what history proves becomes a draft once, and never more than a draft", "[remedy]") {
  World world;
  world.import(kSignature, kRestart, 12, 0);
  world.import(kSignature, {}, 0, 12);
  world.import("burn_rate api", kRestart, 6, 3);  // a suggestion
  world.run(3600);
  REQUIRE(world.guard().rules().size() == 1);
  const auto rule = world.guard().rules().front();
  CHECK(rule.rule == "unit-restart-worker.service-crash_loop-worker");
  CHECK(rule.state == RuleState::draft);
  CHECK(rule.action == kRestart);
  CHECK(rule.signature == kSignature);
  world.import(kSignature, kRestart, 20, 0);  // more of the same
  world.run(10 * kDayS);
  CHECK(world.guard().rules().size() == 1);
  CHECK(world.guard().rules().front().state == RuleState::draft);
  CHECK(world.counters().drafted == 1);
  REQUIRE(world.guard().remove(rule.rule, "ada", world.now()).ok());
  world.import(kSignature, kRestart, 5, 0);
  world.run(10 * kDayS);
  CHECK(world.guard().rules().empty());  // who removed it knew why
}

TEST_CASE(
    "a draft is made anew when evidence has changed the steps, a rule past draft is left alone",
    "[remedy]") {
  World world;
  world.import(kSignature, kRestart, 10, 0, "A-");
  world.import(kSignature, {}, 0, 12);
  world.run(3600);
  REQUIRE(world.guard().rules().size() == 1);
  const auto first = world.guard().rules().front();
  // In most resolutions something else was done before it.
  world.import(kSignature, kStart, 0, 20, "B-");
  world.import(kSignature, kRestart, 20, 0, "B-");
  world.run(3600);
  CHECK(world.counters().drafted == 1);  // not twice a day
  world.run(kDayS);
  REQUIRE(world.guard().rules().size() == 1);
  CHECK(world.counters().drafted == 2);
  const auto second = world.guard().rules().front();
  CHECK(second.rule == first.rule);
  CHECK(second.procedure != first.procedure);
  REQUIRE(world.guard().shadow(second.rule, "ada", world.now()).ok());
  world.import(kSignature, kStart, 0, 40, "C-");
  world.import(kSignature, {Verb::unit_stop, "worker.service"}, 0, 60, "D-");
  world.import(kSignature, kRestart, 60, 0, "D-");
  world.run(2 * kDayS);
  REQUIRE(world.guard().rules().size() == 2);
  CHECK(world.guard().rule(second.rule)->state == RuleState::shadow);
  CHECK(world.guard().rule(second.rule + "-2")->state == RuleState::draft);
}

TEST_CASE("so many drafts wait for a person, the others wait for room", "[remedy]") {
  World world({.open_drafts = 2});
  for (const char* service : {"a", "b", "c", "d"}) {
    const std::string signature = std::string("crash_loop ") + service;
    world.import(signature, kRestart, 12, 0);
    world.import(signature, {}, 0, 12);
  }
  world.run(3600);
  CHECK(world.guard().rules().size() == 2);
  CHECK(world.counters().drafted == 2);
  CHECK(world.counters().no_room >= 2);
  const auto rule = world.guard().rules().front();
  REQUIRE(world.guard().shadow(rule.rule, "ada", world.now()).ok());
  world.run(3600);
  CHECK(world.guard().rules().size() == 3);
}

TEST_CASE("a rule of a person, or one that covers it, is not drafted again", "[remedy]") {
  World world;
  const auto wrote =
      world.guard().draft("mine", kRestart, "crash_loop worker", {}, "ada", world.now());
  REQUIRE(wrote.ok());
  world.import(std::string(kSignature) + " | line a1", kRestart, 12, 0);
  world.import(std::string(kSignature) + " | line a1", {}, 0, 12);
  world.import(kSignature, {Verb::unit_restart, {}}, 12, 0);  // of which unit nobody said
  world.run(3600);
  CHECK(world.guard().rules().size() == 1);
  CHECK(world.counters().drafted == 0);
}
