// Drafts: SLOs proposed from what the logs of a service show, for zero configuration and
// `nines suggest`. Targets are the usual first ones; the documents say that they are drafts.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "nines/slo/spec.hpp"

namespace nines::slo {

// What a sample of one service's log lines holds.
struct LogSignals {
  std::string service;
  SourceSelector selector;  // how to find the files again
  std::string format;       // for people, e.g. "cri+json"
  uint64_t lines = 0;
  uint64_t with_status = 0;    // lines with an HTTP-like status (100..599) in `status`
  uint64_t with_level = 0;     // lines with a recognised `level`
  std::string duration_field;  // the first known duration field, empty: none
  uint64_t with_duration = 0;
};

// Milliseconds in one unit of a well-known duration field ("duration_ms" 1, "latency_us" 0.001),
// as the expression that turns it into milliseconds; empty for other names.
std::string duration_expression(const std::string& field);
// Names that are looked for, best first.
const std::vector<std::string>& duration_fields();

// Availability from status, latency from a duration, error rate from level where there is no
// status. A signal must be on at least a tenth of the lines. Empty when there is none.
std::vector<SloSpec> draft_slos(const LogSignals& signals);

}  // namespace nines::slo
