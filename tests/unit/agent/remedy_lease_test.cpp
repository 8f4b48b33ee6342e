// Several nodes that see one incident of something they share: who acts, and how often, whatever
// the API server answers, in whatever order, and whoever dies.
#include <catch2/catch.hpp>
#include <deque>
#include <nlohmann/json.hpp>
#include <random>

#include "nines/base/bytes_text.hpp"
#include "remedy/shared_lease.hpp"
#include "remedy/steward.hpp"
#include "remedy/target_name.hpp"
#include "remedy_disk.hpp"
#include "remedy_incident.hpp"
#include "sanitizers.hpp"

using namespace nines;                 // NOLINT(google-build-using-namespace)
using namespace nines::agent::remedy;  // NOLINT(google-build-using-namespace)
using nines::remedy::Action;
using nines::remedy::Guard;
using nines::remedy::GuardLimits;
using nines::remedy::Verb;
using nlohmann::json;

namespace {

constexpr const char* kRule = "restart-api";
const Action kRestart{Verb::rollout_restart, {}};
constexpr int64_t kSecond = kNsPerSecond;

GuardLimits limits() {
  GuardLimits out;
  out.enabled = true;
  out.verbs = {Verb::rollout_restart};
  out.shadow_hits = 1;
  out.post_check_s = 60;
  out.node_per_hour = out.namespace_per_hour = out.cluster_per_hour = out.rule_per_hour = 3;
  return out;
}

class Fleet {
 public:
  Fleet(uint32_t seed, size_t nodes, int lost_percent)
      : random_(seed), lost_percent_(lost_percent) {
    for (size_t i = 0; i < nodes; ++i) nodes_.push_back(std::make_unique<Node>());
    for (size_t i = 0; i < nodes; ++i) live(i);
    arm();
  }

  bool broken = false, helps = true;
  std::vector<std::string> done;  // keys of intents that were carried out
  size_t asked = 0;               // acts that an executor was given
  std::optional<size_t> stop_at;  // the step before which a person stops the first node
  size_t asked_by_stop = 0, at_step = 0;
  std::map<std::string, WallTime> when;

  void run(int64_t seconds, int kill_percent) {
    for (int64_t s = 0; s < seconds; s += 10) {
      now_ += 10 * kSecond;
      for (auto& node : nodes_) node->steward->tick({now_});
      while (!steps_.empty()) step(kill_percent);
    }
  }
  Guard& guard(size_t i) { return nodes_[i]->steward->guard(); }
  Steward& steward(size_t i) { return *nodes_[i]->steward; }
  const SharedLease::Counters& lease(size_t i) const { return nodes_[i]->lease->counters(); }

  const json& lease() const { return object_; }
  WallTime now() const { return {now_}; }
  // By somebody who may write to the Lease.
  void write_into_ledger(const nines::remedy::GuardEvent& event) {
    nines::remedy::Lease lease;
    lease.token = 5;
    lease.ledger = {encode_guard(event)};
    object_["metadata"]["annotations"]["nines.io/remedy"] = base64_of(encode_lease(lease));
    object_["metadata"]["resourceVersion"] = std::to_string(++version_);
  }

 private:
  struct Node {
    uint64_t boot = 0, life = 0;
    test::RemedyDisk disk;
    std::unique_ptr<SharedLease> lease;
    std::unique_ptr<Steward> steward;
  };

  bool chance(int percent) { return static_cast<int>(random_() % 100) < percent; }
  void later(size_t i, std::function<void()> what) {
    steps_.push_back({i, nodes_[i]->life, std::move(what)});
  }
  // Any step that waits may be the next: answers overtake each other.
  void step(int kill_percent) {
    if (at_step++ == stop_at) {
      asked_by_stop = asked;
      steward(0).did(guard(0).stop("person", "ada", "enough", {now_}), [](const auto&) {});
    }
    const size_t at = random_() % steps_.size();
    std::swap(steps_[at], steps_.front());
    const Step next = std::move(steps_.front());
    steps_.pop_front();
    if (next.life != nodes_[next.node]->life) return;  // of a process that is gone
    if (chance(kill_percent)) return live(next.node);
    next.what();
  }

  void live(size_t i) {
    Node& node = *nodes_[i];
    ++node.life;
    node.steward.reset();
    const std::string name = "pi-" + std::to_string(i + 1);
    SharedLease::Parts lease;
    lease.node = name;
    lease.call = [this, i](const ApiCall& call, std::function<void(Answer)> told) {
      later(i, [this, i, call, told = std::move(told)] {
        const bool lost = chance(lost_percent_), before = chance(50);
        const Answer answer = lost && before ? Answer{} : api(call);
        later(i, [told, answer = lost ? Answer{} : answer] { told(answer); });
      });
    };
    lease.mono = [this] { return Instant{now_}; };
    lease.wall = [this] { return WallTime{now_}; };
    node.lease = std::make_unique<SharedLease>(std::move(lease));
    Steward::Parts parts = parts_of(i, name);
    node.steward =
        std::make_unique<Steward>(Guard({name, ++node.boot}, limits()), std::move(parts));
    node.steward->restore(node.disk.documents());
  }

