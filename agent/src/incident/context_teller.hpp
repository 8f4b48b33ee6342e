// ContextTeller: puts what happened around the onset of an open incident (events of Kubernetes,
// restarts, rollouts, the kernel, vitals) with it as diagnostics, each once: of its own services
// and pods, of who is suspected, and of the node itself. Control thread; no I/O, no clock.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "nines/incident/happenings.hpp"
#include "nines/incident/incident.hpp"
#include "nines/incident/metric_evidence.hpp"
#include "nines/slo/engine.hpp"

namespace nines::agent::incident {

class ContextTeller {
 public:
  // Of one incident; between its onset and what may have caused or followed it.
  static constexpr size_t kMost = 24;
  static constexpr int64_t kBeforeNs = 900 * kNsPerSecond, kAfterNs = 300 * kNsPerSecond;

  using Around = std::function<std::vector<nines::incident::Happening>(
      WallTime onset, WallTime from, WallTime to, size_t limit)>;
  // `around` null: nothing is known.
  explicit ContextTeller(Around around) : around_(std::move(around)) {}

  // What is to be added to it, in the order of time.
  std::vector<nines::incident::Happening> news_of(const nines::incident::Incident& incident,
                                                  WallTime now) const;

 private:
  Around around_;
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
