// PodStatus: what the status of this node's pods tells that may be trouble: restarts, kills for
// want of memory, why a container waits, who is not ready or was evicted. Remembers what it was
// told, so that the same status told again (a new list, a later life) is the same occurrence.
// Bounded: kMaxPods, beyond which pods are not looked at and counted. No clock of its own, no I/O.
//
// The service of a pod is what its logs are counted under where that is known (learned()), else the
// annotation nines.io/service, else its workload, as Kubernetes knows it, else its name.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "incident/pod_facts.hpp"
#include "k8s/owner.hpp"
#include "k8s/pod_sync.hpp"
#include "nines/base/time.hpp"
#include "nines/incident/happenings.hpp"

namespace nines::agent::k8s {

class PodStatus {
 public:
  static constexpr size_t kMaxPods = 1000, kMaxLearned = 2000;
  // What happened longer ago is not told: nobody can still be asking.
  static constexpr int64_t kTellS = 2 * 3600, kKillS = 600;

  using Happened = std::function<void(nines::incident::Happening)>;
  explicit PodStatus(Happened happened) : happened_(std::move(happened)) {}

  void list_began() { ++list_; }
  void put(const RawPod& pod, WallTime now);
  void remove(const std::string& uid, WallTime now);
  std::vector<std::string> list_ended(WallTime now);  // those that are gone

  void learned(const incident::PodService& one);

  // Every container that is there, as it was told last.
  std::vector<incident::PodContainer> containers() const;
  // Since last asked: whether one of them is otherwise; kills for want of memory.
  bool take_changed() { return std::exchange(changed_, false); }
  std::vector<incident::PodKill> take_kills();

  struct About {
    std::string ns, name, service;
  };
  std::optional<About> find(const std::string& uid) const;
  // Of a pod that is not known here: its workload, if that has a pod here.
  std::optional<About> find_like(const std::string& ns, const std::string& pod) const;
  // Of a pod as it is told, known or not.
  std::string service_of(const RawPod& pod) const;

  size_t size() const noexcept { return pods_.size(); }
  uint64_t refused() const noexcept { return refused_; }

 private:
  struct Container {
    std::string name, waiting;
    int32_t restarts = 0;
    int64_t killed_s = 0;  // the newest kill that was told
  };
  struct Pod {
    std::string ns, name, service;  // service: annotated, or of the workload
    Owner owner;
    std::vector<Container> containers;
    uint64_t list = 0;
    bool annotated = false, ready = false, unready_told = false;
  };
  void tell(const Pod& pod, nines::incident::HappeningKind kind, bool wrong, int64_t at_s,
            std::string key, std::string text, const std::string& container = {});
  void tell_container(Pod& pod, Container& known, const RawPod::Container& said, const RawPod& of,
                      WallTime now);
  void tell_ready(Pod& pod, const RawPod& said);
  std::string service_of(const Pod& pod, const std::string& container) const;

  Happened happened_;
  std::map<std::string, Pod> pods_;                                     // by uid
  std::map<std::pair<std::string, std::string>, std::string> learned_;  // ns/pod, container
  std::vector<incident::PodKill> kills_;
  uint64_t list_ = 0, refused_ = 0;
  bool changed_ = false;
};

}  // namespace nines::agent::k8s
