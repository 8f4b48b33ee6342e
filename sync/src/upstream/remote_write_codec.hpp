// Bodies of Prometheus remote write 1.0: a protobuf WriteRequest, compressed as one snappy block.
// https://prometheus.io/docs/specs/prw/remote_write_spec/
#pragma once

#include <span>
#include <string>

#include "nines/upstream/series.hpp"

namespace nines::upstream {

// WriteRequest { repeated TimeSeries timeseries = 1; }
// TimeSeries { repeated Label labels = 1; repeated Sample samples = 2; }
// Label { string name = 1; string value = 2; }  Sample { double value = 1; int64 timestamp = 2; }
std::string encode_write_request(std::span<const TimeSeries> series);
std::string snappy_block(const std::string& plain);

}  // namespace nines::upstream
