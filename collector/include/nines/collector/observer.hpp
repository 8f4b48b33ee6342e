// RecordObserver: is shown every record of the sources that are read, once, with what is known of
// it in every format. It sees what the SLOs count, and sources that no SLO names; it changes
// nothing of what is counted.
#pragma once

#include <cstdint>
#include <string_view>

#include "nines/base/time.hpp"
#include "nines/log/value.hpp"

namespace nines::collector {

// Views die with the call.
struct ObservedRecord {
  WallTime at;
  uint32_t source = 0;  // the one that the stream is shown under
  std::string_view service, pod, container;
  std::string_view message;  // empty where the format has none (access logs)
  std::string_view request, span;
  std::string_view path;  // of the file it stands in; of other inputs their name
  int64_t offset = 0;     // of its first line in there
  int64_t status = 0;     // of HTTP; 0: none
  Level level = Level::info;
  bool has_level = false;
};

// A number that a record tells, as its source was asked to look for (GaugePlan).
struct ObservedGauge {
  WallTime at;
  uint32_t source = 0;
  std::string_view name;  // of the field
  std::string_view of;    // service, queue...; empty: the record does not say
  std::string_view pod;
  double value = 0;
};

// A container's log began to be read, or the next one of it: `restart` counts from 0.
struct ObservedContainer {
  WallTime at;
  std::string_view service, pod, container;
  uint64_t restart = 0;
  std::string_view ns = {};
  std::string_view uid = {};  // of the pod, as the path of its logs has it
};

// An SLO has counted a bad event, of a source that says who its users are (SourcePlan::user), from
// a record that tells by itself that it is bad.
struct ObservedBad {
  WallTime at;
  uint32_t slo = 0;       // as it was added to the pipeline
  std::string_view user;  // empty: the record does not say
};

// Called by the thread that reads, within Pipeline::consume().
class RecordObserver {
 public:
  virtual ~RecordObserver() = default;
  virtual void record(const ObservedRecord& record) = 0;
  virtual void gauge(const ObservedGauge& gauge) = 0;
  virtual void container(const ObservedContainer& container) = 0;
  virtual void bad(const ObservedBad&) {}
};

}  // namespace nines::collector
