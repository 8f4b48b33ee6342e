// HourlySketches: latency sketches of the last 24 hours and their sum.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "nines/slo/batch.hpp"
#include "nines/slo/sketch.hpp"

namespace nines::slo {

class HourlySketches {
 public:
  static constexpr int64_t kHours = 24;

  // Deltas of hours that have left are ignored (their events are in the rings).
  void apply(const SketchDelta& delta);
  // Drops what is older than the 24 hours ending with `hour`.
  void advance(int64_t hour);

  struct Quantiles {
    std::optional<double> p50, p95, p99;
  };
  const Quantiles& quantiles();
  struct Hour {
    int64_t hour = 0;  // since 1970
    uint64_t count = 0;
    Quantiles quantiles;
  };
  // Those in which there was something, the oldest first.
  std::vector<Hour> by_hour() const;
  size_t memory_bytes() const noexcept;

 private:
  Sketch& at(int64_t hour);

  std::array<Sketch, kHours> hours_;
  Sketch sum_;
  Quantiles quantiles_;
  int64_t newest_ = 0;
  bool any_ = false, stale_ = false;
};

}  // namespace nines::slo
