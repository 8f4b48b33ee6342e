// What the status of pods tells, read from what the API writes.
#include <algorithm>
#include <catch2/catch.hpp>

#include "k8s/pod_status.hpp"
#include "k8s_support.hpp"

using namespace nines;
using namespace nines::agent::k8s;
using incident::Happening;
using incident::HappeningKind;

namespace {

namespace kube = nines::agent::k8s::test;

WallTime at(int64_t seconds) { return WallTime::from_s(kube::kStart + seconds); }

struct Rig {
  std::vector<Happening> told;
  PodStatus status{[this](Happening one) { told.push_back(std::move(one)); }};

  void put(const kube::Pod& pod, int64_t now) { status.put(pod.raw(), at(now)); }
  std::vector<Happening> of(HappeningKind kind) const {
    std::vector<Happening> out;
    std::copy_if(told.begin(), told.end(), std::back_inserter(out),
                 [&](const Happening& one) { return one.kind == kind; });
    return out;
  }
};

}  // namespace

TEST_CASE("A pod's status is read: reasons, ends, readiness, images", "[k8s]") {
  kube::Pod pod;
  pod.restarts = 3;
  pod.state = kube::waiting("CrashLoopBackOff");
  pod.last = kube::terminated("OOMKilled", 137, 50);
  pod.ready = "False";
  pod.ready_since = 52;
  const RawPod raw = pod.raw();
  REQUIRE(raw.containers.size() == 1);
  CHECK(raw.containers[0].name == "orders");
  CHECK(raw.containers[0].restarts == 3);
  CHECK(raw.containers[0].waiting == "CrashLoopBackOff");
  CHECK(raw.containers[0].ended.empty());
  CHECK(raw.containers[0].ended_last == "OOMKilled");
  CHECK(raw.containers[0].ended_last_s == kube::kStart + 50);
  CHECK(raw.containers[0].exit_code == 137);
  CHECK(raw.has_ready);
  CHECK_FALSE(raw.ready);  // and not what ContainersReady says
  CHECK(raw.ready_since_s == kube::kStart + 52);
  CHECK(raw.images == RawPod::Texts{{"orders", "orders:1.2"}});
  const auto event = read_event(R"({"type":"MODIFIED","object":)" + pod.json() + "}");
  REQUIRE(event);
  CHECK(event->pod.containers[0].ended_last == "OOMKilled");
  CHECK(event->pod.images.size() == 1);
}

TEST_CASE("A restart is told with why, once for each, however often its status comes", "[k8s]") {
  Rig rig;
  kube::Pod pod;
  rig.put(pod, 10);
  pod.restarts = 1;
  pod.last = kube::terminated("Error", 1, 60);
  rig.put(pod, 62);
  rig.put(pod, 70);
  const auto restarts = rig.of(HappeningKind::restart);
  REQUIRE(restarts.size() == 2);
  CHECK(restarts[0].key == restarts[1].key);  // one occurrence
  CHECK(restarts[0] == restarts[1]);
  CHECK(restarts[0].at == at(60));
  CHECK(restarts[0].service == "orders");
  CHECK(restarts[0].pod == pod.name());
  CHECK(restarts[0].text.find("Error (exit code 1), restart 1") != std::string::npos);
  pod.restarts = 2;
  pod.last = kube::terminated("Error", 1, 90);
  rig.put(pod, 91);
  CHECK(rig.of(HappeningKind::restart).back().key != restarts[0].key);
}

