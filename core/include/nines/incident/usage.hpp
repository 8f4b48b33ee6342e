// Usage: whether a service uses more of something (CPU, memory) than it does when all is well.
// Keeps the newest samples of each, some hours of them; robust against the spikes that healthy
// hours have.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "nines/base/time.hpp"

namespace nines::incident {

struct UsageFinding {
  double score = 0;                     // about chi2 with one degree of freedom, as FlowFinding's
  double now = 0, usual = 0, high = 0;  // the most of the last minutes; median and 95 % of before
};

class Usage {
 public:
  // `least`: a rise by less than this is never much of a finding (points of per cent of a core...).
  explicit Usage(double least) : least_(least) {}

  // Samples come in the order of time, about one a minute.
  void add(WallTime at, double value) noexcept;
  // The most of [since, ...) against what was before `until`; `until` <= since leaves out what may
  // be the beginning already. None: too little is known, or it is not more.
  std::optional<UsageFinding> finding(WallTime since, WallTime until) const;

 private:
  static constexpr size_t kSamples = 192;
  struct Sample {
    WallTime at;
    double value = 0;
  };
  double least_;
  std::array<Sample, kSamples> samples_{};
  size_t count_ = 0;  // ever added
};

}  // namespace nines::incident
