// When another revision of a workload is a rollout, and that each is told once.
#include <catch2/catch.hpp>

#include "k8s/rollouts.hpp"
#include "k8s_support.hpp"

using namespace nines;
using namespace nines::agent::k8s;

namespace {

namespace kube = nines::agent::k8s::test;

struct Rig {
  Rollouts rollouts;
  std::vector<store::Document> kept;
  std::vector<Rollout> told;
  int64_t now = 0;

  static kube::Pod pod(const std::string& hash, int64_t made, const std::string& image = "",
                       const std::string& chance = "aaaaa") {
    kube::Pod out;
    out.hash = hash;
    out.made = made;
    out.image = image.empty() ? "orders:" + hash : image;
    out.chance = chance;
    return out;
  }
  void put(const kube::Pod& one) { rollouts.put(one.raw(), "orders"); }
  void remove(const kube::Pod& one) { rollouts.remove(one.uid()); }
  void keep(const store::Document& document) {
    std::erase_if(kept, [&](const store::Document& d) { return d.key == document.key; });
    if (!document.body.empty()) kept.push_back(document);
  }
  // A minute passes; how many rollouts were told.
  size_t look() {
    size_t count = 0;
    for (int i = 0; i < 7; ++i, now += 10) {
      Rollouts::Seen seen = rollouts.look(WallTime::from_s(kube::kStart + now));
      for (const store::Document& document : seen.documents) keep(document);
      for (Rollout& rollout : seen.rollouts) {
        keep(rollout.document);
        told.push_back(std::move(rollout));
        ++count;
      }
    }
    return count;
  }
  // Another life of the agent: it knows what was kept.
  void restart() {
    rollouts = Rollouts();
    rollouts.restore(kept);
  }
};

}  // namespace

TEST_CASE("The first sight of a workload is no rollout, another revision is one", "[k8s]") {
  Rig rig;
  rig.put(Rig::pod("aaa", 0));
  CHECK(rig.look() == 0);
  REQUIRE(rig.kept.size() == 1);
  CHECK(rig.kept[0].key == "shop/Deployment/orders");
  rig.put(Rig::pod("bbb", 100, "orders:1.3"));
  CHECK(rig.look() == 1);
  REQUIRE(rig.told.size() == 1);
  const Rollout& rollout = rig.told[0];
  CHECK(rollout.at == WallTime::from_s(kube::kStart + 100));
  CHECK(rollout.before == "aaa");
  CHECK(rollout.revision == "bbb");
  const slo::Change change = change_of(rollout, "n1");
  CHECK(change.kind == slo::ChangeKind::deploy);
  CHECK(change.service == "orders");
  CHECK(change.at == rollout.at);
  CHECK(change.text ==
        "rollout of Deployment shop/orders was observed: orders=orders:aaa -> "
        "orders=orders:1.3");
  CHECK(*change.detail("observed") == "kubernetes");
  CHECK(*change.detail("revision_before") == "aaa");
  CHECK(*change.detail("object") == "rs-bbb");
  CHECK(slo::check_change(change, WallTime::from_s(kube::kStart + 200)).ok());
}

TEST_CASE("The pods of one rollout are one, also over restarts of the agent", "[k8s]") {
  Rig rig;
  rig.put(Rig::pod("aaa", 0));
  rig.put(Rig::pod("aaa", 1, "", "bbbbb"));
  rig.look();
  rig.put(Rig::pod("bbb", 100));
  rig.put(Rig::pod("bbb", 130, "", "ccccc"));
  CHECK(rig.look() == 1);
  CHECK(rig.told[0].at == WallTime::from_s(kube::kStart + 100));
  rig.remove(Rig::pod("aaa", 0));
  rig.put(Rig::pod("bbb", 200, "", "ddddd"));
  CHECK(rig.look() == 0);
  rig.restart();
  for (const char* chance : {"aaaaa", "ccccc", "ddddd"}) rig.put(Rig::pod("bbb", 300, "", chance));
  CHECK(rig.look() == 0);
}