TEST_CASE("A kill for want of memory is told once, whichever field has it", "[k8s]") {
  Rig rig;
  kube::Pod pod;
  pod.state = kube::terminated("OOMKilled", 137, 60);
  rig.put(pod, 61);
  pod.restarts = 1;
  pod.last = pod.state;
  pod.state = R"("running":{})";
  rig.put(pod, 63);
  auto kills = rig.status.take_kills();
  REQUIRE(kills.size() == 1);
  CHECK(kills[0].at == at(60));
  CHECK(kills[0].pod == pod.name());
  CHECK(kills[0].service == "orders");
  CHECK(rig.status.take_kills().empty());
  kube::Pod old;
  old.chance = "older";
  old.last = kube::terminated("OOMKilled", 137, 0);
  old.restarts = 4;
  rig.put(old, 3'000);  // it was killed long ago
  CHECK(rig.status.take_kills().empty());
}

TEST_CASE("A pod that is not ready any more is told, one that starts or ends is not", "[k8s]") {
  Rig rig;
  kube::Pod pod;
  pod.ready = "False";
  rig.put(pod, 10);  // it starts
  pod.ready = "True";
  pod.ready_since = 20;
  rig.put(pod, 20);
  CHECK(rig.of(HappeningKind::pod).size() == 1);  // that it was made
  pod.ready = "False";
  pod.ready_since = 100;
  rig.put(pod, 101);
  rig.put(pod, 102);
  pod.ready = "True";
  pod.ready_since = 130;
  rig.put(pod, 131);
  const auto told = rig.of(HappeningKind::pod);
  REQUIRE(told.size() == 3);
  CHECK(told[1].wrong);
  CHECK(told[1].at == at(100));
  CHECK(told[1].text.find("is not ready") != std::string::npos);
  CHECK_FALSE(told[2].wrong);
  CHECK(told[2].at == at(130));
  pod.ready = "False";
  pod.extra = R"(,"deletionTimestamp":"2026-11-21T07:00:00Z")";
  rig.put(pod, 200);
  CHECK(rig.of(HappeningKind::pod).size() == 3);
}

TEST_CASE("An eviction is told, and pods that a list does not name are gone", "[k8s]") {
  Rig rig;
  kube::Pod pod, other;
  other.chance = "other";
  rig.status.list_began();
  rig.put(pod, 10);
  rig.put(other, 10);
  CHECK(rig.status.list_ended(at(11)).empty());
  pod.phase = "Failed";
  pod.reason = "Evicted";
  rig.put(pod, 20);
  CHECK(rig.told.back().text.find("was evicted") != std::string::npos);
  CHECK(rig.told.back().wrong);
  rig.status.list_began();
  rig.put(pod, 30);
  CHECK(rig.status.list_ended(at(31)) == std::vector<std::string>{other.uid()});
  CHECK(rig.told.back().text.find("is gone") != std::string::npos);
  CHECK(rig.status.containers().size() == 1);
}

TEST_CASE("A pod's service is what its logs are counted under, else its workload", "[k8s]") {
  Rig rig;
  kube::Pod pod;
  rig.put(pod, 10);
  CHECK(rig.status.find(pod.uid())->service == "orders");
  rig.status.learned({"shop", pod.name(), "orders", "checkout"});
  CHECK(rig.status.find(pod.uid())->service == "checkout");
  CHECK(rig.status.containers()[0].service == "checkout");
  CHECK(rig.status.service_of(pod.raw()) == "checkout");
  kube::Pod annotated;
  annotated.chance = "named";
  annotated.extra = R"(,"annotations":{"nines.io/service":"shop-front"})";
  rig.put(annotated, 10);
  CHECK(rig.status.find(annotated.uid())->service == "shop-front");
}

TEST_CASE("Containers are told as they are, and that one is otherwise", "[k8s]") {
  Rig rig;
  kube::Pod pod;
  rig.put(pod, 10);
  CHECK(rig.status.take_changed());
  rig.put(pod, 20);
  CHECK_FALSE(rig.status.take_changed());
  pod.state = kube::waiting("ImagePullBackOff");
  rig.put(pod, 30);
  CHECK(rig.status.take_changed());
  CHECK(rig.status.containers()[0].waiting == "ImagePullBackOff");
  rig.status.remove(pod.uid(), at(40));
  CHECK(rig.status.containers().empty());
}
