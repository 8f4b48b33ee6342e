// What the target of an act was before it: in the intent, told to people, and what it is put back
// to when the act did not help. The Steward, with the executions of the real verbs, against a
// cluster and a unit; killed at every step.
#include <catch2/catch.hpp>
#include <deque>
#include <functional>
#include <map>
#include <memory>

#include "remedy/kube.hpp"
#include "remedy/local.hpp"
#include "remedy/pre_state.hpp"
#include "remedy/steward.hpp"
#include "remedy/target_name.hpp"
#include "remedy_cluster.hpp"
#include "remedy_disk.hpp"

using namespace nines;                 // NOLINT(google-build-using-namespace)
using namespace nines::agent::remedy;  // NOLINT(google-build-using-namespace)
using nines::remedy::Act;
using nines::remedy::Action;
using nines::remedy::Guard;
using nines::remedy::GuardLimits;
using nines::remedy::Phase;
using nines::remedy::Verb;
using nines::test::RemedyCluster;
using nines::test::RemedyDisk;

namespace {

constexpr const char* kRule = "of-ada";

GuardLimits limits() {
  GuardLimits out;
  out.enabled = true;
  for (const Verb verb : {Verb::scale_up, Verb::scale_down, Verb::cordon, Verb::uncordon,
                          Verb::unit_start, Verb::unit_stop}) {
    out.verbs.insert(verb);
  }
  out.shadow_hits = 1;
  out.post_check_s = 60;
  return out;
}

// The state of the target as an act names it.
struct Kind {
  Verb verb;
  const char *before, *after;
};
const std::vector<Kind> kKinds{{Verb::scale_up, "3", "4"},
                               {Verb::scale_down, "3", "2"},
                               {Verb::cordon, "schedulable", "unschedulable"},
                               {Verb::unit_start, "inactive", "active"}};

// Nothing that is done helps.
class World {
 public:
  explicit World(const Kind& kind) : kind_(kind) {
    cluster.deployment("api:2", 3);
    cluster.node(false);
    allowed_.units = {"worker.service"};
    live();
    arm();
  }

  RemedyCluster cluster;
  bool active = false;  // the unit
  bool broken = false;
  std::vector<std::string> pages;
  std::vector<std::string> states;  // that the target went through
  size_t steps = 0;
  std::optional<size_t> crash_at;
  std::function<void(size_t)> meanwhile;  // before each step
  int crashes = 0;

  Guard& guard() { return steward_->guard(); }
  const AuditLog& audit() const { return steward_->audit(); }
  std::string state() {
    switch (kind_.verb) {
      case Verb::scale_up:
      case Verb::scale_down:
        return std::to_string(cluster.deployment_object()["spec"]["replicas"].get<int>());
      case Verb::cordon:
        return cluster.objects["/api/v1/nodes/n1"]["spec"].value("unschedulable", false)
                   ? "unschedulable"
                   : "schedulable";
      default: return active ? "active" : "inactive";
    }
  }
  void run(int64_t seconds) {
    for (int64_t s = 0; s < seconds; s += 10) {
      now_.ns += 10 * kNsPerSecond;
      steward_->tick(now_);
      settle();
    }
  }

 private:
  Found target() const {
    Found out;
    out.target.node = "pi-1";
    out.target.service = "api";
    out.target.local = true;
    switch (kind_.verb) {
      case Verb::cordon: out.object.name = "n1"; break;
      case Verb::unit_start: out.object.name = "worker.service"; break;
      default: out.object = {"shop", "api", ""}; out.target.namespace_ = "shop";
    }
    out.target.name = target_name(kind_.verb, "pi-1", out.object);
    return out;
  }

