// One truth of containers, of what logs, the kernel and Kubernetes say of them.
#include <catch2/catch.hpp>

#include "incident/containers.hpp"
#include "nines/incident/template_watch.hpp"

namespace nines::agent::incident {
namespace {

constexpr int64_t kStart = 1'790'000'000;
constexpr const char* kUid = "0a1b2c3d-0000-1111-2222-333344445555";

WallTime at(int64_t seconds) { return WallTime::from_s(kStart + seconds); }

struct Rig {
  nines::incident::Detector detector;
  nines::incident::TemplateWatch watch;
  Containers containers{detector};

  std::vector<nines::incident::Condition> look(int64_t seconds) {
    containers.advance(at(seconds));
    return detector.look(at(seconds), watch);
  }
  static PodContainer pod(uint64_t restarts, const std::string& waiting = "") {
    PodContainer out;
    out.ns = "shop";
    out.pod = "orders-1";
    out.uid = kUid;
    out.container = "orders";
    out.service = "orders";
    out.restarts = restarts;
    out.waiting = waiting;
    return out;
  }
  void logged(uint64_t restart, int64_t seconds) {
    containers.logged({at(seconds), "checkout", "orders-1", "orders", restart, "shop"});
  }
  void killed(int64_t seconds) {
    PodKill kill;
    kill.ns = "shop";
    kill.pod = "orders-1";
    kill.uid = kUid;
    kill.container = kill.service = "orders";
    kill.at = at(seconds);
    containers.killed(kill);
  }
};

const std::string kMemcg =
    "oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=cri-1.scope,mems_allowed=0,"
    "oom_memcg=/kubepods.slice/x,task_memcg=/kubepods.slice/kubepods-burstable.slice/"
    "kubepods-burstable-pod0a1b2c3d_0000_1111_2222_333344445555.slice/cri-containerd-1.scope,"
    "task=java,pid=4711,uid=0";
const std::string kKilled =
    "Memory cgroup out of memory: Killed process 4711 (java) total-vm:123kB, anon-rss:45kB";

}  // namespace

TEST_CASE("Restarts that a log and the API tell of are counted once", "[incident]") {
  Rig rig;
  rig.containers.told({Rig::pod(0)}, at(0));
  for (uint64_t restart = 1; restart <= 2; ++restart) {
    const auto seconds = static_cast<int64_t>(restart) * 60;
    rig.containers.told({Rig::pod(restart)}, at(seconds));
    rig.logged(restart, seconds + 1);
    rig.containers.told({Rig::pod(restart)}, at(seconds + 2));
  }
  CHECK(rig.look(130).empty());  // two restarts are no loop
  rig.logged(3, 180);            // the log first
  const auto conditions = rig.look(181);
  REQUIRE(conditions.size() == 1);
  CHECK(conditions[0].kind == nines::incident::ConditionKind::crash_loop);
  CHECK(conditions[0].key == "crash_loop/shop/orders-1/orders");
  CHECK(conditions[0].pod == "orders-1");
  CHECK(conditions[0].service == "checkout");  // as its logs are counted
  CHECK(conditions[0].text.find("3 restarts in 600 s, 3 in all") != std::string::npos);
  rig.containers.told({Rig::pod(3, "CrashLoopBackOff")}, at(190));
  CHECK(rig.look(191).empty());  // the same condition
  CHECK(rig.detector.standing().size() == 1);
}

TEST_CASE("Pods of one name in two namespaces are two", "[incident]") {
  Rig rig;
  PodContainer one = Rig::pod(9), other = Rig::pod(0);
  other.ns = "test";
  other.uid = "x";
  for (int64_t s = 0; s < 300; s += 60) rig.containers.told({one, other}, at(s));
  CHECK(rig.look(300).empty());
}

TEST_CASE("A pod that was made anew under its name begins anew", "[incident]") {
  Rig rig;
  rig.containers.told({Rig::pod(9)}, at(0));
  PodContainer anew = Rig::pod(0);
  anew.uid = "another";
  rig.containers.told({anew}, at(60));
  anew.restarts = 1;
  rig.containers.told({anew}, at(120));
  CHECK(rig.look(121).empty());
}

TEST_CASE("A container in CrashLoopBackOff is a condition at once", "[incident]") {
  Rig rig;
  rig.containers.told({Rig::pod(7, "CrashLoopBackOff")}, at(0));
  const auto conditions = rig.look(1);
  REQUIRE(conditions.size() == 1);
  CHECK(conditions[0].since == at(0));
  CHECK(conditions[0].text.find("CrashLoopBackOff") != std::string::npos);
}

TEST_CASE("An image that cannot be had is a condition after two minutes", "[incident]") {
  Rig rig;
  rig.containers.told({Rig::pod(0, "ErrImagePull")}, at(0));
  rig.containers.told({Rig::pod(0, "ImagePullBackOff")}, at(60));
  CHECK(rig.look(61).empty());
  rig.containers.told({Rig::pod(0, "ErrImagePull")}, at(110));
  const auto conditions = rig.look(121);
  REQUIRE(conditions.size() == 1);
  CHECK(conditions[0].key == "cannot_start/shop/orders-1/orders");
  CHECK(conditions[0].since == at(0));
  CHECK(conditions[0].text == "orders in orders-1 cannot be started: ErrImagePull");
  rig.containers.told({Rig::pod(0)}, at(150));
  CHECK(rig.look(151).empty());
  const auto over = rig.look(220);
  REQUIRE(over.size() == 1);
  CHECK_FALSE(over[0].holds);
}

TEST_CASE("A container that pulls its image, or starts slowly, is none", "[incident]") {
  Rig rig;
  for (int64_t s = 0; s <= 600; s += 60) {
    rig.containers.told({Rig::pod(0, "ContainerCreating")}, at(s));
    CHECK(rig.look(s + 1).empty());
  }
}

TEST_CASE("The pod of a kill within a cgroup is told by the kernel itself", "[incident]") {
  const MemcgKill kill = memcg_kill(kMemcg);
  CHECK(kill.pod_uid == kUid);
  CHECK(kill.pid == 4711);
  const MemcgKill plain =
      memcg_kill("oom-kill:constraint=CONSTRAINT_MEMCG,task_memcg=/kubepods/burstable/pod" +
                 std::string(kUid) + "/1234,task=java,pid=12,uid=0");
  CHECK(plain.pod_uid == kUid);
  for (const char* none :
       {"", "oom-kill:", "oom-kill:task_memcg=/user.slice,task=a,pid=1", "podcast",
        "oom-kill:constraint=x,task_memcg=/kubepods/podnot-a-uid-at-all-but-of-that-length-x/1"}) {
    CHECK(memcg_kill(none).pod_uid.empty());
  }
}

TEST_CASE("A kill that the kernel and the API tell of is one, whoever is first", "[incident]") {
  for (const bool named : {true, false}) {
    for (const bool kernel_first : {true, false}) {
      CAPTURE(named, kernel_first);
      Rig rig;
      rig.containers.told({Rig::pod(0)}, at(0));
      const auto kernel = [&] {
        if (named) rig.containers.kernel(kMemcg, at(100));
        rig.containers.kernel(kKilled, at(100));
      };
      if (kernel_first) kernel();
      rig.killed(101);
      if (!kernel_first) kernel();
      const auto conditions = rig.look(130);
      REQUIRE(conditions.size() == 1);
      CHECK(conditions[0].kind == nines::incident::ConditionKind::oom_kill);
      CHECK(conditions[0].key == "oom/orders");
      CHECK(conditions[0].pod == "orders-1");
      CHECK(conditions[0].text.find("once") != std::string::npos);
      CHECK(rig.look(140).empty());
    }
  }
}

TEST_CASE("A kill whose pod nobody names is told without it, a little later", "[incident]") {
  Rig rig;
  rig.containers.told({Rig::pod(0)}, at(0));
  rig.containers.kernel(kKilled, at(100));
  CHECK(rig.look(105).empty());
  const auto conditions = rig.look(116);
  REQUIRE(conditions.size() == 1);
  CHECK(conditions[0].key == "oom/java");
  rig.killed(110);  // it was that one: nothing is counted twice
  CHECK(rig.look(120).empty());
}

TEST_CASE("A kill of the whole machine's memory does not wait", "[incident]") {
  Rig rig;
  rig.containers.told({Rig::pod(0)}, at(0));
  rig.containers.kernel("Out of memory: Killed process 12 (postgres) total-vm:1kB", at(100));
  const auto conditions = rig.look(101);
  REQUIRE(conditions.size() == 1);
  CHECK(conditions[0].key == "oom/postgres");
  rig.killed(102);  // of another process
  CHECK(rig.look(103).size() == 1);
}

TEST_CASE("What logs are counted under is told when it is new", "[incident]") {
  Rig rig;
  rig.logged(0, 0);
  rig.logged(1, 60);
  const auto services = rig.containers.take_services();
  REQUIRE(services.size() == 1);
  CHECK(services[0].service == "checkout");
  CHECK(services[0].ns == "shop");
  CHECK(rig.containers.take_services().empty());
}

}  // namespace nines::agent::incident
