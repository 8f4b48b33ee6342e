// Stewards of several nodes that hear each other through what nodes know of the fleet: what one is
// told holds for all, and what cannot be read holds everybody.
#include <catch2/catch.hpp>
#include <deque>
#include <map>

#include "remedy/holds.hpp"
#include "remedy/steward.hpp"
#include "remedy/target_name.hpp"

using namespace nines;                 // NOLINT(google-build-using-namespace)
using namespace nines::agent::remedy;  // NOLINT(google-build-using-namespace)
using nines::remedy::Action;
using nines::remedy::Guard;
using nines::remedy::GuardEvent;
using nines::remedy::GuardKind;
using nines::remedy::GuardLimits;
using nines::remedy::Phase;
using nines::remedy::RuleState;
using nines::remedy::Verb;
using Stream = Steward::Stream;

namespace {

constexpr const char* kRule = "restart-worker";
const Action kRestart{Verb::unit_restart, "worker.service"};
constexpr int64_t kHourNs = 3600 * kNsPerSecond;

GuardLimits limits() {
  GuardLimits out;
  out.enabled = true;
  out.verbs = {Verb::unit_restart};
  out.shadow_hits = 1;
  out.post_check_s = 60;
  return out;
}

fleet::FleetEvent fleet_event(Stream stream, uint64_t boot, uint64_t sequence, std::string body) {
  fleet::FleetEvent out;
  out.stream = stream;
  out.boot = boot;
  out.sequence = sequence;
  out.body = std::move(body);
  return out;
}

fleet::FleetEvent fleet_event(const GuardEvent& event) {
  return fleet_event(Steward::stream_of(event.kind), event.boot, event.sequence,
                     encode_guard(event));
}

// One node: its Steward, what it knows of the fleet, and its disk.
class Node {
 public:
  Node(std::string name, const WallTime& now) : name_(std::move(name)), now_(now) { live(); }

  bool broken = false;
  size_t acted = 0;  // acts that were carried out
  Steward::Rank rank;
  std::vector<std::string> said;

  const std::string& name() const { return name_; }
  Steward& steward() { return *steward_; }
  Guard& guard() { return steward_->guard(); }
  fleet::FleetState& state() { return *state_; }
  std::map<std::pair<std::string, std::string>, std::string>& disk() { return disk_; }
  std::string incident() const { return "INC-" + name_; }

  // Another life: what was in memory is gone.
  void live() {
    waiting_.clear();
    state_ = std::make_unique<fleet::FleetState>(name_, ++boot_);
    state_->describe(now_, 0, {});
    steward_ = std::make_unique<Steward>(Guard({name_, boot_}, limits()), parts());
    std::vector<store::Document> documents;
    for (const auto& [key, body] : disk_) documents.push_back({key.first, key.second, body});
    steward_->restore(documents);
    for (const GuardEvent& event : steward_->events_of(name_)) state_->publish(fleet_event(event));
    state_->on_event([this](const std::string& origin, const fleet::FleetEvent& event) {
      waiting_.push_back([this, origin, event] { (void)steward_->heard(origin, event, now_); });
    });
  }
  void lose_disk() {
    disk_.clear();
    live();
  }
  void does(Guard::Done done) {
    if (!done.ok()) FAIL(done.error().message);
    steward_->did(std::move(done), [](const Status& written) { REQUIRE(written.ok()); });
    settle();
  }
  void tick() {
    steward_->tick(now_);
    settle();
  }
  void settle() {
    while (!waiting_.empty()) {
      const auto next = std::move(waiting_.front());
      waiting_.pop_front();
      next();
    }
  }