  Steward::Parts parts_of(size_t i, const std::string& name) {
    Steward::Parts parts;
    parts.node = name;
    parts.lease = nodes_[i]->lease.get();
    parts.carry_out = [this, i](const Order& order, std::function<void(Outcome)> told) {
      asked += order.mode == Mode::act ? 1 : 0;
      later(i, [this, i, order, told = std::move(told)] {
        const Outcome outcome = carry_out(order);
        later(i, [told, outcome] { told(outcome); });
      });
    };
    parts.keep = [this, i](const std::vector<store::Document>& documents,
                           std::function<void(Status)> told) {
      nodes_[i]->disk.write(documents);  // in order, as the store's thread writes
      later(i, [told = std::move(told)] { told(Ok{}); });
    };
    parts.open = [this](WallTime) {
      return broken ? std::vector<Incident>{incident()} : std::vector<Incident>{};
    };
    parts.incident = [this](const std::string&, WallTime) { return std::optional(incident()); };
    parts.find = [](const Incident&, const Action& action) -> std::optional<Found> {
      Found out;
      out.object = {"shop", "api", ""};
      out.target.name = target_name(action.verb, "", out.object);
      out.target.namespace_ = "shop";
      out.target.node = "cluster";
      out.target.service = "api";
      return out;
    };
    parts.note = [](const nines::remedy::Act&, const std::string&, bool) {};
    parts.page = [](const std::string&, const std::string&) {};
    parts.clock_set = [] { return true; };
    parts.isolated = [] { return false; };
    return parts;
  }

  Incident incident() const {
    return test::incident_of("INC-1", "api", broken, {now_},
                             nines::incident::ConditionKind::error_storm);
  }

  Outcome carry_out(const Order& order) {
    if (order.mode == Mode::try_out) return {Became::would, "it would be done", {}, {}};
    const bool was = when.contains(order.key);
    if (order.mode == Mode::recheck) {
      return {was ? Became::done : Became::failed, "rechecked", {}, {}};
    }
    CHECK_FALSE(was);  // no intent is carried out twice
    done.push_back(order.key);
    when[order.key] = {now_};
    if (helps) broken = false;
    return {Became::done, "done", {}, {}};
  }

  // The Lease, with the compare and swap of the API server.
  Answer api(const ApiCall& call) {
    if (call.method == "GET") {
      return object_.is_null() ? Answer{.status = 404}
                               : Answer{.status = 200, .text = object_.dump()};
    }
    json given = json::parse(call.body);
    const bool fresh = call.method == "POST" && object_.is_null();
    const bool same =
        call.method == "PUT" && !object_.is_null() &&
        given["metadata"]["resourceVersion"] == object_["metadata"]["resourceVersion"];
    if (!fresh && !same) return {.status = 409};
    given["metadata"]["resourceVersion"] = std::to_string(++version_);
    object_ = given;
    return {.status = 200, .text = object_.dump()};
  }

  // Through the life of the rule on one node; the others have heard of it.
  void arm() {
    const auto kept = [](const Status&) {};
    Steward& first = *nodes_[0]->steward;
    first.did(first.guard().draft(kRule, kRestart, "", "api", "ada", {now_}), kept);
    first.did(first.guard().shadow(kRule, "ada", {now_}), kept);
    broken = true;
    for (int i = 0; i < 200 && first.guard().rule(kRule)->hits == 0; ++i) run(10, 0);
    REQUIRE(first.guard().rule(kRule)->hits == 1);
    REQUIRE(done.empty());
    broken = false;
    first.did(first.guard().approve(kRule, "bob", {now_}), kept);
    first.did(first.guard().arm(kRule, 20, 0.7, "bob", {now_}), kept);
    for (size_t i = 1; i < nodes_.size(); ++i) {
      for (const auto& event : first.guard().events()) {
        (void)nodes_[i]->steward->guard().merge(event);
        nodes_[i]->disk.write({{Steward::kDocuments, event.uid(), encode_guard(event)}});
      }
    }
    run(1000, 0);  // the lease that was looked at runs out
  }

  struct Step {
    size_t node;
    uint64_t life;
    std::function<void()> what;
  };
  std::minstd_rand random_;
  int lost_percent_;
  int64_t now_ = 1'795'300'000 * kSecond;
  std::vector<std::unique_ptr<Node>> nodes_;
  std::deque<Step> steps_;
  json object_;
  int version_ = 0;
};

}  // namespace

TEST_CASE("of several nodes that see one incident one acts, once", "[remedy]") {
  for (uint32_t seed = 1; seed <= 20; ++seed) {
    Fleet fleet(seed, 3, 0);
    fleet.broken = true;
    fleet.run(60, 0);
    INFO("seed " << seed);
    CHECK(fleet.done.size() == 1);
    fleet.run(600, 0);
    CHECK(fleet.done.size() == 1);
  }
}

