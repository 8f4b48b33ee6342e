// Bodies of OTLP/HTTP in JSON: ExportMetricsServiceRequest and what comes back.
// https://opentelemetry.io/docs/specs/otlp/ and opentelemetry-proto metrics/v1
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "nines/upstream/series.hpp"

namespace nines::upstream {

// Names ending in _total are cumulative sums, others gauges. job, instance and node become
// service.name, service.instance.id and host.name of the resource, which is that of the first
// series.
std::string encode_otlp(std::span<const TimeSeries> series);
std::string gzip(const std::string& plain);

struct OtlpRejected {
  uint64_t points = 0;
  std::string message;
};
// What partialSuccess of an answer says; nullopt: all was taken.
std::optional<OtlpRejected> otlp_rejected(std::string_view answer);

}  // namespace nines::upstream
