#include "http/narrative_facts.hpp"

#include <set>
#include <string>
#include <utility>

namespace nines::agent::http {
namespace {

namespace core = nines::incident;

constexpr int64_t kLatelyNs = 24 * 3600 * kNsPerSecond;

std::optional<double> percent(const std::optional<double>& share) {
  return share ? std::optional(*share * 100) : std::nullopt;
}

std::string percent_text(Decimal ratio) {
  if (ratio.mantissa != 0) ratio.exponent += 2;
  return ratio.to_string();
}

}  // namespace

core::NarrativeFacts narrative_facts(const std::vector<slo::SloStatus>& statuses,
                                     std::vector<core::Incident> incidents,
                                     std::vector<slo::Change> changes, std::string_view service,
                                     WallTime now) {
  core::NarrativeFacts facts;
  facts.now = now;
  std::set<std::string> services;
  for (const slo::SloStatus& s : statuses) {
    if (!service.empty() && s.service != service) continue;
    services.insert(s.service);
    if (!s.parts.empty() || s.state == slo::State::no_data) continue;
    facts.slos.push_back({s.slo, s.service, percent_text(s.target), s.window_name, percent(s.sli),
                          percent(s.error_budget_remaining), s.burn_1h.burn,
                          s.forecast.time_to_exhaustion_hours});
  }
  facts.services.assign(services.begin(), services.end());
  for (core::Incident& one : incidents) {
    if (!service.empty() && !one.concerns(service)) continue;
    const bool lately = one.over() && now.ns - one.resolved.ns <= kLatelyNs;
    if (!one.over() || lately) facts.incidents.push_back(std::move(one));
  }
  for (slo::Change& change : changes) {
    if (!service.empty() && !change.service.empty() && change.service != service) continue;
    if (now.ns - change.at.ns <= kLatelyNs && change.at <= now) {
      facts.changes.push_back(std::move(change));
    }
  }
  return facts;
}

}  // namespace nines::agent::http