TEST_CASE("the lease is given back when nothing is left to be looked at", "[remedy]") {
  for (uint32_t seed = 1; seed <= 20; ++seed) {
    Fleet fleet(seed, 3, seed % 2 ? 0 : 20);
    fleet.broken = true;
    const auto held = [&] { return fleet.lease()["spec"].contains("holderIdentity"); };
    for (int second = 0; second < 3600 && fleet.done.empty(); ++second) fleet.run(1, 0);
    INFO("seed " << seed);
    REQUIRE(fleet.done.size() == 1);
    CHECK(fleet.lease()["spec"]["leaseTransitions"] >= 1);
    // Well before it would run out by itself (where no answer is lost), for nodes that still look.
    fleet.run(seed % 2 ? 480 : 3600, 0);
    CHECK_FALSE(held());
  }
}

TEST_CASE("stopped at any step, nothing shared is begun any more, and the lease is given back",
          "[remedy]") {
  size_t before = 0, behind = 0;
  for (size_t at = 0; at < 40; ++at) {
    Fleet fleet(1 + static_cast<uint32_t>(at), 1, 0);
    fleet.helps = false;
    fleet.broken = true;
    fleet.at_step = 0;
    fleet.stop_at = at;
    fleet.run(1200, 0);
    INFO("stopped at step " << at);
    REQUIRE(fleet.at_step > at);
    CHECK(fleet.asked == fleet.asked_by_stop);
    ++(fleet.asked_by_stop == 0 ? before : behind);
    CHECK(fleet.done.size() <= fleet.asked_by_stop);
    for (const auto& act : fleet.guard(0).acts()) CHECK(act.over());
    const bool never = fleet.lease().is_null();  // nothing was ever written to it
    CHECK((never || !fleet.lease()["spec"].contains("holderIdentity")));
    CHECK_FALSE(fleet.steward(0).audit().fault());
  }
  CHECK(before > 3);
  CHECK(behind > 3);
}

TEST_CASE("lost answers and killed nodes neither repeat an action nor exceed a limit", "[remedy]") {
  const uint32_t seeds = nines::test::is_emulated() ? 6 : 60;
  size_t acts = 0;
  for (uint32_t seed = 1; seed <= seeds; ++seed) {
    Fleet fleet(seed, 3, 20);
    fleet.helps = false;
    fleet.broken = true;
    fleet.run(3 * 3600, 2);
    acts += fleet.done.size();
    INFO("seed " << seed);
    for (const auto& [key, at] : fleet.when) {
      const auto within =
          std::count_if(fleet.when.begin(), fleet.when.end(), [&, from = at](const auto& other) {
            return other.second >= from && other.second.ns - from.ns < 3600 * kSecond;
          });
      CHECK(within <= 3);
    }
  }
  CHECK(acts > seeds);
}

TEST_CASE("a Lease that is not ours, or cannot be read, is left alone", "[remedy]") {
  std::vector<ApiCall> calls;
  Answer answer{.status = 200, .text = R"({"metadata": {"resourceVersion": "1"}, "spec": {}})"};
  SharedLease::Parts parts;
  parts.node = "pi-1";
  parts.call = [&](const ApiCall& call, const std::function<void(Answer)>& told) {
    calls.push_back(call);
    told(answer);
  };
  parts.mono = [] { return Instant{1}; };
  parts.wall = [] { return WallTime{1}; };
  SharedLease lease(std::move(parts));
  for (const int status : {200, 403, 500, 0}) {
    answer.status = status;
    bool refused = false;
    lease.read([&](const Result<SharedLease::Bid>& bid) { refused = !bid.ok(); });
    CHECK(refused);
    CHECK_FALSE(lease.busy());
  }
  for (const ApiCall& call : calls) CHECK(call.method == "GET");
}

TEST_CASE("a ledger lets nothing act: one with a rule or an approval in it is not merged",
          "[remedy]") {
  using nines::remedy::GuardEvent;
  using nines::remedy::GuardKind;
  for (uint8_t kind = 0; kind < nines::remedy::kGuardKinds; ++kind) {
    Fleet fleet(1, 3, 0);
    GuardEvent event;
    event.node = "eve";
    event.boot = event.sequence = 1;
    event.at = fleet.now();
    event.kind = static_cast<GuardKind>(kind);
    event.rule = "of-eve";
    event.who = "ada";
    event.details = {{"action", kRestart.key()}, {"target", "deployment/shop/api"}};
    fleet.write_into_ledger(event);
    fleet.broken = true;
    fleet.run(120, 0);
    INFO(guard_kind_name(event.kind));
    const bool allowed =
        std::set{GuardKind::intent, GuardKind::result,       GuardKind::verified,
                 GuardKind::doubt,  GuardKind::settled,      GuardKind::stop,
                 GuardKind::resume, GuardKind::rule_demoted, GuardKind::rule_removed}
            .contains(event.kind);
    for (size_t i = 0; i < 3; ++i) {
      CHECK((allowed || !fleet.guard(i).has(event)));
      if (!allowed) CHECK(fleet.lease(i).unreadable > 0);
    }
    if (allowed) continue;
    CHECK(fleet.done.empty());
    const auto stood = fleet.steward(0).stood();
    REQUIRE(stood.size() == 1);
    CHECK(stood[0].why.find(guard_kind_name(event.kind)) != std::string::npos);
  }
}
