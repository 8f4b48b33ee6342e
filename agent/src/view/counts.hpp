// Counts of a window as people read them: events, slices of time, or shares of slices.
#pragma once

#include <string>

#include "nines/slo/engine.hpp"

namespace nines::agent::view {

// One of w's counts: "1200", or "12.34" slices where shares are summed.
std::string amount(int64_t n, const slo::WindowCounts& w);
// "30d", "1M".
std::string window_label(const slo::SloStatus& s);

}  // namespace nines::agent::view
