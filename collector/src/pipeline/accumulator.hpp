// Accumulator: counts of the SLOs between two hand-overs. Logs are nearly in time order, so each
// SLO keeps one open slot and one open sketch hour; a change of slot appends a delta.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <vector>

#include "nines/slo/batch.hpp"
#include "nines/slo/sketch.hpp"

namespace nines::collector {

class Accumulator {
 public:
  void add_slo(uint32_t slo) {
    if (open_.size() <= slo) open_.resize(slo + 1);
  }

  // For every event: a call would cost more than it does.
  __attribute__((always_inline)) void count(uint32_t slo, int64_t slot, int64_t good, int64_t bad) {
    Open& open = open_[slo];
    if (open.slot != slot) {
      close(slo, open);
      open.slot = slot;
    }
    open.good += good;
    open.bad += bad;
  }

  void observe(uint32_t slo, int64_t slot, double value) {
    Open& open = open_[slo];
    constexpr int64_t kSlotsPerHour = 3600 / slo::kSlotS;
    const int64_t hour =
        slot >= 0 ? slot / kSlotsPerHour : -((-slot + kSlotsPerHour - 1) / kSlotsPerHour);
    if (open.hour != hour || open.bins == nullptr) {
      close_sketch(slo, open);
      open.hour = hour;
      if (open.bins == nullptr) open.bins = std::make_unique<Bins>();
    }
    ++(*open.bins)[slo::sketch_index(value)];
    open.sketched = true;
  }

  void take(slo::Batch& out) {
    for (uint32_t slo = 0; slo < open_.size(); ++slo) {
      close(slo, open_[slo]);
      close_sketch(slo, open_[slo]);
    }
    slo::Batch mine;
    mine.slots = std::move(slots_);
    mine.sketches = std::move(sketches_);
    slots_.clear();
    sketches_.clear();
    out.merge(std::move(mine));
  }

  // Bounds what waits for take(): equal slots are added up once the list has grown.
  void compact() {
    slo::Batch mine;
    mine.slots = std::move(slots_);
    mine.sketches = std::move(sketches_);
    mine.normalize();
    slots_ = std::move(mine.slots);
    sketches_ = std::move(mine.sketches);
    compacted_ = slots_.size();
  }
  size_t pending() const noexcept { return slots_.size(); }
  bool worth_compacting(size_t limit) const noexcept {
    return slots_.size() > limit && slots_.size() > 2 * compacted_;
  }

 private:
  using Bins = std::array<uint32_t, slo::kSketchBins>;
  struct Open {
    int64_t slot = INT64_MIN, good = 0, bad = 0;
    int64_t hour = INT64_MIN;
    std::unique_ptr<Bins> bins;
    bool sketched = false;
  };

  void close(uint32_t slo, Open& open) {
    if (open.good == 0 && open.bad == 0) return;
    slo::SlotDelta delta;
    delta.slo = slo;
    delta.slot = open.slot;
    delta.good = open.good;
    delta.bad = open.bad;
    slots_.push_back(delta);
    open.good = open.bad = 0;
  }

  void close_sketch(uint32_t slo, Open& open) {
    if (!open.sketched) return;
    slo::SketchDelta delta;
    delta.slo = slo;
    delta.hour = open.hour;
    for (size_t i = 0; i < open.bins->size(); ++i) {
      if (const uint32_t n = (*open.bins)[i]; n != 0) {
        delta.bins.emplace_back(static_cast<uint16_t>(i), n);
      }
    }
    open.bins->fill(0);
    open.sketched = false;
    sketches_.push_back(std::move(delta));
  }

  std::vector<Open> open_;
  std::vector<slo::SlotDelta> slots_;
  std::vector<slo::SketchDelta> sketches_;
  size_t compacted_ = 0;
};

}  // namespace nines::collector
