// Containers: what logs, the kernel and the Kubernetes API say of the same containers, made one
// truth for the Detector, so that no restart and no kill counts twice.
//
//   restarts   a log tells of a new one, the API of its count; the higher one holds, until the API
//              says that the pod is another one
//   kills      the kernel names the process, and (oom-kill: task_memcg=...pod<uid>) its pod; the
//   API
//              the container, some seconds before or after. Where the kernel did not name the pod
//              and pods are told of, its kill waits kWaitNs for whose it was
//
// Bounded: kMost of each, the oldest let go and counted. Ingest thread; no clock.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "incident/pod_facts.hpp"
#include "nines/collector/observer.hpp"
#include "nines/incident/detector.hpp"

namespace nines::agent::incident {

// Of a line of the kernel's before each kill within a cgroup: whose process is to die.
struct MemcgKill {
  std::string pod_uid;
  int64_t pid = 0;
};
// Empty uid: it is no such line, or none of a pod.
MemcgKill memcg_kill(std::string_view message);

class Containers {
 public:
  static constexpr size_t kMost = 2048, kMostKills = 64;
  static constexpr int64_t kWaitNs = 15 * kNsPerSecond, kSameNs = 30 * kNsPerSecond;

  // Of a killed process whose pod nobody names: whether a service is called so. May be null.
  using IsService = std::function<bool(std::string_view)>;
  explicit Containers(nines::incident::Detector& detector, IsService is_service = {})
      : detector_(detector), is_service_(std::move(is_service)) {}

  // A log of a container.
  void logged(const collector::ObservedContainer& container);
  // All containers of this node, about once a minute and when one is otherwise.
  void told(const std::vector<PodContainer>& all, WallTime now);
  void killed(const PodKill& kill);  // by the API
  // By the kernel: a line of its log.
  void kernel(std::string_view message, WallTime at);
  // With each look: what has waited for long enough.
  void advance(WallTime now);

  uint64_t dropped() const noexcept { return dropped_; }  // containers, kills: to make room

  // What logs are counted under, where that is new.
  std::vector<PodService> take_services();

 private:
  struct Known {
    std::string uid, waiting, service;
    uint64_t restarts = 0;
    bool by_api = false;
    WallTime at{};
  };
  struct Kill {
    std::string event, victim;
    std::string uid;  // of the pod; empty: not known (yet)
    WallTime at{};
    bool counted = false;  // the detector knows
    bool by_api = false, by_kernel = false;
  };
  using Key = std::pair<std::string, std::string>;  // "ns/pod", container
  Known* entry(const Key& key, WallTime at);
  void tell(const Key& key, const Known& known, WallTime at);
  Kill* same_kill(const std::string& uid, WallTime at, bool Kill::*not_yet);
  void count(Kill& kill, std::string_view service, std::string_view pod);
  void remember(Kill kill);

  nines::incident::Detector& detector_;
  IsService is_service_;
  std::map<Key, Known> known_;
  std::map<std::string, PodContainer> by_uid_;  // a pod: its first container
  std::deque<Kill> kills_;
  std::deque<std::pair<MemcgKill, WallTime>> doomed_;
  std::vector<PodService> services_;
  uint64_t dropped_ = 0;
};

}  // namespace nines::agent::incident
