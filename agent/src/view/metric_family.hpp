// MetricFamily: one number without labels, as /metrics shows it (Prometheus text format 0.0.4 and
// OpenMetrics alike). What has labels is written with an Exposition.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace nines::agent::view {

struct MetricFamily {
  std::string_view name;  // "..._total": a counter; else a gauge
  std::string_view help;
  uint64_t value = 0;
};

std::string metric_families(std::span<const MetricFamily> families);

}  // namespace nines::agent::view
