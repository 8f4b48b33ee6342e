#include "view/metric_family.hpp"

#include "view/exposition.hpp"

namespace nines::agent::view {

std::string metric_families(std::span<const MetricFamily> families) {
  Exposition out;
  for (const MetricFamily& one : families) {
    if (one.name.ends_with("_total")) {
      out.single_counter(one.name, one.help, one.value);
    } else {
      out.single_gauge(one.name, one.help, one.value);
    }
  }
  return out.take();
}

}  // namespace nines::agent::view
