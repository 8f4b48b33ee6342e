// Failure classes: what kind of trouble an incident is, from its conditions and evidence, by one
// table of weights (failure_class.cpp). Each fact counts once for a class, the strongest of its
// kind, so that twenty templates that say "connection refused" are not twenty times as sure.
// Deterministic, pure.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "nines/incident/condition.hpp"

namespace nines::incident {

enum class FailureClass : uint8_t {
  crash,
  memory,
  disk,
  cpu,  // saturated
  dependency_down,
  slow_dependency,  // or the network to it
  bad_deploy,
  overload,
  malformed_input,
  power,  // or hardware: supply voltage, a node that is gone
  unknown,
};
std::string_view failure_class_name(FailureClass) noexcept;

enum class FactKind : uint8_t {
  error_text,     // text of an error template far above usual, or first seen
  errors_up,      // a larger share of errors (FlowFinding::error, ServiceRate)
  slow,           // time between lines of a request (FlowFinding::slow), a latency SLO
  not_reached,    // a service is not heard any more within requests (FlowFinding::silent)
  cpu_up,         // Usage
  memory_up,      // Usage
  traffic_up,     // more lines or requests than usual
  restarted,      // a container or unit
  change,         // deployed or changed within half an hour before the onset
  change_impact,  // and errors rose against services that were not changed
};

struct FailureFact {
  FactKind kind = FactKind::errors_up;
  std::string service;
  double score = 30;  // about chi2; from 30 on it counts in full
  std::string text;   // of error_text: the template; else what a person reads
};

struct ClassFinding {
  FailureClass failure = FailureClass::unknown;
  double weight = 0;
  std::vector<std::string> why;  // the facts, the weightiest first
};

// The weightiest first (ties in the order of the enumeration); at least one, `unknown` when nothing
// weighs as much as 1.
std::vector<ClassFinding> classify(std::span<const Condition> conditions,
                                   std::span<const FailureFact> facts);

}  // namespace nines::incident
