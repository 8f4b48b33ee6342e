// Reads single objects of the Kubernetes API (a pod, a watch event, the frame of a list) and keeps
// the few things Nines needs; all else is passed over while it is parsed. Every text has a bound:
// what is longer than Kubernetes itself allows is left out and counted.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace nines::agent::k8s {

struct RawPod {
  std::string ns, name, uid, node, phase;
  std::string manifest_hash;  // of a static pod's mirror
  using Texts = std::vector<std::pair<std::string, std::string>>;
  Texts labels, annotations;  // annotations: those of nines.io/ only
  struct OwnerRef {
    std::string kind, name;
    bool controller = false;
  };
  std::vector<OwnerRef> owners;
  struct Container {
    std::string name;
    int32_t restarts = 0;
  };
  std::vector<Container> containers;
  int64_t created_s = 0, started_s = 0;
  bool gone = false;  // in our own cache only
};

// A pod, or the object of an event, or the frame of a list.
struct ApiObject {
  std::string event;  // ADDED, MODIFIED, DELETED, BOOKMARK, ERROR; empty: not an event
  RawPod pod;
  std::string resource_version;
  std::string continue_token;  // lists: more is there
  int64_t code = 0;            // of a Status, e.g. 410
  std::string reason, message;
  uint64_t left_out = 0;  // texts beyond their bound
};

inline constexpr size_t kMaxLabels = 64, kMaxAnnotations = 16, kMaxContainers = 64;
inline constexpr size_t kMaxKeyBytes = 253 + 1 + 63, kMaxLabelBytes = 63,
                        kMaxAnnotationBytes = 1024;

// nullopt: not JSON.
std::optional<ApiObject> read_object(std::string_view json);
// The object of {"type":...,"object":{...}}; nullopt: not JSON or not an event.
std::optional<ApiObject> read_event(std::string_view json);

// "2026-11-21T06:17:14Z" (what Kubernetes writes) as unix seconds; 0: not understood.
int64_t parse_time(std::string_view text);

}  // namespace nines::agent::k8s
