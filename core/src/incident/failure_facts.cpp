#include "nines/incident/failure_facts.hpp"

#include <algorithm>
#include <optional>

namespace nines::incident {
namespace {

// Whether the line that follows is one that follows more often than it did.
bool rose(const FlowFinding& f) noexcept {
  return static_cast<double>(f.hits) * f.of_before > f.hits_before * static_cast<double>(f.of);
}

void add_flow(std::vector<FailureFact>& out, const FlowFinding& f, const std::string& service,
              const SuspectNames& names) {
  switch (f.kind) {
    case FlowFinding::Kind::error:
      out.push_back({FactKind::error_text, service, f.score, names.text_of(f.line)});
      out.push_back({FactKind::errors_up, service, f.score, {}});
      return;
    case FlowFinding::Kind::path:
      if (f.next != 0 && rose(f)) {
        out.push_back({FactKind::error_text, service, f.score, names.text_of(f.next)});
      }
      return;
    case FlowFinding::Kind::silent:
      out.push_back({FactKind::not_reached, service, f.score, {}});
      return;
    case FlowFinding::Kind::slow:
      if (f.seconds > f.seconds_before) {
        out.push_back({FactKind::slow, service, f.score, {}});
      }
      return;
  }
}

}  // namespace

std::optional<FactKind> usage_kind(std::string_view gauge) noexcept {
  if (gauge.find("mem") != std::string_view::npos || gauge.find("rss") != std::string_view::npos) {
    return FactKind::memory_up;
  }
  if (gauge.find("cpu") != std::string_view::npos) return FactKind::cpu_up;
  return std::nullopt;
}

std::vector<FailureFact> failure_facts(const std::vector<Suspect>& suspects,
                                       const SuspectNames& names, size_t most,
                                       const GaugeOf& gauge_of) {
  std::vector<FailureFact> out;
  for (size_t i = 0; i < std::min(most, suspects.size()); ++i) {
    const Suspect& suspect = suspects[i];
    const std::string service =
        suspect.service < names.services.size() ? names.services[suspect.service] : std::string();
    for (const FlowFinding& f : suspect.flow) add_flow(out, f, service, names);
    if (suspect.usage.empty() || gauge_of == nullptr) continue;
    const auto kind = usage_kind(gauge_of(service));
    for (const UsageFinding& f : suspect.usage) {
      if (kind) out.push_back({*kind, service, f.score, {}});
    }
  }
  return out;
}

std::optional<FailureFact> failure_fact(const CountFinding& finding, const std::string& text) {
  if (finding.score <= 0) return std::nullopt;
  if (finding.line != 0) {
    if (!finding.error) return std::nullopt;
    return FailureFact{FactKind::error_text, finding.service, finding.score, text};
  }
  const FactKind kind = finding.error ? FactKind::errors_up : FactKind::traffic_up;
  return FailureFact{kind, finding.service, finding.score, {}};
}

}  // namespace nines::incident
