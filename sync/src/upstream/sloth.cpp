#include "nines/upstream/sloth.hpp"

#include <cstdio>

namespace nines::upstream {
namespace {
constexpr int64_t kDay = 86400;
}

std::string prometheus_duration(int64_t seconds) {
  struct Unit {
    char name;
    int64_t length_s;
    bool whole;  // only when nothing is left over
  };
  constexpr Unit kUnits[] = {{'y', 365 * kDay, true}, {'w', 7 * kDay, true}, {'d', kDay, true},
                             {'h', 3600, false},      {'m', 60, false},      {'s', 1, false}};
  std::string out;
  for (const Unit& unit : kUnits) {
    if (seconds < unit.length_s || (unit.whole && seconds % unit.length_s != 0)) continue;
    out += std::to_string(seconds / unit.length_s) + unit.name;
    seconds %= unit.length_s;
  }
  return out.empty() ? "0s" : out;
}

std::string days_text(int64_t window_s) {
  if (window_s % kDay == 0) return std::to_string(window_s / kDay);
  char text[32];
  std::snprintf(text, sizeof text, "%.7g", static_cast<double>(window_s) / kDay);
  return text;
}

SlothIdentity sloth_identity(const slo::SloSpec& spec,
                             const std::function<bool(const std::string& name)>& exists) {
  const std::string prefix = spec.service + "-";
  const bool whole = spec.name.starts_with(prefix) && spec.name.size() > prefix.size();
  const std::string bare = whole ? spec.name.substr(prefix.size()) : spec.name;
  if (whole && exists(bare)) return {prefix + spec.name, spec.service, spec.name};
  return {prefix + bare, spec.service, bare};
}

}  // namespace nines::upstream
