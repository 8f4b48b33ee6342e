// What those who follow Kubernetes and those who read logs tell each other of containers. Values.
#pragma once

#include <cstdint>
#include <string>

#include "nines/base/time.hpp"

namespace nines::agent::incident {

// A container as the status of its pod has it.
struct PodContainer {
  std::string ns, pod, uid, container, service;
  std::string waiting;    // reason; empty: it runs, or has ended
  uint64_t restarts = 0;  // since the pod was made
};

// A container was killed for want of memory.
struct PodKill {
  std::string ns, pod, uid, container, service;
  WallTime at{};
};

// What a container's logs are counted under.
struct PodService {
  std::string ns, pod, container, service;
};

}  // namespace nines::agent::incident
