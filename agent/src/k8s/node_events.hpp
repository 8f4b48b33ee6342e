// NodeEvents: the Events of Kubernetes that are about this node or its pods. The API cannot choose
// them by node, so that all of the cluster are asked for but those that a pod's own status tells
// (Pulled, Started...), and those of others are passed over. An Event that happened again is told
// as two occurrences at most: its first and its newest time. No I/O, no clock.
#pragma once

#include <functional>
#include <string>

#include "k8s/list_watch.hpp"
#include "k8s/pod_status.hpp"
#include "nines/incident/happenings.hpp"

namespace nines::agent::k8s {

class NodeEvents final : public Resource {
 public:
  // `pods` must outlive it.
  NodeEvents(std::string node, const PodStatus& pods, PodStatus::Happened happened)
      : node_(std::move(node)), pods_(pods), happened_(std::move(happened)) {}

  std::string target() const override;
  std::string name() const override { return "events"; }
  void begin_list() override {}
  void end_list() override {}
  Taken take(const ApiObject& object, bool deleted) override;

 private:
  std::string node_;
  const PodStatus& pods_;
  PodStatus::Happened happened_;
};

}  // namespace nines::agent::k8s
