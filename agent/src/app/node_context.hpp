// NodeContext: what happens on this node around the services: pods and their status, events of
// Kubernetes, rollouts, messages of the kernel, vitals. Puts it on one axis for incidents and
// timelines (around(), the hook of tell()), feeds the Detector with containers, and writes rollouts
// that nobody annotated into the log of changes. Control thread; no clock but the one it is given.
//
// What happened is kept as documents, so that a later life tells nothing twice.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "app/context_stats.hpp"
#include "app/ingest_thread.hpp"
#include "app/logbook.hpp"
#include "app/vital_watch.hpp"
#include "k8s/follow.hpp"
#include "k8s/node_events.hpp"
#include "k8s/pod_status.hpp"
#include "k8s/rollouts.hpp"
#include "nines/incident/happenings.hpp"
#include "nines/incident/metric_evidence.hpp"

namespace nines::agent {

class NodeContext final : private k8s::PodListener {
 public:
  static constexpr const char* kDocuments = "happening";

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
  // Is told of every happening that is news, once.
  using Told = std::function<void(const nines::incident::Happening&)>;
  void tell(Told told) { told_ = std::move(told); }

  void vital(std::string_view name, double value, WallTime at);
  void observed(const incident::Observed& observed);
  // With each evaluation.
  void look(WallTime now);
  // Nothing is followed any more.
  void stop();

  // What happened within [from, to], in the order of time; the nearest to the onset where there is
  // more than `limit`.
  std::vector<nines::incident::Happening> around(WallTime onset, WallTime from, WallTime to,
                                                 size_t limit) const {
    return happenings_.around(onset, from, to, limit);
  }

  // Metrics that left what is usual near the onset, strongest first (metric_evidence.hpp).
  std::vector<nines::incident::MetricFinding> metrics(WallTime onset, WallTime now,
                                                      std::span<const double> bad, WallTime bad_end,
                                                      size_t limit) const {
    return metrics_.find(onset, now, bad, bad_end, limit);
  }

  // To be kept with the next commit; look() sees to it that it is not long.
  std::vector<store::Document> take_changes();
  void give_back(const std::vector<store::Document>& documents);
  ContextStats stats() const;

 private:
  void list_began() override;
  void pod(const k8s::RawPod& pod, bool deleted) override;
  void list_ended() override;

  void happened(nines::incident::Happening happening);
  void look_at_rollouts(WallTime now);
  void tell_containers(WallTime now);

  Parts parts_;
  nines::incident::Happenings happenings_;
  k8s::PodStatus status_;
  k8s::Rollouts rollouts_;
  k8s::NodeEvents node_events_;
  std::unique_ptr<k8s::Followed> events_;
  VitalWatch vitals_;
  nines::incident::MetricEvidence metrics_;
  IngestThread* ingest_ = nullptr;
  Told told_;
  std::vector<store::Document> given_back_;
  WallTime told_containers_{}, kept_{};
  bool listed_ = false;  // a list is complete, and none under way
};

}  // namespace nines::agent