 private:
  Steward::Parts parts() {
    Steward::Parts out;
    out.node = name_;
    out.carry_out = [this](Order order, std::function<void(Outcome)> told) {
      waiting_.push_back([this, mode = order.mode, told = std::move(told)] {
        if (mode == Mode::try_out) return told({Became::would, "it would be done", {}, {}});
        if (mode == Mode::act) ++acted;
        told({Became::done, "done", {}, {}});
      });
    };
    out.keep = [this](std::vector<store::Document> documents, std::function<void(Status)> told) {
      for (const auto& one : documents) {
        if (one.body.empty()) {
          disk_.erase({one.kind, one.key});
        } else {
          disk_[{one.kind, one.key}] = one.body;
        }
      }
      waiting_.push_back([told = std::move(told)] { told(Ok{}); });
    };
    out.open = [this](WallTime) {
      return broken ? std::vector<Incident>{as_incident()} : std::vector<Incident>{};
    };
    out.incident = [this](const std::string& id, WallTime) -> std::optional<Incident> {
      if (id != incident()) return std::nullopt;
      return as_incident();
    };
    out.find = [this](const Incident&, const Action& action) -> std::optional<Found> {
      Found found;
      found.object.name = action.parameter;
      found.target.name = target_name(action.verb, name_, found.object);
      found.target.node = name_;
      found.target.service = "worker";
      found.target.local = true;
      return found;
    };
    out.note = [](const nines::remedy::Act&, const std::string&, bool) {};
    out.page = [](const std::string&, const std::string&) {};
    out.rank = [this] { return rank; };
    out.clock_set = [] { return true; };
    out.isolated = [] { return false; };
    out.tell = [this](const GuardEvent& event) { state_->publish(fleet_event(event)); };
    out.said = [this](const std::string& text) { said.push_back(text); };
    return out;
  }
  Incident as_incident() const {
    Incident out;
    out.id = incident();
    out.severity = 1;
    out.service = "worker";
    out.services = {"worker"};
    nines::incident::IncidentCondition one;
    one.condition.service = "worker";
    one.condition.holds = broken;
    if (!broken) one.over = now_;
    out.conditions.push_back(one);
    return out;
  }

