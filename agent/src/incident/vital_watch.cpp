#include "incident/vital_watch.hpp"

#include <cstdio>

namespace nines::agent::incident {
namespace {

struct Range {
  std::string_view vital;
  double out, back;
  double shown;  // times the value
  const char* text;
};
constexpr Range kRanges[] = {
    {"cpu", 0.90, 0.80, 100, "CPU %.0f %% busy"},
    {"memory", 0.90, 0.85, 100, "memory %.0f %% used"},
    {"swap", 0.80, 0.60, 100, "swap %.0f %% used"},
    {"disk_root", 0.85, 0.83, 100, "disk of / %.0f %% used"},
    {"disk_var_lib", 0.85, 0.83, 100, "disk of /var/lib %.0f %% used"},
    {"disk_state", 0.85, 0.83, 100, "disk of the agent's state %.0f %% used"},
    {"psi_cpu_some_avg60", 60, 40, 1, "tasks waited for a CPU %.0f %% of a minute"},
    {"psi_memory_some_avg60", 10, 5, 1, "tasks waited for memory %.0f %% of a minute"},
    {"psi_io_some_avg60", 30, 20, 1, "tasks waited for disks %.0f %% of a minute"},
    {"temperature_celsius", 80, 75, 1, "temperature %.0f degrees Celsius"},
    {"undervoltage", 0.5, 0.5, 1, "the supply voltage is too low"}};

std::string tell(const Range& range, double value, bool out) {
  char text[96];
  std::snprintf(text, sizeof text, range.text, value * range.shown);
  if (range.vital == "undervoltage") return out ? text : "the supply voltage is as it should be";
  char bound[48];
  std::snprintf(bound, sizeof bound, out ? " (above %.0f)" : " (below %.0f again)",
                (out ? range.out : range.back) * range.shown);
  return std::string(text) + bound;
}

}  // namespace

std::optional<nines::incident::Happening> VitalWatch::vital(std::string_view name, double value,
                                                            WallTime at) {
  for (const Range& range : kRanges) {
    if (range.vital != name) continue;
    bool& out = out_[std::string(name)];
    const bool now = out ? value >= range.back : value >= range.out;
    if (now == out) return std::nullopt;
    out = now;
    nines::incident::Happening told;
    told.at = at;
    told.kind = nines::incident::HappeningKind::vital;
    told.wrong = now;
    told.text = tell(range, value, now);
    told.key = "vital/" + std::string(name) + "/" + std::to_string(at.seconds());
    return told;
  }
  return std::nullopt;
}

}  // namespace nines::agent::incident
