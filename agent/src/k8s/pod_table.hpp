// PodTable: the pods of this node as the API has told so far. Bounded; texts that many pods share
// are kept once. Gives immutable snapshots and says which pods changed, for the cache on disk.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "k8s/pod_reader.hpp"
#include "nines/collector/pod_directory.hpp"

namespace nines::agent::k8s {

class Interner {
 public:
  collector::Interned get(std::string_view text);
  size_t size() const noexcept { return texts_.size(); }

 private:
  void sweep();
  std::unordered_map<std::string_view, collector::Interned> texts_;  // keys look into the values
  size_t sweep_at_ = 256;
};

struct TableLimits {
  size_t max_pods = 1000;  // the kubelet's default is 110
  // Deleted pods are kept for the logs they left behind, the newest of them.
  size_t max_gone = 128;
};

class PodTable {
 public:
  explicit PodTable(TableLimits limits = {}) : limits_(limits) {}

  // From the cache of an earlier life.
  void restore(const RawPod& pod) { (void)put(pod); }
  // What is said of a pod now. False: refused, the table is full (counted).
  bool put(const RawPod& pod);
  void remove(const std::string& uid);
  // What was not put() between the two is gone.
  void begin_list();
  void end_list();

  std::shared_ptr<const collector::PodDirectory> snapshot() const;
  // Since the last call: uid and pod, null where it was forgotten. They come again after
  // mark_changed().
  std::vector<std::pair<std::string, collector::PodPtr>> take_changes();
  void mark_changed(const std::string& uid) { changed_.insert(uid); }
  // Grows with every change.
  uint64_t version() const noexcept { return version_; }

  size_t present() const noexcept { return pods_.size() - gone_.size(); }
  size_t gone() const noexcept { return gone_.size(); }
  uint64_t refused() const noexcept { return refused_; }
  size_t interned() const noexcept { return interner_.size(); }

 private:
  struct Entry {
    collector::PodPtr pod;
    uint64_t list = 0;  // in which list it was last seen
  };
  std::shared_ptr<collector::PodInfo> make(const RawPod& raw);
  collector::PodTexts intern(const RawPod::Texts& texts);
  bool make_room();
  void mark_gone(Entry& entry);
  void forget(const std::string& uid);

  TableLimits limits_;
  Interner interner_;
  std::map<std::string, Entry> pods_;  // by uid
  std::deque<std::string> gone_;       // oldest first
  std::set<std::string> changed_;
  uint64_t version_ = 0, list_ = 0, refused_ = 0;
  bool listing_ = false;
};

}  // namespace nines::agent::k8s
