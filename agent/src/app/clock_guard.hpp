// ClockGuard: a Raspberry Pi has no clock that survives power loss: until NTP has set it, it shows
// the time of the last shutdown or worse. What is counted in that time is kept back and moved to
// its true time once the clock is right (facts: trap 7); it is not committed before, so that a
// crash in between only means reading it again. A node that stays offline goes on after a while
// with the time it has.
#pragma once

#include <cstdint>

#include "nines/base/time.hpp"
#include "nines/slo/batch.hpp"

namespace nines::agent {

class ClockGuard {
 public:
  // A clock that is not synchronised this long after boot is taken as it is.
  static constexpr int64_t kMaxWaitS = 120;
  // Smaller corrections are the ordinary work of NTP.
  static constexpr int64_t kLeastStepS = 2;

  // `last_known`: newest time that an earlier life has committed; {}: none. The monotonic clock
  // counts from boot.
  ClockGuard(const Clock& clock, WallTime last_known);

  bool holding() const noexcept { return holding_; }
  // Looks at the clock again; true: it is trusted from now on and what was kept back is due.
  bool released();
  // How far the clock was moved meanwhile.
  int64_t step_s() const noexcept { return step_s_; }
  // Moves what was stamped since boot to where it belongs, by whole slots (sketches: hours). What
  // was stamped after the clock was set, and read before released() saw it, is there already; of a
  // step smaller than the time since boot that can't be told apart, and is moved as well.
  void correct(slo::Batch& batch) const;

 private:
  int64_t offset_ns() const noexcept { return clock_.wall().ns - clock_.mono().ns; }

  const Clock& clock_;
  int64_t boot_offset_ns_;      // wall time of boot, as the clock had it at the start
  int64_t give_up_ns_;          // monotonic
  int64_t wrong_until_ns_ = 0;  // what the wrong clock would show on release
  int64_t step_s_ = 0;
  bool holding_;
};

}  // namespace nines::agent
