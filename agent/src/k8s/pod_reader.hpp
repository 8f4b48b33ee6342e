// Reads single objects of the Kubernetes API (a pod, an Event, what a watch tells, the frame of a
// list) and keeps the few things Nines needs; all else is passed over while it is parsed. Every
// text has a bound: what is longer than Kubernetes itself allows is left out and counted.
#pragma once

#include <algorithm>
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
    std::string uid{};
  };
  std::vector<OwnerRef> owners;
  struct Container {
    std::string name;
    int32_t restarts = 0;
    std::string waiting;  // reason: CrashLoopBackOff, ImagePullBackOff...; empty: it runs
    std::string ended,
        ended_last;         // reason of the present and of the last end: OOMKilled, Error...
    int64_t exit_code = 0;  // of the newest end
    int64_t ended_s = 0, ended_last_s = 0;
  };
  std::vector<Container> containers;
  Texts images;        // container -> image, as the pod's specification has it
  std::string reason;  // of its phase: Evicted, NodeLost...
  int64_t created_s = 0, started_s = 0;
  int64_t ready_since_s = 0;  // or not ready
  bool has_ready = false, ready = false;
  bool deleting = false;
  bool gone = false;  // in our own cache only
};

// An Event: something that was noticed about an object, perhaps again and again.
struct RawEvent {
  std::string kind, ns, name, uid;  // of the object that it is about
  std::string type;                 // Normal, Warning
  std::string host;                 // of the kubelet that noticed it
  std::string component;
  int64_t count = 0, series = 0;  // how often; whichever the server writes
  int64_t first_s = 0, last_s = 0, seen_s = 0, series_s = 0;
  int64_t times() const noexcept { return std::max({int64_t{1}, count, series}); }
  int64_t newest_s() const noexcept { return std::max({last_s, seen_s, series_s, first_s}); }
};

// A pod, or the object of an event, or the frame of a list.
struct ApiObject {
  std::string event;  // ADDED, MODIFIED, DELETED, BOOKMARK, ERROR; empty: not an event
  RawPod pod;         // its names are those of any object
  RawEvent noticed;
  std::string resource_version;
  std::string continue_token;   // lists: more is there
  int64_t code = 0;             // of a Status, e.g. 410
  std::string reason, message;  // of a Status or an Event
  uint64_t left_out = 0;        // texts beyond their bound
};

inline constexpr size_t kMaxLabels = 64, kMaxAnnotations = 16, kMaxContainers = 64;
inline constexpr size_t kMaxKeyBytes = 253 + 1 + 63, kMaxLabelBytes = 63,
                        kMaxAnnotationBytes = 1024;

// nullopt: not JSON.
std::optional<ApiObject> read_object(std::string_view json);
// The object of {"type":...,"object":{...}}; nullopt: not JSON or not an event.
std::optional<ApiObject> read_event(std::string_view json);

// "2026-11-21T06:17:14Z" or with a fraction, which is left out (what Kubernetes writes) as unix
// seconds; 0: not understood.
int64_t parse_time(std::string_view text);

}  // namespace nines::agent::k8s
