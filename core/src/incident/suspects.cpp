#include "nines/incident/suspects.hpp"

#include <algorithm>

namespace nines::incident {
namespace {

constexpr double kSlowCounts = 0.5;

double weight_of(FlowFinding::Kind kind) noexcept {
  return kind == FlowFinding::Kind::slow ? kSlowCounts : 1;
}

}  // namespace

std::vector<Suspect> rank_suspects(const std::vector<FlowFinding>& flow,
                                   const std::map<ServiceId, UsageFinding>& usage) {
  std::map<ServiceId, Suspect> by_service;
  for (const FlowFinding& finding : flow) {
    Suspect& suspect = by_service[finding.service];
    suspect.score = std::max(suspect.score, finding.score * weight_of(finding.kind));
    suspect.flow.push_back(finding);
  }
  for (const auto& [service, finding] : usage) {
    Suspect& suspect = by_service[service];
    suspect.score = std::max(suspect.score, finding.score);
    suspect.usage.push_back(finding);
  }
  std::vector<Suspect> ranked;
  for (auto& [service, suspect] : by_service) {
    suspect.service = service;
    ranked.push_back(std::move(suspect));
  }
  std::stable_sort(ranked.begin(), ranked.end(),
                   [](const Suspect& a, const Suspect& b) { return a.score > b.score; });
  return ranked;
}

}  // namespace nines::incident
