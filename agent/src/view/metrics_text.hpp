// GET /metrics: the Snapshot in the Prometheus text format 0.0.4. Passes `promtool check metrics`.
// The number of series is bounded by the number of SLOs, rules, sources and malformed reasons.
#pragma once

#include <string>

#include "app/snapshot.hpp"

namespace nines::agent::view {

inline constexpr const char* kMetricsContentType = "text/plain; version=0.0.4; charset=utf-8";

std::string metrics_text(const Snapshot& snapshot);

}  // namespace nines::agent::view