  void live() {
    ++boot_;
    waiting_.clear();
    Steward::Parts parts;
    parts.node = "pi-1";
    parts.carry_out = [this](const Order& order, std::function<void(Outcome)> told) {
      std::shared_ptr<Execution> run = execution(order);
      waiting_.push_back([this, run, told = std::move(told)] { take(run, run->begin(), told); });
    };
    parts.keep = [this](std::vector<store::Document> documents, std::function<void(Status)> told) {
      waiting_.push_back([this, documents = std::move(documents), told = std::move(told)] {
        disk_.write(documents);
        waiting_.push_front([told] { told(Ok{}); });
      });
    };
    parts.open = [this](WallTime) {
      return broken ? std::vector<Incident>{incident()} : std::vector<Incident>{};
    };
    parts.incident = [this](const std::string& id, WallTime) {
      return id == incident_ ? std::optional(incident()) : std::nullopt;
    };
    parts.find = [this](const Incident&, const Action&) { return std::optional(target()); };
    parts.note = [](const Act&, const std::string&, bool) {};
    parts.page = [this](const std::string&, const std::string& text) { pages.push_back(text); };
    parts.clock_set = [] { return true; };
    parts.isolated = [] { return false; };
    steward_ = std::make_unique<Steward>(Guard({"pi-1", boot_}, limits()), std::move(parts));
    steward_->restore(disk_.documents());
  }

  std::unique_ptr<Execution> execution(const Order& order) const {
    switch (order.action.verb) {
      case Verb::scale_up:
      case Verb::scale_down: return scale(order);
      case Verb::cordon:
      case Verb::uncordon: return cordon(order);
      default: return run_unit(allowed_, order);
    }
  }
  // Each request is a step, and so is its answer: there may be a crash in between.
  void take(const std::shared_ptr<Execution>& run, Turn turn,
            const std::function<void(Outcome)>& told) {
    if (auto* outcome = std::get_if<Outcome>(&turn)) return told(*outcome);
    waiting_.push_back([this, run, step = std::get<Step>(std::move(turn)), told] {
      const Answer answer = do_step(step);
      if (states.empty() || states.back() != state()) states.push_back(state());
      waiting_.push_back([this, run, answer, told] { take(run, run->answered(answer), told); });
    });
  }
  Answer do_step(const Step& step) {
    if (const auto* call = std::get_if<ApiCall>(&step)) return cluster.handle(*call);
    const std::string& verb = std::get<agent::notify::Program>(step).arguments.front();
    if (verb == "is-active") return {.status = kExited + (active ? 0 : 3)};
    active = verb != "stop";
    return {.status = kExited};
  }

  void settle() {
    while (!waiting_.empty()) {
      if (steps++ == crash_at) {
        ++crashes;
        return live();
      }
      if (meanwhile) meanwhile(steps);
      const auto next = std::move(waiting_.front());
      waiting_.pop_front();
      next();
    }
  }

  void arm() {
    const auto kept = [](const Status& written) { REQUIRE(written.ok()); };
    const Action action{kind_.verb, kind_.verb == Verb::unit_start ? "worker.service" : ""};
    steward_->did(guard().draft(kRule, action, "", "api", "ada", now_), kept);
    steward_->did(guard().shadow(kRule, "ada", now_), kept);
    settle();
    broken = true;
    run(20);
    broken = false;
    REQUIRE(state() == kind_.before);
    steward_->did(guard().approve(kRule, "bob", now_), kept);
    steward_->did(guard().arm(kRule, 20, 0.7, "bob", now_), kept);
    settle();
    incident_ = "INC-2";
    broken = true;
    steps = 0;
    states = {state()};
  }

  Incident incident() const {
    Incident out;
    out.id = incident_;
    out.severity = 1;
    out.service = "api";
    out.services = {"api"};
    nines::incident::IncidentCondition one;
    one.condition.kind = nines::incident::ConditionKind::crash_loop;
    one.condition.service = "api";
    one.condition.holds = broken;
    if (!broken) one.over = now_;
    out.conditions.push_back(one);
    return out;
  }

