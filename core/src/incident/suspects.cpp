#include "nines/incident/suspects.hpp"

#include <algorithm>

namespace nines::incident {
namespace {

constexpr double kSlowCounts = 0.5;
constexpr double kAsStrong = 0.9;

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

void put_called_first(std::vector<Suspect>& ranked, const Calls& calls) {
  for (size_t i = 1; i < ranked.size(); ++i) {
    for (size_t j = i; j > 0; --j) {
      const bool as_strong = ranked[j].score >= kAsStrong * ranked[j - 1].score;
      const bool up = as_strong && calls(ranked[j - 1].service, ranked[j].service) &&
                      !calls(ranked[j].service, ranked[j - 1].service);
      if (!up) break;
      std::swap(ranked[j - 1], ranked[j]);
    }
  }
}

}  // namespace nines::incident
