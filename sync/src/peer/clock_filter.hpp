// How far a peer's clock is from ours, from exchanges of four time stamps (RFC 5905, section 8).
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "nines/base/time.hpp"

namespace nines::peer {

struct Offset {
  int64_t ns = 0;  // theirs - ours
  int64_t uncertainty_ns = 0;
};

// Of the last eight exchanges the one with the least uncertainty counts: half the round trip, and
// 100 ppm of its age, which is more than what crystals drift.
class ClockFilter {
 public:
  // t1, t4: ours when the question left and the answer came; t2, t3: theirs. What goes back in
  // time, or is out of this world, is no measurement.
  void add(int64_t t1, int64_t t2, int64_t t3, int64_t t4, Instant now);
  // What the peer measured of us.
  void add_theirs(int64_t offset_ns, int64_t uncertainty_ns, Instant now);
  std::optional<Offset> best(Instant now) const;

 private:
  struct Sample {
    Offset offset;
    Instant at;
    bool used = false;
  };
  void put(Offset offset, Instant now);
  static int64_t uncertainty(const Sample& sample, Instant now);
  std::array<Sample, 8> samples_;
  size_t next_ = 0;
};

}  // namespace nines::peer
