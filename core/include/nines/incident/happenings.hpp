// Happenings: what happened on this node that no log line of a service tells and that may explain
// an incident: events of Kubernetes, messages of the kernel, restarts and rollouts, vitals that
// left their usual range. Evidence beside an incident, never a reason to open one.
//
// Each occurrence has a key: told again just so it is no news, also in a later life that was given
// what this one kept (take_changes, restore). Memory is bounded: kMost of them, each of at most
// about 1 KiB; the oldest make room, which is counted. Not thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "nines/base/time.hpp"

namespace nines::incident {

enum class HappeningKind : uint8_t {
  kubernetes,  // an event of the API server
  kernel,      // out of memory, under-voltage, a disk that fails
  vital,       // a vital of the node left its usual range, or is back
  restart,     // of a container
  pod,         // came, went, was evicted, is not ready
  rollout,     // another revision of a workload runs
};
std::string_view happening_kind_name(HappeningKind kind) noexcept;

// Keys that begin so name the same occurrence on all nodes that tell of it: a rollout, by the uid
// and the revision that the cluster knows it by. Other keys are of the node.
inline constexpr std::string_view kClusterWide = "rollout/";

struct Happening {
  WallTime at{};
  HappeningKind kind = HappeningKind::kubernetes;
  bool wrong = true;         // false: as it should be (a pod came, a vital is back)
  std::string service, pod;  // empty: the node itself
  std::string text;          // one sentence
  std::string key;           // unique to the occurrence

  friend bool operator==(const Happening&, const Happening&) = default;
};

class Happenings {
 public:
  static constexpr size_t kMost = 256;
  static constexpr size_t kMaxText = 320, kMaxName = 253, kMaxKey = 160;

  // Too long texts are cut, control characters become blanks. False: no news, or without a key.
  // What is told again may name a service that was not known before; that alone is no news.
  bool add(Happening happening);
  // From an earlier life: no news, and nothing to keep.
  void restore(Happening happening);
  // Keys of what is to be kept, or (where find() gives nothing) to be forgotten, since last asked.
  std::vector<std::string> take_changes();
  const Happening* find(std::string_view key) const noexcept;

  // Of [from, to], in the order of time; where there are more than `limit`, what was wrong comes
  // before what was not, then what is nearest to the onset.
  std::vector<Happening> around(WallTime onset, WallTime from, WallTime to, size_t limit) const;

  size_t size() const noexcept { return by_key_.size(); }
  uint64_t let_go() const noexcept { return let_go_; }  // to make room

 private:
  bool put(Happening&& happening);

  std::map<std::string, Happening, std::less<>> by_key_;
  std::set<std::string> changed_;
  uint64_t let_go_ = 0;
};

// As a node keeps it; the key is kept beside it. nullopt: not what encode_happening() gives.
std::string encode_happening(const Happening& happening);
std::optional<Happening> decode_happening(std::string key, std::string_view bytes);

}  // namespace nines::incident
