// Events of Kubernetes: which are of this node, and that each occurrence is told once.
#include <catch2/catch.hpp>

#include "fake_api_server.hpp"
#include "k8s/node_events.hpp"
#include "k8s_support.hpp"

using namespace nines;
using namespace nines::agent::k8s;

namespace {

namespace kube = nines::agent::k8s::test;

WallTime at(int64_t seconds) { return WallTime::from_s(kube::kStart + seconds); }

struct Rig {
  incident::Happenings all;
  std::vector<incident::Happening> news;
  PodStatus pods{[](incident::Happening) {}};
  NodeEvents events{"n1", pods, [this](incident::Happening one) {
                      const std::string key = one.key;
                      if (all.add(std::move(one))) news.push_back(*all.find(key));
                    }};
  std::unique_ptr<ListWatch> sync = std::make_unique<ListWatch>(SyncOptions{"n1"}, events, 7);

  std::string hear(const std::string& body, bool cut = false) {
    const std::string target = sync->begin();
    Ended ended{200, !cut, std::nullopt, 0, ""};
    if (!sync->on_data(body)) ended.whole = false;
    (void)sync->on_end(ended);
    return target;
  }
  std::string list(const std::string& items) { return hear(nines::test::list_json(items, "10")); }
};

kube::Event of(const kube::Pod& pod) {
  kube::Event out;
  out.name = pod.name();
  out.of_uid = pod.uid();
  return out;
}

}  // namespace

TEST_CASE("Events are asked for but those that pods' status tells", "[k8s]") {
  Rig rig;
  const std::string target = rig.list("");
  CHECK(target.starts_with("/api/v1/events?fieldSelector=reason%21%3DScheduled%2C"));
  CHECK(target.find("limit=100") != std::string::npos);
  CHECK(rig.hear("").find("watch=true") != std::string::npos);
}

TEST_CASE("Events of this node's pods and of the node are told, others are not", "[k8s]") {
  Rig rig;
  kube::Pod pod;
  rig.pods.put(pod.raw(), at(0));
  kube::Event ours = of(pod), kubelets, node, foreign, deployment;
  kubelets.uid = "e2";
  kubelets.name = "unknown-yet";
  node.uid = "e3";
  node.kind = "Node";
  node.name = node.of_uid = "n1";
  node.reason = "NodeHasDiskPressure";
  node.type = "Normal";
  foreign.uid = "e4";
  foreign.name = "elsewhere";
  foreign.host = "n2";
  deployment.uid = "e5";
  deployment.kind = "Deployment";
  deployment.name = "orders";
  rig.list(ours.json() + "," + kubelets.json() + "," + node.json() + "," + foreign.json() + "," +
           deployment.json());
  REQUIRE(rig.news.size() == 3);
  CHECK(rig.news[0].service == "orders");
  CHECK(rig.news[0].pod == pod.name());
  CHECK(rig.news[0].text == "BackOff of " + pod.name() + ": Back-off restarting failed container");
  CHECK(rig.news[0].wrong);
  CHECK(rig.news[1].pod == "unknown-yet");
  CHECK(rig.news[2].pod.empty());
  CHECK_FALSE(rig.news[2].wrong);
  CHECK(rig.sync->stats().foreign == 2);
}

TEST_CASE("What happens again and again is told as its first and its newest time", "[k8s]") {
  Rig rig;
  kube::Pod pod;
  rig.pods.put(pod.raw(), at(0));
  kube::Event event = of(pod);
  event.first = event.last = 10;
  rig.list(event.json());
  CHECK(rig.news.size() == 1);
  event.count = 4;
  event.last = 70;
  rig.hear(nines::test::event_json("MODIFIED", event.json("11")));
  REQUIRE(rig.news.size() == 2);
  CHECK(rig.news[1].at == at(70));
  CHECK(rig.news[1].text.find("(4 times)") != std::string::npos);
  kube::Event series = of(pod);
  series.uid = "e9";
  series.count = 0;
  series.first = series.last = 0;
  series.extra = R"(,"series":{"count":7,"lastObservedTime":")" + kube::stamp(90).substr(0, 19) +
                 R"(.123456Z"})";
  rig.hear(nines::test::event_json("ADDED", series.json("12")));
  REQUIRE(rig.news.size() == 4);
  CHECK(rig.news[3].at == at(90));
  CHECK(rig.news[3].text.find("(7 times)") != std::string::npos);
  CHECK(rig.all.size() == 4);
}

TEST_CASE("Lists anew, broken watches and what the server forgets double nothing", "[k8s]") {
  Rig rig;
  kube::Pod pod;
  rig.pods.put(pod.raw(), at(0));
  kube::Event event = of(pod);
  rig.list(event.json());
  rig.hear(nines::test::event_json("ADDED", event.json("11")), true);
  rig.hear(nines::test::gone_json());
  CHECK(rig.sync->stats().expired == 1);
  rig.list(event.json());
  rig.hear(nines::test::event_json("DELETED", event.json("12")));
  CHECK(rig.news.size() == 1);
  CHECK(rig.all.size() == 1);
}

TEST_CASE("A pod that finds no node is told where others of its workload are", "[k8s]") {
  Rig rig;
  kube::Pod pod, pending;
  rig.pods.put(pod.raw(), at(0));
  pending.chance = "zzzzz";
  kube::Event event = of(pending);
  event.reason = "FailedScheduling";
  event.host = "";
  event.message = "0/3 nodes are available: 3 Insufficient memory.";
  kube::Event other = event;
  other.uid = "e2";
  other.name = "mail-5d8f4-aaaaa";
  rig.list(event.json() + "," + other.json());
  REQUIRE(rig.news.size() == 1);
  CHECK(rig.news[0].service == "orders");
  CHECK(rig.news[0].pod == pending.name());
}

TEST_CASE("Who may not read events is told so in so many words", "[k8s]") {
  Rig rig;
  (void)rig.sync->begin();
  (void)rig.sync->on_end({403, true, std::nullopt, 0, "no"});
  CHECK(rig.sync->trouble().find("grant it get, list and watch of events") != std::string::npos);
}
