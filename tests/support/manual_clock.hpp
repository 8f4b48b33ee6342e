// A clock that stands still until told otherwise.
#pragma once

#include "nines/base/time.hpp"

namespace nines::test {

class ManualClock final : public Clock {
 public:
  explicit ManualClock(WallTime start) : wall_(start) {}
  Instant mono() const noexcept override { return mono_; }
  WallTime wall() const noexcept override { return wall_; }
  void advance_s(int64_t s) {
    mono_.ns += s * kNsPerSecond;
    wall_.ns += s * kNsPerSecond;
  }

 private:
  Instant mono_{1};
  WallTime wall_;
};

}  // namespace nines::test