  std::string name_;
  const WallTime& now_;
  uint64_t boot_ = 0;
  std::map<std::pair<std::string, std::string>, std::string> disk_;
  std::deque<std::function<void()>> waiting_;
  std::unique_ptr<fleet::FleetState> state_;
  std::unique_ptr<Steward> steward_;
};

struct Fleet {
  WallTime now{1'795'300'000 * kNsPerSecond};
  std::vector<std::unique_ptr<Node>> nodes;
  std::set<std::string> cut_off;

  explicit Fleet(std::vector<std::string> names = {"a", "b", "c"}) {
    for (std::string& name : names) nodes.push_back(std::make_unique<Node>(std::move(name), now));
  }
  Node& operator[](const std::string& name) {
    for (auto& one : nodes) {
      if (one->name() == name) return *one;
    }
    throw std::runtime_error("no node " + name);
  }

  // Everybody tells all he knows to all he reaches.
  void gossip() {
    for (auto& from : nodes) {
      for (auto& to : nodes) {
        if (from == to || cut_off.contains(from->name()) || cut_off.contains(to->name())) continue;
        tell(from->state(), to->state());
        to->settle();
      }
    }
  }
  static void tell(const fleet::FleetState& from, fleet::FleetState& to) {
    for (const std::string& origin : from.origins()) {
      for (const auto& part : from.parts(origin)) {
        if (auto piece = from.piece(origin, part.key)) to.merge(*piece, WallTime{INT64_MAX});
      }
    }
  }
  void run(int64_t seconds) {
    for (int64_t s = 0; s < seconds; s += 10) {
      now.ns += 10 * kNsPerSecond;
      for (auto& node : nodes) node->tick();
      gossip();
    }
  }
  // A rule that acts by itself, all of it said on `on`, seen in shadow there.
  void arm(const std::string& on) {
    Node& node = (*this)[on];
    node.does(node.guard().draft(kRule, kRestart, "", "worker", "ada", now));
    node.does(node.guard().shadow(kRule, "ada", now));
    node.broken = true;
    run(20);
    node.broken = false;
    node.does(node.guard().approve(kRule, "bob", now));
    node.does(node.guard().arm(kRule, 20, 0.7, "bob", now));
    gossip();
  }
};

}  // namespace

TEST_CASE("a rule that was approved on one node acts on another", "[remedy][fleet]") {
  Fleet fleet;
  fleet.arm("a");
  CHECK(fleet["c"].guard().rule(kRule)->state == RuleState::automatic);
  fleet["b"].broken = true;
  fleet.run(20);
  CHECK(fleet["b"].acted == 1);
  CHECK(fleet["a"].acted + fleet["c"].acted == 0);
  // What came of it is known to all, and counts for all.
  REQUIRE(fleet["c"].guard().acts().size() == 1);
  CHECK(fleet["c"].guard().acts().front().phase == Phase::done);
}

TEST_CASE("what holds on one node is not acted on by another that has the same incident",
          "[remedy][fleet]") {
  nines::incident::Incident incident;
  auto& one = incident.conditions.emplace_back();
  one.condition.holds = true;
  CHECK(holds_on(incident, "a"));  // nobody says where
  one.observers = {{"a", {5}, {}}, {"b", {5}, {7}}};
  CHECK(holds_on(incident, "a"));
  CHECK_FALSE(holds_on(incident, "b"));  // it was there, and is over
  CHECK_FALSE(holds_on(incident, "c"));
  one.condition.holds = false;
  CHECK_FALSE(holds_on(incident, "a"));
}

TEST_CASE("a stop on one node holds all, also who was cut off, once it is back",
          "[remedy][fleet]") {
  Fleet fleet;
  fleet.arm("a");
  fleet.cut_off = {"c"};
  fleet["b"].does(fleet["b"].guard().stop("person", "kim", "maintenance", fleet.now));
  fleet.gossip();
  CHECK(fleet["a"].guard().stopped(fleet.now));
  REQUIRE(fleet["a"].said.size() >= 1);
  CHECK(fleet["a"].said.back() == "stop by kim on b: maintenance");
  CHECK_FALSE(fleet["c"].guard().stopped(fleet.now));
  fleet.cut_off.clear();
  fleet.gossip();
  for (auto& node : fleet.nodes) node->broken = true;
  fleet.run(600);
  for (auto& node : fleet.nodes) CHECK(node->acted == 0);
  // It outlives the node that said it, and one that starts cut off knows it from its disk.
  fleet.cut_off = {"a", "b", "c"};
  fleet["c"].live();
  CHECK(fleet["c"].guard().stopped(fleet.now));
  // Who is cut off lifts what he knows: the others hear of it.
  fleet["c"].does(fleet["c"].steward().resume("kim", "over", fleet.now));
  CHECK_FALSE(fleet["c"].guard().stopped(fleet.now));
  CHECK(fleet["a"].guard().stopped(fleet.now));
  fleet.cut_off.clear();
  fleet.gossip();
  CHECK_FALSE(fleet["a"].guard().stopped(fleet.now));
}

TEST_CASE("a resume lifts no stop that its writer had not heard of", "[remedy][fleet]") {
  Fleet fleet;
  fleet["a"].does(fleet["a"].guard().stop("person", "kim", "one", fleet.now));
  fleet.gossip();
  fleet.cut_off = {"c"};
  fleet["c"].does(fleet["c"].guard().stop("person", "lee", "two", fleet.now));
  fleet["a"].does(fleet["a"].steward().resume("kim", "one is over", fleet.now));
  fleet.cut_off.clear();
  fleet.gossip();
  for (auto& node : fleet.nodes) {
    CHECK(node->guard().stopped(fleet.now));
    REQUIRE(node->guard().stops().size() == 1);
    CHECK(node->guard().stops().front().who == "lee");
  }
}

TEST_CASE("a demotion on one node takes the rule back on all", "[remedy][fleet]") {
  Fleet fleet;
  fleet.arm("a");
  fleet["c"].does(fleet["c"].guard().demote(kRule, "lee", "it hurts", fleet.now));
  fleet.gossip();
  fleet["b"].broken = true;
  fleet.run(600);
  CHECK(fleet["b"].acted == 0);
  for (auto& node : fleet.nodes) CHECK(node->guard().rule(kRule)->state == RuleState::shadow);
}

TEST_CASE("a rule acts so often an hour in the whole fleet", "[remedy][fleet]") {
  Fleet fleet({"a", "b", "c", "d", "e"});
  fleet.arm("a");
  for (auto& node : fleet.nodes) {
    node->broken = true;
    fleet.run(200);  // so that one hears of the other
    node->broken = false;
    fleet.run(200);
  }
  size_t done = 0;
  for (auto& node : fleet.nodes) done += node->acted;
  CHECK(done == static_cast<size_t>(limits().rule_per_hour));
}

TEST_CASE("a rule acts so often an hour although one failure hits all nodes at once",
          "[remedy][fleet]") {
  Fleet fleet({"a", "b", "c", "d", "e"});
  fleet.arm("a");
  const size_t count = fleet.nodes.size();
  for (size_t i = 0; i < count; ++i) fleet.nodes[i]->rank = {i, count};
  for (auto& node : fleet.nodes) node->broken = true;
  size_t most_at_once = 0, done = 0;
  for (int i = 0; i < 120; ++i) {  // 20 minutes
    fleet.run(10);
    size_t now = 0;
    for (auto& node : fleet.nodes) now += node->acted;
    most_at_once = std::max(most_at_once, now - done);
    done = now;
  }
  CHECK(done == static_cast<size_t>(limits().rule_per_hour));
  CHECK(most_at_once == 1);
  // The first did not have to wait, and the others were not let go all at once by its end.
  CHECK(fleet["a"].acted == 1);
}

TEST_CASE("what cannot be read among stops holds all who hear it, until a person has looked",
          "[remedy][fleet]") {
  Fleet fleet;
  fleet.arm("a");
  // A kind of a later version.
  fleet["c"].state().publish(fleet_event(Stream::switches, 9, 1, "from a later version"));
  fleet.gossip();
  for (const char* name : {"a", "b"}) {
    CHECK(fleet[name].steward().broken() == 1);
    fleet[name].broken = true;
  }
  fleet.run(300);
  CHECK(fleet["a"].acted + fleet["b"].acted == 0);
  fleet["b"].live();
  CHECK(fleet["b"].steward().broken() == 1);
  // One person looks, for all; and what was looked at holds nobody again.
  fleet["a"].does(fleet["a"].steward().resume("kim", "known", fleet.now));
  fleet.gossip();
  CHECK(fleet["b"].steward().broken() == 0);
  fleet["a"].live();
  fleet["b"].live();
  fleet.gossip();
  CHECK(fleet["a"].steward().broken() + fleet["b"].steward().broken() == 0);
  fleet["a"].broken = false;
  fleet.run(30);
  CHECK(fleet["b"].acted == 1);
}

TEST_CASE("what cannot be read elsewhere allows nothing, and is counted", "[remedy][fleet]") {
  Fleet fleet;
  fleet["c"].state().publish(fleet_event(Stream::rules, 9, 1, "from a later version"));
  fleet["c"].state().publish(fleet_event(Stream::acts, 9, 2, std::string("\1\0", 2)));
  fleet.gossip();
  CHECK(fleet["a"].steward().broken() == 0);
  CHECK(fleet["a"].steward().counters().heard_invalid == 2);
  CHECK(fleet["a"].guard().events().empty());
}

TEST_CASE("nobody speaks under another's name, nor allows among what forbids", "[remedy][fleet]") {
  Fleet fleet;
  Guard of_b({"b", 5}, limits()), of_c({"c", 5}, limits());
  const auto draft = of_b.draft(kRule, kRestart, "", "worker", "ada", fleet.now);
  REQUIRE(draft.ok());
  Steward& a = fleet["a"].steward();
  CHECK(a.heard("b", fleet_event(*draft), fleet.now));
  const auto again = of_b.shadow(kRule, "ada", fleet.now);
  REQUIRE(again.ok());
  CHECK_FALSE(a.heard("c", fleet_event(*again), fleet.now));  // c as b
  auto other = fleet_event(*again);
  other.sequence += 1;
  CHECK_FALSE(a.heard("b", other, fleet.now));  // under another name than its own
  other = fleet_event(*again);
  other.stream = Stream::acts;  // which a leaf may tell
  CHECK_FALSE(a.heard("b", other, fleet.now));
  CHECK(a.guard().rule(kRule)->state == RuleState::draft);
  CHECK(a.broken() == 0);
  // A stop under another's name may be one all the same.
  const auto stop = of_b.stop("person", "eve", "", fleet.now);
  REQUIRE(stop.ok());
  CHECK(a.heard("c", fleet_event(*stop), fleet.now));
  CHECK(a.broken() == 1);
  // One that takes a name that is in use is not overlooked: a stop comes first, what else forbids
  // holds.
  GuardEvent twice = *stop;
  twice.sequence = draft->sequence;
  CHECK(a.heard("b", fleet_event(twice), fleet.now));
  CHECK(a.guard().stops().size() == 1);
  CHECK(a.broken() == 1);
  twice.kind = GuardKind::rule_removed;
  twice.rule = kRule;
  CHECK(a.heard("b", fleet_event(twice), fleet.now));
  CHECK(a.broken() == 2);
}

TEST_CASE("an event from the future counts once its time has come; a stop from there holds at once",
          "[remedy][fleet]") {
  Fleet fleet;
  Guard of_b({"b", 5}, limits());
  const auto draft = of_b.draft(kRule, kRestart, "", "worker", "ada", {fleet.now.ns + 2 * kHourNs});
  const auto stop = of_b.stop("person", "ada", "", {fleet.now.ns + 2 * kHourNs});
  Steward& a = fleet["a"].steward();
  CHECK_FALSE(a.heard("b", fleet_event(*draft), fleet.now));
  CHECK(a.counters().heard_refused == 1);
  CHECK(a.heard("b", fleet_event(*stop), fleet.now));
  CHECK(a.broken() == 1);
  CHECK(a.guard().stops().empty());
  fleet.now.ns += 2 * kHourNs;
  CHECK(a.heard("b", fleet_event(*draft), fleet.now));
  CHECK(a.heard("b", fleet_event(*stop), fleet.now));
  CHECK(a.broken() == 0);
  CHECK(a.guard().stops().size() == 1);
}

TEST_CASE("who lost the disk hears from the others what was said and done", "[remedy][fleet]") {
  Fleet fleet;
  fleet.arm("a");
  fleet["a"].broken = true;
  fleet.run(20);
  REQUIRE(fleet["a"].acted == 1);
  fleet["a"].broken = false;
  fleet["a"].does(fleet["a"].guard().stop("person", "kim", "", fleet.now));
  fleet.gossip();
  fleet["a"].lose_disk();
  CHECK(fleet["a"].guard().events().empty());
  fleet.gossip();
  CHECK(fleet["a"].guard().stopped(fleet.now));
  CHECK(fleet["a"].guard().acts().size() == 1);
  CHECK(fleet["a"].guard().rule(kRule)->state == RuleState::automatic);
}

TEST_CASE("an event that the disk has damaged is healed by whoever has it", "[remedy][fleet]") {
  Fleet fleet;
  fleet["b"].does(fleet["b"].guard().stop("person", "kim", "", fleet.now));
  fleet.gossip();
  Node& a = fleet["a"];
  for (auto& [key, body] : a.disk()) {
    if (key.first == Steward::kDocuments) body = "damaged";
  }
  a.live();
  CHECK(a.steward().broken() == 1);
  CHECK(a.guard().stops().empty());
  fleet.gossip();
  CHECK(a.steward().broken() == 0);
  CHECK(a.guard().stops().size() == 1);
  a.live();
  CHECK(a.guard().stops().size() == 1);
}

TEST_CASE("a node that tells without end takes no room of the others, and may still stop",
          "[remedy][fleet]") {
  Fleet fleet;
  Guard of_b({"b", 5}, limits());
  Steward& a = fleet["a"].steward();
  size_t taken = 0;
  for (uint64_t i = 1; i <= Steward::kMostOfNode + 100; ++i) {
    const auto event =
        of_b.draft("rule-" + std::to_string(i), kRestart, "", "worker", "eve", fleet.now);
    REQUIRE(event.ok());
    taken += a.heard("b", fleet_event(*event), fleet.now) ? 1 : 0;
  }
  CHECK(taken == Steward::kMostOfNode);
  CHECK(a.counters().heard_refused == 100);
  const auto stop = of_b.stop("person", "eve", "", fleet.now);
  REQUIRE(stop.ok());
  CHECK(a.heard("b", fleet_event(*stop), fleet.now));
  CHECK(a.guard().stopped(fleet.now));
}

TEST_CASE("a leaf that makes up demotions without end fills no log, but holds until a person looks",
          "[remedy][fleet]") {
  Fleet fleet;
  fleet.arm("a");
  Guard of_leaf({"leaf", 5}, limits());
  const auto draft = of_leaf.draft("made-up", kRestart, "", "worker", "eve", fleet.now);
  REQUIRE(draft.ok());
  Steward& a = fleet["a"].steward();
  const size_t before = a.guard().events().size();
  const size_t documents = fleet["a"].disk().size();
  uint64_t told = 0;
  for (; told < 2000; ++told) {
    const auto event = of_leaf.demote("made-up", "eve", "", fleet.now);
    REQUIRE(event.ok());
    CHECK(a.heard("leaf", fleet_event(*event), fleet.now));
  }
  CHECK(a.guard().events().size() == before + Steward::kMostSwitchesOfNode);
  CHECK(a.counters().switches_beyond == told - Steward::kMostSwitchesOfNode);
  CHECK(fleet["a"].disk().size() == documents + Steward::kMostSwitchesOfNode + 1);
  // It may be a stop: nothing is begun, also after a restart, until a person looks, once.
  CHECK(a.broken() == 1);
  fleet["a"].live();
  fleet["a"].broken = true;
  fleet.run(60);
  CHECK(fleet["a"].acted == 0);
  CHECK(fleet["a"].steward().broken() == 1);
  fleet["a"].does(fleet["a"].steward().resume("kim", "cut off", fleet.now));
  CHECK(fleet["a"].steward().broken() == 0);
  fleet.run(60);
  CHECK(fleet["a"].acted == 1);
  // Others still have their room.
  Guard of_b({"b", 9}, limits());
  const auto stop = of_b.stop("person", "ada", "", fleet.now);
  REQUIRE(stop.ok());
  CHECK(fleet["a"].steward().heard("b", fleet_event(*stop), fleet.now));
  CHECK(fleet["a"].guard().stops().size() == 1);
}

TEST_CASE("a node that is stopped and resumed again and again is no node that says too much",
          "[remedy][fleet]") {
  Fleet fleet;
  Guard of_b({"b", 5}, limits());
  Steward& a = fleet["a"].steward();
  for (size_t i = 0; i < Steward::kMostSwitchesOfNode + 50; ++i) {
    const auto stop = of_b.stop("person", "ada", "", fleet.now);
    REQUIRE(stop.ok());
    CHECK(a.heard("b", fleet_event(*stop), fleet.now));
    const auto resume = of_b.resume("ada", "", fleet.now);
    REQUIRE(resume.ok());
    CHECK(a.heard("b", fleet_event(*resume), fleet.now));
  }
  CHECK(a.broken() == 0);
  CHECK(a.counters().switches_beyond == 0);
}