TEST_CASE("What was rolled out while nobody looked is told afterwards, at its time", "[k8s]") {
  Rig rig;
  rig.put(Rig::pod("aaa", 0));
  rig.look();
  rig.restart();
  rig.put(Rig::pod("bbb", 5'000));
  CHECK(rig.look() == 1);
  CHECK(rig.told[0].at == WallTime::from_s(kube::kStart + 5'000));
}

TEST_CASE("What settles when the agent stops is told by the next life, once", "[k8s]") {
  Rig rig;
  rig.put(Rig::pod("aaa", 0));
  rig.look();
  rig.put(Rig::pod("bbb", 100));
  CHECK(rig.rollouts.look(WallTime::from_s(kube::kStart + 100)).rollouts.empty());
  CHECK(rig.rollouts.take_begun().size() == 1);  // for who cannot wait
  CHECK(rig.rollouts.take_begun().empty());
  rig.restart();
  rig.put(Rig::pod("bbb", 100));
  CHECK(rig.look() == 1);
}

TEST_CASE("Back to the revision before is a rollout when nothing of the other is left", "[k8s]") {
  Rig rig;
  rig.put(Rig::pod("aaa", 0));
  rig.look();
  rig.put(Rig::pod("bbb", 100));
  rig.remove(Rig::pod("aaa", 0));
  CHECK(rig.look() == 1);
  rig.put(Rig::pod("aaa", 200, "", "again"));  // while the other one is there: not decided
  CHECK(rig.look() == 0);
  rig.remove(Rig::pod("bbb", 100));
  CHECK(rig.look() == 1);
  CHECK(rig.told.back().revision == "aaa");
  CHECK(rig.told.back().before == "bbb");
  CHECK(rig.look() == 0);
}

TEST_CASE("An old pod that is left alone here is no rollout", "[k8s]") {
  Rig rig;
  rig.put(Rig::pod("aaa", 0));
  rig.put(Rig::pod("bbb", 100));
  rig.look();
  rig.remove(Rig::pod("bbb", 100));  // went to another node
  CHECK(rig.look() == 0);
  CHECK(rig.told.empty());
}

TEST_CASE("Jobs and pods of nobody have no rollouts; what ends is not counted", "[k8s]") {
  Rig rig;
  auto raw = Rig::pod("aaa", 0).raw();
  raw.owners = {{"Job", "backup-28000000", true}};
  rig.rollouts.put(raw, "backup");
  raw.owners.clear();
  rig.rollouts.put(raw, "alone");
  CHECK(rig.look() == 0);
  CHECK(rig.kept.empty());
  rig.put(Rig::pod("aaa", 0));
  rig.look();
  kube::Pod failed = Rig::pod("bbb", 100);
  failed.phase = "Failed";
  rig.put(failed);
  CHECK(rig.look() == 0);
}

TEST_CASE("A deploy that somebody told is known by its service and its time", "[k8s]") {
  Rig rig;
  rig.put(Rig::pod("aaa", 0));
  rig.look();
  rig.put(Rig::pod("bbb", 1'000));
  rig.look();
  slo::Change told;
  told.kind = slo::ChangeKind::deploy;
  told.service = "orders";
  told.at = WallTime::from_s(kube::kStart + 800);
  CHECK(is_annotated(rig.told[0], told));
  told.at = WallTime::from_s(kube::kStart + 2'000);
  CHECK_FALSE(is_annotated(rig.told[0], told));
  told.at = rig.told[0].at;
  told.service = "mail";
  CHECK_FALSE(is_annotated(rig.told[0], told));
  CHECK_FALSE(is_annotated(rig.told[0], change_of(rig.told[0], "n1")));  // not by us
}

TEST_CASE("So many workloads are known; damaged documents are let go", "[k8s]") {
  Rig rig;
  for (size_t i = 0; i < Rollouts::kMaxWorkloads + 3; ++i) {
    kube::Pod pod = Rig::pod("aaa", 0);
    pod.app = "app" + std::to_string(i);
    rig.put(pod);
  }
  rig.look();
  CHECK(rig.kept.size() == Rollouts::kMaxWorkloads);
  CHECK(rig.rollouts.refused() == 3);
  Rollouts damaged;
  damaged.restore({{Rollouts::kDocuments, "no-slash", "aaa\t1\timage\n"},
                   {Rollouts::kDocuments, "shop/Deployment/x", "garbage"},
                   {Rollouts::kDocuments, "shop/Deployment/y", "\t\t\n\n"}});
  const auto seen = damaged.look(WallTime::from_s(kube::kStart));
  CHECK(seen.documents.size() == 3);
  for (const auto& document : seen.documents) CHECK(document.body.empty());
}

TEST_CASE("A rollout has one name on all nodes that see it, whichever of its pods they have",
          "[k8s]") {
  Rig one, other;
  for (Rig* rig : {&one, &other}) {
    rig->put(Rig::pod("aaa", 0));
    CHECK(rig->look() == 0);
  }
  one.put(Rig::pod("bbb", 100, "orders:1.3", "ccccc"));
  other.put(Rig::pod("bbb", 140, "orders:1.3", "ddddd"));
  REQUIRE(one.look() == 1);
  REQUIRE(other.look() == 1);
  const auto key = [](const Rig& rig) {
    return rollout_key(rig.told[0].object, rig.told[0].revision);
  };
  CHECK(one.told[0].at != other.told[0].at);
  CHECK(key(one) == key(other));
  CHECK(key(one) == "rollout/rs-bbb/bbb");
  CHECK(rollout_key("", "bbb").empty());
}
