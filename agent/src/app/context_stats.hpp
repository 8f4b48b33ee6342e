// What NodeContext tells of itself, on /metrics.
#pragma once

#include <cstddef>
#include <cstdint>

#include "k8s/list_watch.hpp"

namespace nines::agent {

struct ContextStats {
  size_t happenings = 0;
  uint64_t let_go = 0;          // happenings, to make room
  size_t metrics = 0;           // series kept as evidence
  uint64_t metrics_let_go = 0;  // to make room
  uint64_t refused = 0;         // pods and workloads beyond their limits
  bool events = false;          // are followed
  bool events_connected = false;
  k8s::SyncStats sync;  // of events
};

}  // namespace nines::agent
