// What a pod's labels and annotations mean for who counts its logs, and how they are read:
//
//   nines.io/exclude: "true", nines.io/include: "false"   no source with kubernetes selectors
//   nines.io/format, nines.io/multiline, nines.io/service instead of what the source says
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "nines/collector/pod_directory.hpp"
#include "nines/log/multiline.hpp"
#include "nines/slo/spec.hpp"

namespace nines::collector {

// Does the source choose by what Kubernetes calls things?
bool selects_pods(const slo::SourceSelector& selector);
// Whether it counts a file of this pod (null: not known). Labels of an unknown pod do not hold.
bool counts_pod(const slo::SourceSelector& selector, const PodInfo* pod);

struct PodOverrides {
  std::string format, multiline, service;  // empty: as the source says
  uint32_t refused = 0;                    // annotations that mean nothing
  // Of a multiline that is a pattern; null otherwise.
  std::unique_ptr<log::StartPattern> start_pattern() const;
  bool any() const { return !format.empty() || !multiline.empty(); }
};
PodOverrides overrides_of(const PodInfo& pod);

}  // namespace nines::collector
