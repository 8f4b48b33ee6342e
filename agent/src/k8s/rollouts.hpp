// Rollouts: which revision of each workload (Deployment, StatefulSet, DaemonSet) runs on this node,
// and when it became another one. A revision is the hash that Kubernetes labels its pods with.
//
//   first sight of a workload     is where it begins, and no rollout
//   a revision never seen before  is one, from when its first pod here was made
//   one that was seen before      is one (back) only when no pod of the present one is left here:
//                                 an old ReplicaSet may make pods until it is scaled down
//
// It is held back for kSettleS, so that whoever annotates a deploy is heard first. The revisions
// are kept as documents: what happened while nobody looked is told afterwards, at its true time,
// once; what was told is not told again. Bounded: kMaxWorkloads; those without pods make room. No
// I/O, no clock.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "k8s/pod_reader.hpp"
#include "nines/base/time.hpp"
#include "nines/slo/changes.hpp"
#include "nines/store/state_store.hpp"

namespace nines::agent::k8s {

struct Rollout {
  std::string ns, kind, workload, service;
  std::string revision, before;  // hashes
  std::string object;            // uid of what owns the pods; empty: the API does not say
  std::string images, images_before;
  std::string pod;           // the first of it that was seen here
  WallTime at{};             // when that was made
  store::Document document;  // to be kept together with what is made of it
};
// As an entry of the log of changes.
slo::Change change_of(const Rollout& rollout, const std::string& node);
// The same on every node that sees it: "rollout/UID/REVISION", by what the cluster calls them (a
// revision that comes back is the same one; which time it was, its moment tells). Empty: the API
// does not say.
std::string rollout_key(std::string_view object, std::string_view revision);
// That somebody told already: a deploy of the same service within a quarter of an hour.
bool is_annotated(const Rollout& rollout, const slo::Change& change);

class Rollouts {
 public:
  static constexpr const char* kDocuments = "k8s-rollout";
  static constexpr size_t kMaxWorkloads = 128, kMaxRevisions = 8, kMaxPods = 1000;
  static constexpr int64_t kSettleS = 30;

  void restore(const std::vector<store::Document>& documents);
  void put(const RawPod& pod, const std::string& service);
  void remove(const std::string& uid);

  struct Seen {
    std::vector<Rollout> rollouts;
    std::vector<store::Document> documents;  // of workloads seen first, or let go
  };
  // When everything that is there has been told: not while a list is under way.
  Seen look(WallTime now);
  // Those that settle, for evidence that cannot wait. Each once.
  std::vector<Rollout> take_begun();

  uint64_t refused() const noexcept { return refused_; }

 private:
  struct Revision {
    std::string hash, images;
    int64_t made_s = 0;  // its first pod here
  };
  struct Pod {
    std::string name, hash, images, object;
    int64_t created_s = 0;
  };
  struct Workload {
    std::string ns, kind, name, service;
    std::deque<Revision> revisions;  // as they came; the last one runs
    std::map<std::string, Pod> pods;
    std::string settling;  // hash
    WallTime since{};
    bool touched = false;
  };
  const Pod* newest(const Workload& workload) const;
  void look_at(const std::string& key, Workload& workload, WallTime now, Seen& out);
  Rollout rollout_of(const std::string& key, const Workload& workload, const Pod& pod) const;
  static store::Document document_of(const std::string& key, const Workload& workload);
  bool make_room();

  std::map<std::string, Workload> workloads_;  // "namespace/kind/name"
  std::map<std::string, std::string> of_;      // uid of a pod -> its workload
  std::vector<Rollout> begun_;
  std::vector<store::Document> forgotten_;
  uint64_t refused_ = 0;
};

}  // namespace nines::agent::k8s
