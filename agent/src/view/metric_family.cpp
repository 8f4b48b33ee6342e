#include "view/metric_family.hpp"

namespace nines::agent::view {

std::string metric_families(std::span<const MetricFamily> families) {
  std::string out;
  for (const MetricFamily& one : families) {
    out.append("# HELP ").append(one.name).append(" ").append(one.help).append("\n# TYPE ");
    out.append(one.name).append(one.name.ends_with("_total") ? " counter\n" : " gauge\n");
    out.append(one.name).append(" ").append(std::to_string(one.value)).append("\n");
  }
  return out;
}

}  // namespace nines::agent::view
