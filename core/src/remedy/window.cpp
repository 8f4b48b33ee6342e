#include "nines/remedy/window.hpp"

#include <algorithm>

namespace nines::remedy {

bool in_windows(const std::vector<Window>& windows, WallTime now) {
  static const TimeZone kUtc;
  return windows.empty() || std::any_of(windows.begin(), windows.end(), [&](const Window& one) {
           return nines::oncall::in_windows({one.hours}, one.zone ? *one.zone : kUtc,
                                            now.seconds());
         });
}

}  // namespace nines::remedy
