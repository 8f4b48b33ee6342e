// StreamContext: what surrounds one stream of log bytes: the names in its path, its pod, and from
// these which sources count it and what the context fields of its records are. All is resolved by
// block and only when something changed, never by line.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "nines/base/time.hpp"
#include "nines/collector/pod_directory.hpp"
#include "nines/collector/stream.hpp"
#include "nines/log/value.hpp"
#include "nines/slo/spec.hpp"
#include "pipeline/pod_rules.hpp"
#include "pipeline/program.hpp"

namespace nines::collector {

// So long a new container's log waits for its pod to become known, where a source chooses by pods.
// Kubernetes tells of a pod before it starts, so this is for an API that cannot be reached.
inline constexpr int64_t kPodHoldNs = 10 * kNsPerSecond;

class StreamContext {
 public:
  struct SourceView {
    const slo::SourceSelector& selector;
    bool uses_pod;  // some expression on it has fields of the pod
  };
  using SourceOf = std::function<SourceView(uint32_t source)>;

  void open(std::string_view path);

  enum class Gate : uint8_t {
    read,  // for the sources in matched()
    wait,  // the pod is not known yet
    skip,  // nobody counts it
  };
  struct Look {
    Gate gate = Gate::read;
    bool changed = false;  // matched(), the pod or its rules are others than at the last look
  };
  // Before each block. `feed` null: nobody tells of pods.
  Look look(const LogStream& stream, const PodFeed* feed, Instant now,
            const SourceOf& source_of);

  bool in_container() const noexcept { return !container.empty(); }
  const std::vector<uint32_t>& matched() const noexcept { return matched_; }
  const PodPtr& pod_info() const noexcept { return pod_info_; }
  const PodOverrides& overrides() const noexcept { return overrides_; }
  // Had to be read although its pod is not known.
  bool unknown() const noexcept { return unknown_; }
  // `selector`, or what the pod says instead.
  const slo::SourceSelector& effective(const slo::SourceSelector& selector);

  // Values of the fields in `program.context` that are the pod's; null for others.
  const std::vector<Value>& values(const Program& program, uint64_t generation);

  std::string ns, pod, container, uid;
  std::optional<int32_t> restart;

 private:
  Value value_of(const Program::Context& context) const;

  std::vector<uint32_t> globbed_;  // matched by the globs at the last look
  std::vector<uint32_t> matched_;  // and by what is known of the pod
  PodPtr pod_info_;
  PodOverrides overrides_;
  std::shared_ptr<const slo::SourceSelector> overridden_;
  uint64_t seen_ = 0;  // generation of the feed
  std::optional<Instant> first_look_;
  bool decided_ = false, unknown_ = false;

  std::vector<Value> values_;
  const Program* values_of_ = nullptr;
  uint64_t values_generation_ = 0;
};

}  // namespace nines::collector
