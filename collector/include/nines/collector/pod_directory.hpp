// PodDirectory: what is known of the pods of this node, as one immutable snapshot. PodFeed: where
// the thread that talks to Kubernetes puts the newest snapshot, and the ingest thread finds it.
//
// Pods are told apart by the uid in their log path, which for a static pod is the hash of its
// manifest and not the uid the API gives to its mirror.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace nines::collector {

// Shared between all pods that say the same; never null.
using Interned = std::shared_ptr<const std::string>;
// Ascending by key; keys are unique.
using PodTexts = std::vector<std::pair<Interned, Interned>>;
// Empty when absent (Kubernetes allows empty values: see has_text).
std::string_view find_text(const PodTexts& texts, std::string_view key);
bool has_text(const PodTexts& texts, std::string_view key);

struct PodInfo {
  std::string ns, name;
  std::string uid;      // the API's
  std::string log_uid;  // the one in the log path
  Interned node, phase;
  Interned owner_kind, owner;  // "Deployment", "checkout"; empty: none
  PodTexts labels;
  PodTexts annotations;  // those of nines.io/ only
  struct Container {
    Interned name;
    int32_t restarts = 0;
  };
  std::vector<Container> containers;
  int64_t created_s = 0, started_s = 0;  // unix; 0: not yet
  bool gone = false;                     // deleted; kept for the logs it left
};
bool operator==(const PodInfo& a, const PodInfo& b);

using PodPtr = std::shared_ptr<const PodInfo>;

class PodDirectory {
 public:
  PodDirectory() = default;
  explicit PodDirectory(std::vector<PodPtr> pods);

  // Null when unknown. An empty uid (links in /var/log/containers have none) finds the pod of that
  // name that is there, or was there last.
  PodPtr find(std::string_view ns, std::string_view pod, std::string_view uid) const;
  const std::vector<PodPtr>& pods() const noexcept { return pods_; }

 private:
  std::vector<PodPtr> pods_;  // by namespace and name; within a name the present one first
};

// Thread-safe.
class PodFeed {
 public:
  void publish(std::shared_ptr<const PodDirectory> directory);
  // Never null.
  std::shared_ptr<const PodDirectory> current() const;
  // Grows with every publish(); 0: nothing is known yet.
  uint64_t generation() const noexcept { return generation_.load(std::memory_order_acquire); }

 private:
  mutable std::mutex mutex_;
  std::shared_ptr<const PodDirectory> directory_ = std::make_shared<PodDirectory>();
  std::atomic<uint64_t> generation_{0};
};

}  // namespace nines::collector
