#include "nines/incident/suspects.hpp"

#include <algorithm>
#include <cmath>

namespace nines::incident {
namespace {

constexpr double kSlowCounts = 0.5;
constexpr double kAsStrong = 0.9;
constexpr double kCertain = 30;  // of chi2: 4 in 100 million

double weight_of(FlowFinding::Kind kind) noexcept {
  return kind == FlowFinding::Kind::slow ? kSlowCounts : 1;
}

}  // namespace

std::vector<Suspect> rank_suspects(const std::vector<FlowFinding>& flow,
                                   const std::map<ServiceId, UsageFinding>& usage,
                                   const CountsOfServices& counts, const FactsOfServices& facts) {
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
  for (const auto& [service, findings] : counts) {
    Suspect& suspect = by_service[service];
    for (const CountFinding& finding : findings) {
      suspect.score = std::max(suspect.score, std::abs(finding.score));
      suspect.counts.push_back(finding);
    }
  }
  for (const auto& [service, told] : facts) {
    Suspect& suspect = by_service[service];
    suspect.score = std::max(suspect.score, kCertain);
    suspect.facts = told;
  }
  std::vector<Suspect> ranked;
  for (auto& [service, suspect] : by_service) {
    suspect.service = service;
    ranked.push_back(std::move(suspect));
  }
  std::stable_sort(ranked.begin(), ranked.end(), [](const Suspect& a, const Suspect& b) {
    return std::pair(a.facts.empty(), -a.score) < std::pair(b.facts.empty(), -b.score);
  });
  return ranked;
}

bool Suspect::is_certain() const noexcept {
  return !facts.empty() || std::any_of(counts.begin(), counts.end(), [](const CountFinding& one) {
    return std::abs(one.score) >= kCertain;
  });
}

void put_called_first(std::vector<Suspect>& ranked, const Calls& calls) {
  const auto goes_first = [&](const Suspect& second, const Suspect& first) {
    const bool as_strong = second.score >= kAsStrong * first.score && first.facts.empty();
    return (as_strong || second.is_certain()) && calls(first.service, second.service) &&
           !calls(second.service, first.service);
  };
  const auto at = [&](size_t i) { return ranked.begin() + static_cast<std::ptrdiff_t>(i); };
  for (size_t place = 0; place < ranked.size(); ++place) {
    size_t pick = place;
    // Whom the one that was picked calls is looked for behind it: it was weaker.
    for (size_t next = pick + 1; next < ranked.size(); ++next) {
      if (goes_first(ranked[next], ranked[pick])) pick = next;
    }
    std::rotate(at(place), at(pick), at(pick + 1));
  }
}

}  // namespace nines::incident
