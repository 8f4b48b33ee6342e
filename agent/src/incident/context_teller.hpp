// ContextTeller: puts what happened around the onset of an open incident (events of Kubernetes,
// restarts, rollouts, the kernel, vitals) with it as diagnostics, each once: of its own services
// and pods, of who is suspected, and of the node itself; and metrics that left what is usual.
// Control thread; no I/O, no clock.
#pragma once

#include <string>
#include <vector>

#include "incident/desk.hpp"
#include "incident/node_facts.hpp"
#include "nines/incident/incident.hpp"
#include "nines/slo/engine.hpp"

namespace nines::agent::incident {

class ContextTeller {
 public:
  // Of one incident; between its onset and what may have caused or followed it.
  static constexpr size_t kMost = 24, kMostMetrics = 3;
  static constexpr int64_t kBeforeNs = 900 * kNsPerSecond, kAfterNs = 300 * kNsPerSecond;

  // Both outlive it; `node` is this one's name.
  ContextTeller(const NodeFacts& facts, const slo::SloEngine& engine, std::string node)
      : facts_(facts), engine_(engine), node_(std::move(node)) {}

  // All open incidents of the desk, every kEveryNs at most.
  void look(Desk& desk, WallTime now);

  // What is to be added to it, in the order of time.
  std::vector<nines::incident::Happening> news_of(const nines::incident::Incident& incident,
                                                  WallTime now) const;
  // Once, when there is enough to see: two minutes after the onset, or when it opens later than
  // that.
  std::vector<nines::incident::MetricFinding> metrics_of(const nines::incident::Incident& incident,
                                                         WallTime now) const;

 private:
  static constexpr int64_t kEveryNs = 10 * kNsPerSecond;

  const NodeFacts& facts_;
  const slo::SloEngine& engine_;
  std::string node_;
  WallTime looked_{};
};

// A condition that is an SLO whose budget burns: its key begins so, the SLO follows.
inline constexpr std::string_view kBurnPrefix = "burn/";
// The share of bad events of that SLO in slots of 10 s, of twenty minutes up to `end`; NaN: nothing
// was counted. Empty: there is no such SLO.
std::vector<double> bad_shares(const slo::SloEngine& engine, const std::string& key, WallTime end);

// Its details: source, ref, value, usual, since and, where it is of one, service.
nines::incident::Details details_of(const nines::incident::MetricFinding& found,
                                    const std::string& node);

// Its details: source, ref, at and, where there is one, pod and service.
nines::incident::Details details_of(const nines::incident::Happening& happening,
                                    const std::string& node);

}  // namespace nines::agent::incident
