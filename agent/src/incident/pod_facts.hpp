// What those who follow Kubernetes and those who read logs tell each other of containers. Values.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

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

// The key of a restart, whoever tells it; `uid` of the pod as the path of its logs has it.
inline std::string restart_key(std::string_view uid, std::string_view container,
                               std::string_view number) {
  std::string out = "restart/";
  for (const std::string_view part : {uid, container}) out.append(part).append("/");
  return out.append(number);
}

}  // namespace nines::agent::incident
