#include "view/counts.hpp"

#include <cstdio>

namespace nines::agent::view {

std::string amount(int64_t n, const slo::WindowCounts& w) {
  if (w.scale == 1) return std::to_string(n);
  char text[64];
  const int size = std::snprintf(text, sizeof text, "%.4f",
                                 static_cast<double>(n) / static_cast<double>(w.scale));
  return {text, static_cast<size_t>(size)};
}

std::string window_label(const slo::SloStatus& s) {
  return s.window_name.empty() ? format_duration_s(s.window_s) : s.window_name;
}

}  // namespace nines::agent::view
