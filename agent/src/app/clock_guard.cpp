#include "app/clock_guard.hpp"

#include <algorithm>
#include <cstdlib>

namespace nines::agent {
namespace {

// Lines may be stamped a little ahead of the clock that stamps them.
constexpr int64_t kLeadS = 60;

int64_t rounded(int64_t value, int64_t unit) {
  return (value >= 0 ? value + unit / 2 : value - unit / 2) / unit;
}

}  // namespace

ClockGuard::ClockGuard(const Clock& clock, WallTime last_known)
    : clock_(clock), boot_offset_ns_(offset_ns()) {
  const int64_t up_ns = clock.mono().ns;
  const bool just_booted = up_ns < kMaxWaitS * kNsPerSecond;
  const bool behind = clock.wall() < last_known;
  holding_ = !clock.synchronised() && (just_booted || behind);
  give_up_ns_ = (just_booted ? 0 : up_ns) + kMaxWaitS * kNsPerSecond;
}

bool ClockGuard::released() {
  if (!holding_) return false;
  if (!clock_.synchronised() && clock_.mono().ns < give_up_ns_) return false;
  holding_ = false;
  wrong_until_ns_ = boot_offset_ns_ + clock_.mono().ns + kLeadS * kNsPerSecond;
  step_s_ = rounded(offset_ns() - boot_offset_ns_, kNsPerSecond);
  return true;
}

void ClockGuard::correct(slo::Batch& batch) const {
  if (std::abs(step_s_) < kLeastStepS) return;
  const int64_t since = slo::slot_of({boot_offset_ns_});
  const int64_t until = slo::slot_of({wrong_until_ns_});
  const int64_t slots = rounded(step_s_, slo::kSlotS);
  for (slo::SlotDelta& delta : batch.slots) {
    if (delta.slot >= since && delta.slot <= until) delta.slot += slots;
  }
  const int64_t hours = rounded(step_s_, 3600);
  for (slo::SketchDelta& delta : batch.sketches) {
    const bool moved =
        delta.hour >= since * slo::kSlotS / 3600 && delta.hour <= until * slo::kSlotS / 3600;
    if (moved) delta.hour += hours;
  }
  const bool moved =
      batch.max_event_time.ns >= boot_offset_ns_ && batch.max_event_time.ns <= wrong_until_ns_;
  if (moved) {
    batch.max_event_time.ns += step_s_ * kNsPerSecond;
  }
  batch.normalize();
}

}  // namespace nines::agent
