// Discovery for zero configuration: which logs does this node have, which services wrote them, and
// what do they show. Reads a bounded sample of each file and nothing else.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "nines/base/time.hpp"
#include "nines/slo/draft.hpp"

namespace nines::collector {

struct DiscoverOptions {
  std::string root = "/var/log";
  size_t sample_bytes = 64 * 1024;  // from the end of each file
  size_t max_files = 1000;          // newest first within each kind
  size_t files_per_service = 3;     // sampled
};

struct Discovered {
  std::vector<slo::LogSignals> services;  // with at least one readable, recognised log
  std::vector<std::string> unreadable;    // paths that permissions keep from us
  size_t files_seen = 0;
  size_t drafts_left_out = 0;  // by whoever drafts SLOs from it, at the limit of SLOs
};
// The same for logs that the configuration names.
slo::LogSignals sample_logs(const std::string& service, const slo::SourceSelector& selector,
                            const DiscoverOptions& options, WallTime now);
Discovered discover_logs(const DiscoverOptions& options, WallTime now);

}  // namespace nines::collector
