#include <catch2/catch.hpp>

#include "remedy/kube.hpp"
#include "remedy_cluster.hpp"

using namespace nines;                 // NOLINT(google-build-using-namespace)
using namespace nines::agent::remedy;  // NOLINT(google-build-using-namespace)
using nines::remedy::Verb;
using nines::test::json;
using nines::test::RemedyCluster;

namespace {

Order order(Verb verb, std::string name, Mode mode, std::string uid = {}) {
  Order out;
  out.action = {verb, {}};
  out.target = {"shop", std::move(name), std::move(uid)};
  out.key = "INC-2026-1122-001/1";
  out.intended = {1'795'300'000 * kNsPerSecond};
  out.mode = mode;
  return out;
}

std::unique_ptr<Execution> execution(const Order& order) {
  switch (order.action.verb) {
    case Verb::rollout_restart: return restart_rollout(order);
    case Verb::rollout_undo: return undo_rollout(order);
    case Verb::scale_up:
    case Verb::scale_down: return scale(order);
    case Verb::cordon:
    case Verb::uncordon: return cordon(order);
    default: return remove_pod(order);
  }
}

Outcome play(RemedyCluster& cluster, const Order& order) {
  const auto run = execution(order);
  Turn turn = run->begin();
  for (int n = 0; n < 50; ++n) {
    if (auto* outcome = std::get_if<Outcome>(&turn)) return *outcome;
    turn = run->answered(cluster.handle(std::get<ApiCall>(std::get<Step>(turn))));
  }
  throw std::runtime_error("no end");
}

RemedyCluster a_cluster() {
  RemedyCluster out;
  out.pod("api-1", "u1");
  out.deployment("api:2", 2);
  out.replica_sets({{"1", "api:1"}, {"2", "api:2"}});
  out.node(false);
  return out;
}

struct Case {
  Verb verb;
  const char* name;
  const char* restore = "";
};
const std::vector<Case> kCases{
    {Verb::evict_pod, "api-1"},  {Verb::delete_pod, "api-1"},  {Verb::rollout_restart, "api"},
    {Verb::rollout_undo, "api"}, {Verb::scale_up, "api", "3"}, {Verb::scale_down, "api", "1"},
    {Verb::cordon, "n1"}};

Order order_of(const Case& c, Mode mode) {
  const bool pod = c.verb == Verb::evict_pod || c.verb == Verb::delete_pod;
  Order out = order(c.verb, c.name, mode, pod ? "u1" : "");
  out.restore = c.restore;
  return out;
}

std::string image(RemedyCluster& cluster) {
  return cluster.deployment_object()["spec"]["template"]["spec"]["containers"][0]["image"];
}

}  // namespace

TEST_CASE("every verb changes the cluster once, and a recheck knows it", "[remedy]") {
  for (const Case& c : kCases) {
    RemedyCluster cluster = a_cluster();
    INFO(verb_name(c.verb));
    const auto untouched = cluster.objects;
    CHECK(play(cluster, order_of(c, Mode::recheck)).became == Became::failed);
    CHECK(play(cluster, order_of(c, Mode::try_out)).became == Became::would);
    CHECK(cluster.objects == untouched);
    CHECK(play(cluster, order_of(c, Mode::act)).became == Became::done);
    CHECK(cluster.objects != untouched);
    const auto changed = cluster.objects;
    CHECK(play(cluster, order_of(c, Mode::recheck)).became == Became::done);
    CHECK(cluster.objects == changed);
  }
}

TEST_CASE("whatever the API server answers at whatever step, the outcome is the truth",
          "[remedy]") {
  using Fault = RemedyCluster::Fault;
  int unknown = 0;
  for (const Case& c : kCases) {
    for (int f = 1; f <= static_cast<int>(Fault::garbage); ++f) {
      for (size_t at = 0; at < 6; ++at) {
        RemedyCluster cluster = a_cluster();
        const auto untouched = cluster.objects;
        cluster.fault = static_cast<Fault>(f);
        cluster.fault_at = at;
        const Outcome outcome = play(cluster, order_of(c, Mode::act));
        INFO(verb_name(c.verb) << ", fault " << f << " at step " << at << ": "
                               << became_name(outcome.became) << ", " << outcome.text);
        const bool changed = cluster.objects != untouched;
        if (outcome.became == Became::done) CHECK(changed);
        const bool not_done = outcome.became == Became::failed ||
                              outcome.became == Became::refused || outcome.became == Became::idle;
        if (not_done) CHECK_FALSE(changed);
        CHECK(outcome.became != Became::would);
        if (outcome.became != Became::unknown) continue;
        ++unknown;
        cluster.fault = Fault::none;
        const Became truth = play(cluster, order_of(c, Mode::recheck)).became;
        CHECK(truth == (changed ? Became::done : Became::failed));
      }
    }
  }
  CHECK(unknown > 20);
}

TEST_CASE("a recheck changes nothing and never claims what it could not read", "[remedy]") {
  using Fault = RemedyCluster::Fault;
  for (const Case& c : kCases) {
    for (const Fault fault : {Fault::unauthorized, Fault::forbidden, Fault::broken, Fault::lost,
                              Fault::garbage, Fault::too_many}) {
      RemedyCluster cluster = a_cluster();
      const auto untouched = cluster.objects;
      cluster.fault = fault;
      const Outcome outcome = play(cluster, order_of(c, Mode::recheck));
      INFO(verb_name(c.verb) << ": " << outcome.text);
      CHECK(outcome.became == Became::unknown);
      CHECK(cluster.objects == untouched);
      for (const ApiCall& call : cluster.calls) CHECK(call.method == "GET");
    }
  }
}

TEST_CASE("the replacement of a pod is left alone", "[remedy]") {
  for (const Verb verb : {Verb::evict_pod, Verb::delete_pod}) {
    RemedyCluster cluster = a_cluster();
    cluster.pod("api-1", "u2");
    CHECK(play(cluster, order(verb, "api-1", Mode::act, "u1")).became == Became::idle);
    CHECK(cluster.objects.contains("/api/v1/namespaces/shop/pods/api-1"));
    // It takes its place between the look and the deed.
    cluster.pod("api-1", "u1");
    cluster.calls.clear();
    cluster.before_call = [&](size_t n) {
      if (n == 3) cluster.pod("api-1", "u2");
    };
    CHECK(play(cluster, order(verb, "api-1", Mode::act, "u1")).became == Became::refused);
    CHECK(cluster.objects.contains("/api/v1/namespaces/shop/pods/api-1"));
  }
}

TEST_CASE("pods that nobody would make anew, or that hold data, are not removed", "[remedy]") {
  const auto refused = [](const std::function<void(json&)>& make) {
    RemedyCluster cluster = a_cluster();
    make(cluster.objects["/api/v1/namespaces/shop/pods/api-1"]);
    const Outcome outcome = play(cluster, order(Verb::delete_pod, "api-1", Mode::act, "u1"));
    CHECK(cluster.calls.size() == 1);
    return outcome.became == Became::refused;
  };
  CHECK(refused([](json& pod) { pod["metadata"].erase("ownerReferences"); }));
  CHECK(refused([](json& pod) { pod["metadata"]["ownerReferences"][0]["controller"] = false; }));
  CHECK(refused(
      [](json& pod) { pod["metadata"]["annotations"]["kubernetes.io/config.mirror"] = "x"; }));
  CHECK(refused([](json& pod) {
    pod["spec"]["volumes"].push_back({{"persistentVolumeClaim", {{"claimName", "data"}}}});
  }));
  RemedyCluster cluster = a_cluster();
  Order system = order(Verb::evict_pod, "coredns-1", Mode::act);
  system.target.ns = "kube-system";
  CHECK(play(cluster, system).became == Became::refused);
  CHECK(cluster.calls.empty());
}

TEST_CASE("a name that is none never reaches a path", "[remedy]") {
  for (const char* name : {"", "../secrets", "a/b", "a?x=1", "a%2fb", "-rf", "a b", "a\nb"}) {
    for (const Case& c : kCases) {
      RemedyCluster cluster = a_cluster();
      CHECK(play(cluster, order(c.verb, name, Mode::act)).became == Became::refused);
      CHECK(cluster.calls.empty());
    }
  }
}

TEST_CASE("a disruption budget is heeded, and when to ask again is passed on", "[remedy]") {
  RemedyCluster cluster = a_cluster();
  for (const Verb verb : {Verb::evict_pod, Verb::delete_pod}) {
    for (const Mode mode : {Mode::try_out, Mode::act}) {
      cluster = a_cluster();
      cluster.disruption_budget = true;
      const Outcome outcome = play(cluster, order(verb, "api-1", mode, "u1"));
      INFO(verb_name(verb));
      CHECK(outcome.became == Became::refused);
      CHECK(outcome.text.find("disruption budget") != std::string::npos);
      CHECK(cluster.calls.size() == 3);
      CHECK(cluster.calls.back().path.find("dryRun=All") != std::string::npos);
      CHECK(cluster.objects.contains("/api/v1/namespaces/shop/pods/api-1"));
    }
  }
  cluster = a_cluster();
  cluster.fault = RemedyCluster::Fault::too_many;
  CHECK(play(cluster, order(Verb::evict_pod, "api-1", Mode::act)).retry_after_ms == 7000);
}

TEST_CASE("a Deployment that another one changed meanwhile is looked at anew", "[remedy]") {
  RemedyCluster cluster = a_cluster();
  cluster.before_call = [&](size_t n) {
    if (n == 2) cluster.deployment_object()["metadata"]["resourceVersion"] = "77";
  };
  CHECK(play(cluster, order(Verb::rollout_undo, "api", Mode::act)).became == Became::done);
  CHECK(image(cluster) == "api:1");

  cluster = a_cluster();
  int version = 100;  // somebody who never rests
  cluster.before_call = [&](size_t) {
    cluster.deployment_object()["metadata"]["resourceVersion"] = std::to_string(++version);
  };
  const auto restart = order(Verb::rollout_restart, "api", Mode::act);
  CHECK(play(cluster, restart).became == Became::refused);
  CHECK(cluster.calls.size() < 12);
}

TEST_CASE(
    "rolling back takes the template of the revision before and nothing that is the present one's",
    "[remedy]") {
  RemedyCluster cluster = a_cluster();
  cluster.replica_sets({{"9", "api:9"}, {"10", "api:10"}, {"2", "api:2"}});
  cluster.deployment("api:10", 2);
  const Outcome outcome = play(cluster, order(Verb::rollout_undo, "api", Mode::act));
  CHECK(outcome.became == Became::done);
  CHECK(image(cluster) == "api:9");
  const json& object = cluster.deployment_object();
  CHECK_FALSE(object["spec"]["template"]["metadata"]["labels"].contains("pod-template-hash"));
  CHECK(object["metadata"]["annotations"]["deployment.kubernetes.io/revision"] == "2");
  CHECK(object["metadata"]["annotations"]["team"] == "shop");
}

TEST_CASE("there is no rolling back to the same, from the first, or of what is paused",
          "[remedy]") {
  RemedyCluster cluster = a_cluster();
  cluster.replica_sets({{"1", "api:2"}, {"2", "api:2"}});
  CHECK(play(cluster, order(Verb::rollout_undo, "api", Mode::act)).became == Became::idle);
  cluster.replica_sets({{"2", "api:2"}});
  CHECK(play(cluster, order(Verb::rollout_undo, "api", Mode::act)).became == Became::refused);
  cluster = a_cluster();
  cluster.deployment_object()["spec"]["paused"] = true;
  CHECK(play(cluster, order(Verb::rollout_undo, "api", Mode::act)).became == Became::refused);
  CHECK(play(cluster, order(Verb::rollout_restart, "api", Mode::act)).became == Became::refused);
}

TEST_CASE(
    "a Deployment is scaled in the direction that was meant, and not where something else does",
    "[remedy]") {
  RemedyCluster cluster = a_cluster();
  Order up = order(Verb::scale_up, "api", Mode::act);
  up.restore = "1";
  CHECK(play(cluster, up).became == Became::refused);
  up.restore = "2";
  CHECK(play(cluster, up).became == Became::idle);
  up.restore = "4";  // somebody has scaled it since
  CHECK(play(cluster, up).became == Became::refused);
  up.restore = "garbage";
  CHECK(play(cluster, up).became == Became::refused);
  up.restore = "3";
  const Outcome outcome = play(cluster, up);
  CHECK(outcome.became == Became::done);
  CHECK(outcome.before == "2");
  Order down = order(Verb::scale_down, "api", Mode::act);
  down.restore = "5";
  CHECK(play(cluster, down).became == Became::refused);
  down.restore.clear();  // one less
  CHECK(play(cluster, down).before == "3");
  CHECK(cluster.deployment_object()["spec"]["replicas"] == 2);
  cluster = a_cluster();
  cluster.objects[RemedyCluster::kScalers]["items"].push_back(
      {{"metadata", {{"name", "hpa"}}},
       {"spec", {{"scaleTargetRef", {{"kind", "Deployment"}, {"name", "api"}}}}}});
  CHECK(play(cluster, up).became == Became::refused);
}

TEST_CASE("what is not as it was when that was decided is left alone", "[remedy]") {
  const std::vector<std::pair<Case, const char*>> cases{{{Verb::scale_up, "api"}, "3"},
                                                        {{Verb::scale_down, "api"}, "1"},
                                                        {{Verb::rollout_undo, "api"}, "1"}};
  for (const auto& [c, before] : cases) {
    RemedyCluster cluster = a_cluster();
    const auto untouched = cluster.objects;
    Order of = order_of(c, Mode::act);
    of.before = before;
    const Outcome outcome = play(cluster, of);
    INFO(verb_name(c.verb) << ": " << outcome.text);
    CHECK(outcome.became == Became::refused);
    CHECK(cluster.objects == untouched);
    of.before = "2";  // replicas, and the revision
    CHECK(play(cluster, of).became == Became::done);
  }
}

TEST_CASE("a node that somebody else has closed is not opened", "[remedy]") {
  RemedyCluster cluster = a_cluster();
  cluster.node(true);
  CHECK(play(cluster, order(Verb::cordon, "n1", Mode::try_out)).became == Became::idle);
  CHECK(play(cluster, order(Verb::cordon, "n1", Mode::act)).became == Became::idle);
  // Between the intent and the deed, and then we died.
  CHECK(play(cluster, order(Verb::cordon, "n1", Mode::recheck)).became == Became::failed);
  Order back = order(Verb::uncordon, "n1", Mode::act);
  back.restore = "unschedulable";
  CHECK(play(cluster, back).became == Became::refused);
  back.restore = "schedulable";
  CHECK(play(cluster, back).became == Became::done);
  CHECK(play(cluster, back).became == Became::idle);
}

TEST_CASE("the Event of an action names its object, its key and how it went", "[remedy]") {
  const Order of = order(Verb::evict_pod, "api-1", Mode::act, "u1");
  const ApiCall call = audit_event(of, {Became::refused, "evict-pod shop/api-1: no", {}, {}}, "n1",
                                   {1'795'300'000 * kNsPerSecond + 5'000});
  CHECK(call.path == "/apis/events.k8s.io/v1/namespaces/shop/events");
  const json body = json::parse(call.body);
  CHECK(body["eventTime"] == "2026-11-21T22:26:40.000005Z");
  CHECK(body["type"] == "Warning");
  CHECK(body["regarding"]["kind"] == "Pod");
  CHECK(body["regarding"]["uid"] == "u1");
  CHECK(body["note"].get<std::string>().find(of.key) != std::string::npos);
}
