// The time axis of a picture: places in tenths of a pixel, ticks at round local times.
#pragma once

#include <string>

#include "nines/base/time.hpp"
#include "nines/base/time_zone.hpp"

namespace nines::timeline {

class SvgAxis {
 public:
  static constexpr int kWidth = 1000, kLeft = 190, kRight = 980;

  // `zone` outlives this.
  SvgAxis(WallTime first, WallTime last, const TimeZone& zone);

  // Tenths of a pixel; what is outside is at the edge.
  int x(WallTime at) const noexcept;
  std::string px(WallTime at) const { return tenths(x(at)); }
  static std::string tenths(int n);  // REQUIRES n >= 0
  // Ticks from `top` to `bottom` with their labels above.
  void draw(std::string& out, int top, int bottom) const;

 private:
  std::string label(WallTime at, int64_t step) const;
  int64_t first_, last_, per_tenth_;
  const TimeZone& zone_;
};

}  // namespace nines::timeline
