#include "incident/context_teller.hpp"

#include <algorithm>
#include <limits>
#include <set>

namespace nines::agent::incident {
namespace {

using nines::incident::Happening;
using nines::incident::Incident;

constexpr const char* kRef = "ref";
constexpr size_t kLookedAt = 96;
constexpr int64_t kSlotsOfBad = 120;
constexpr int64_t kMetricsNs = nines::incident::MetricEvidence::kFollowS * kNsPerSecond;

// Services and pods that it is about.
struct Concerned {
  std::set<std::string> services, pods;
};
Concerned concerned(const Incident& incident) {
  Concerned out;
  out.services.insert(incident.services.begin(), incident.services.end());
  for (const auto& one : incident.conditions) {
    if (!one.condition.pod.empty()) out.pods.insert(one.condition.pod);
  }
  for (const nines::incident::Evidence& evidence : incident.evidence) {
    if (evidence.kind != nines::incident::EventKind::suspects) continue;
    if (const auto* service = evidence.entry.detail("service")) out.services.insert(*service);
    if (const auto* pod = evidence.entry.detail("pod")) out.pods.insert(*pod);
  }
  return out;
}

bool is_of(const Concerned& concerned, const Happening& one) {
  const bool of_node = one.service.empty() && one.pod.empty();
  return of_node || concerned.services.contains(one.service) || concerned.pods.contains(one.pod);
}

}  // namespace

std::vector<Happening> ContextTeller::news_of(const Incident& incident, WallTime now) const {
  std::vector<Happening> out;
  const WallTime onset = incident.began;
  if (incident.over() || now.ns - incident.opened.ns > kAfterNs) return out;
  std::set<std::string> told;
  size_t left = kMost;  // whoever told it
  for (const nines::incident::Evidence& evidence : incident.evidence) {
    const std::string* const ref = evidence.entry.detail(kRef);
    const std::string* const by = evidence.entry.detail("node");
    if (ref == nullptr) continue;
    if (left > 0) --left;
    // What another node tells is another thing, but for rollouts, whose keys are the cluster's.
    const bool mine = by == nullptr || *by == node_;
    if (mine || ref->starts_with(nines::incident::kClusterWide)) told.insert(*ref);
  }
  const Concerned those = concerned(incident);
  for (Happening& one :
       facts_.around(onset, {onset.ns - kBeforeNs}, {onset.ns + kAfterNs}, kLookedAt)) {
    if (left == 0) break;
    if (told.contains(one.key) || !is_of(those, one)) continue;
    --left;
    out.push_back(std::move(one));
  }
  return out;
}

std::vector<nines::incident::MetricFinding> ContextTeller::metrics_of(const Incident& incident,
                                                                      WallTime now) const {
  const bool due =
      now.ns - incident.began.ns >= kMetricsNs && now.ns - incident.opened.ns <= kAfterNs;
  const bool told = std::any_of(incident.evidence.begin(), incident.evidence.end(),
                                [](const nines::incident::Evidence& one) {
                                  const std::string* source = one.entry.detail("source");
                                  return source != nullptr && *source == "metric";
                                });
  if (!due || told) return {};
  std::vector<double> bad;
  const WallTime end{std::min(now.ns, incident.began.ns + kMetricsNs)};
  for (const auto& one : incident.conditions) {
    if (!bad.empty() || !one.condition.key.starts_with(kBurnPrefix)) continue;
    bad = bad_shares(engine_, one.condition.key, end);
  }
  return facts_.metrics(incident.began, now, bad, end, kMostMetrics);
}

void ContextTeller::look(Desk& desk, WallTime now) {
  if (facts_.empty() || now.ns - looked_.ns < kEveryNs) return;
  looked_ = now;
  const auto add = [&](const Incident& incident, const auto& found) {
    (void)desk.did(desk.book().add(incident.id, nines::incident::EventKind::diagnostics, {},
                                   found.text, details_of(found, node_), now));
  };
  nines::incident::BookQuery open;
  open.only_open = true;
  for (const Incident& one : desk.book().list(open, now)) {
    for (const auto& found : metrics_of(one, now)) add(one, found);
    for (const auto& happening : news_of(one, now)) add(one, happening);
  }
}

std::vector<double> bad_shares(const slo::SloEngine& engine, const std::string& key, WallTime end) {
  std::vector<double> out;
  if (!key.starts_with(kBurnPrefix)) return out;
  const std::string_view name = std::string_view(key).substr(kBurnPrefix.size());
  for (uint32_t i = 0; i < engine.size(); ++i) {
    if (!engine.has(i) || engine.spec(i).name != name) continue;
    for (int64_t slot = kSlotsOfBad - 1; slot >= 0; --slot) {
      const auto counts =
          engine.events(i, {end.ns - slot * slo::kSlotS * kNsPerSecond}, slo::kSlotS);
      const int64_t all = counts.good + counts.bad;
      out.push_back(all > 0 ? static_cast<double>(counts.bad) / static_cast<double>(all)
                            : std::numeric_limits<double>::quiet_NaN());
    }
    break;
  }
  return out;
}

nines::incident::Details details_of(const nines::incident::MetricFinding& found,
                                    const std::string& node) {
  nines::incident::Details out{{"source", "metric"},
                               {kRef, "metric/" + found.name + "/" + found.service},
                               {"node", node},
                               {"value", std::to_string(found.value)},
                               {"usual", std::to_string(found.usual)},
                               {"since", format_rfc3339(found.since)}};
  if (!found.service.empty()) out.emplace_back("service", found.service);
  return out;
}

nines::incident::Details details_of(const Happening& happening, const std::string& node) {
  nines::incident::Details out{
      {"source", std::string(nines::incident::happening_kind_name(happening.kind))},
      {kRef, happening.key},
      {"at", format_rfc3339(happening.at)},
      {"node", node}};
  if (!happening.pod.empty()) out.emplace_back("pod", happening.pod);
  if (!happening.service.empty()) out.emplace_back("service", happening.service);
  return out;
}

}  // namespace nines::agent::incident
