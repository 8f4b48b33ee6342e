// NodeContext: follows what happens on this node around the services: pods and their status, events
// of Kubernetes, rollouts. Puts it into the node's facts beside what the kernel, logs and vitals
// tell, feeds the Detector with containers, and writes rollouts that nobody annotated into the log
// of changes. Control thread; no clock but the one it is given.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <string_view>
#include <vector>

#include "app/context_stats.hpp"
#include "app/ingest_thread.hpp"
#include "app/logbook.hpp"
#include "incident/node_facts.hpp"
#include "k8s/follow.hpp"
#include "k8s/node_events.hpp"
#include "k8s/pod_status.hpp"
#include "k8s/rollouts.hpp"
#include "nines/incident/happenings.hpp"

namespace nines::agent {

class NodeContext final : private k8s::PodListener {
 public:
  // All outlive it.
  struct Parts {
    boost::asio::io_context& io;
    const Clock& clock;
    std::string node;
    std::function<void(Record&&)> keep;  // changes and what belongs to them
    std::function<const std::deque<slo::Change>&()> changes;
  };
  explicit NodeContext(Parts parts);

  Status restore(store::StateStore& store);
  k8s::PodListener& pods() noexcept { return *this; }
  void follow_events(const k8s::Following& pods, uint64_t seed);
  // Containers are told to it; outlives it, or is let go by stop().
  void inform(IngestThread& ingest) { ingest_ = &ingest; }
  // What is known of this node, from wherever.
  incident::NodeFacts& facts() noexcept { return facts_; }
  const incident::NodeFacts& facts() const noexcept { return facts_; }

  void vital(std::string_view name, double value, WallTime at);
  void observed(const incident::Observed& observed);
  // With each evaluation.
  void look(WallTime now);
  // Nothing is followed any more.
  void stop();

  ContextStats stats() const;

 private:
  void list_began() override;
  void pod(const k8s::RawPod& pod, bool deleted) override;
  void list_ended() override;

  void look_at_rollouts(WallTime now);
  void tell_containers(WallTime now);

  Parts parts_;
  incident::NodeFacts facts_;
  k8s::PodStatus status_;
  k8s::Rollouts rollouts_;
  k8s::NodeEvents node_events_;
  std::unique_ptr<k8s::Followed> events_;
  IngestThread* ingest_ = nullptr;
  WallTime told_containers_{}, kept_{};
  bool listed_ = false;  // a list is complete, and none under way
};

}  // namespace nines::agent
