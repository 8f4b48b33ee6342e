// Condition: something that is wrong for as long as it holds, and that may open an incident: an SLO
// whose alert fires, or a declared rule that is met. Anomalies are none: they are evidence
// (facts behind it: core/src/incident/README.md).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "nines/base/time.hpp"

namespace nines::incident {

enum class ConditionKind : uint8_t {
  burn_rate,       // an alert of an SLO
  error_storm,     // error lines of one template far beyond what is usual
  service_silent,  // a service that always logs does not
  queue_depth,     // a scraped or logged depth above its limit
  oom_kill,        // the kernel killed a process for want of memory
  crash_loop,      // a container that starts again and again
  disk_full,
  under_voltage,  // of a Raspberry Pi
  node_silent,    // seen by its peers
  custom,         // a declared rule that is none of these
};
std::string_view condition_kind_name(ConditionKind kind) noexcept;

struct Condition {
  // The same for the same trouble on whatever node: what is joined into one incident is decided by
  // service and topology, what is one condition by this.
  std::string key;
  ConditionKind kind = ConditionKind::custom;
  int priority = 3;     // P0..P3 as 0..3
  bool holds = true;    // false: it is over
  WallTime since{};     // began to be wrong (for a burn rate: the first bad slot that counts)
  WallTime at{};        // was noticed, or was over
  std::string service;  // empty: of the node
  std::string node, pod;
  std::string text;  // one sentence with its numbers
};

}  // namespace nines::incident