  const Kind kind_;
  LocalAllowed allowed_;
  RemedyDisk disk_;
  std::string incident_ = "INC-1";
  WallTime now_{1'795'300'000 * kNsPerSecond};
  uint64_t boot_ = 0;
  std::deque<std::function<void()>> waiting_;
  std::unique_ptr<Steward> steward_;
};

}  // namespace

TEST_CASE("what did not help is put back to what its intent says it was before", "[remedy]") {
  for (const Kind& kind : kKinds) {
    World world(kind);
    INFO(verb_name(kind.verb));
    world.run(30);
    CHECK(world.state() == kind.after);
    REQUIRE(world.guard().acts().size() == 1);
    CHECK(world.guard().acts()[0].before == kind.before);
    const auto& records = world.audit().records();
    CHECK(std::any_of(records.begin(), records.end(), [&](const auto& record) {
      return record.body.find("\"what\":\"intent\"") != std::string::npos &&
             record.body.find(std::string("\"before\":\"") + kind.before + '"') !=
                 std::string::npos;
    }));
    world.run(120);
    CHECK(world.states == std::vector<std::string>{kind.before, kind.after, kind.before});
    REQUIRE(world.guard().acts().size() >= 2);
    CHECK(world.guard().acts()[1].undoes == world.guard().acts()[0].id);
    CHECK(world.guard().acts()[1].before == kind.after);
  }
}

TEST_CASE(
    "killed at any step, nothing is done twice, and what is put back is put back to what it was",
    "[remedy]") {
  for (const Kind& kind : kKinds) {
    int crashes = 0;
    size_t back = 0;
    for (size_t at = 0; at < 60; ++at) {
      World world(kind);
      world.crash_at = at;
      world.run(300);
      crashes += world.crashes;
      INFO(verb_name(kind.verb) << ", killed at step " << at);
      using States = std::vector<std::string>;
      const bool whole = world.states == States{kind.before, kind.after, kind.before};
      // Nobody may know whether it was done; the way back is then not gone, and a person is called.
      const bool half = world.states == States{kind.before, kind.after};
      // Between the intent and the deed: it is looked at, and found not to have been done.
      const bool none = world.states == States{kind.before};
      CHECK((whole || half || none));
      REQUIRE_FALSE(world.guard().acts().empty());
      if (none) CHECK(world.guard().acts()[0].phase == Phase::not_done);
      if (half) CHECK_FALSE(world.pages.empty());
      back += whole ? 1 : 0;
      for (const Act& act : world.guard().acts()) {
        CHECK(act.over());
        const bool forth = act.undoes.empty();
        CHECK(act.before == (forth ? kind.before : kind.after));
      }
      CHECK_FALSE(world.audit().fault());
    }
    INFO(verb_name(kind.verb) << ": " << crashes << " crashes, " << back << " put back");
    CHECK(crashes >= 20);
    CHECK(back >= 30);
  }
}

TEST_CASE("whoever changes the target after an act has the last word", "[remedy]") {
  World world(kKinds[0]);
  world.run(30);
  REQUIRE(world.state() == "4");
  world.cluster.deployment_object()["spec"]["replicas"] = 10;  // by a person
  world.run(120);
  CHECK(world.state() == "10");
  REQUIRE_FALSE(world.pages.empty());
  CHECK(world.pages.front().find("it has 10 pods") != std::string::npos);

  World node(kKinds[2]);
  node.run(30);
  node.cluster.node(false);
  node.run(120);
  CHECK(node.state() == "schedulable");
  CHECK_FALSE(node.pages.empty());
}

TEST_CASE("whoever changes the target between decision and deed is not undone", "[remedy]") {
  World world(kKinds[0]);
  world.meanwhile = [&](size_t) {
    const bool decided = !world.guard().acts().empty();
    auto& replicas = world.cluster.deployment_object()["spec"]["replicas"];
    if (decided && replicas == 3) replicas = 6;
  };
  world.run(30);
  REQUIRE(world.guard().acts().size() == 1);
  CHECK(world.guard().acts()[0].phase == Phase::not_done);
  CHECK(world.state() == "6");

  World node(kKinds[2]);
  node.meanwhile = [&](size_t) {
    if (!node.guard().acts().empty()) node.cluster.node(true);
  };
  node.run(300);
  CHECK(node.guard().acts()[0].phase == Phase::not_done);
  CHECK(node.state() == "unschedulable");
}

TEST_CASE("what was before is told with what it is", "[remedy]") {
  Act act;
  CHECK(told_before(act).empty());
  act.before = "1";
  act.action.verb = Verb::scale_up;
  CHECK(told_before(act) == "1 pod");
  act.action.verb = Verb::rollout_undo;
  CHECK(told_before(act) == "revision 1");
  act.before = "active";
  act.action.verb = Verb::unit_stop;
  CHECK(told_before(act) == "active");
}
