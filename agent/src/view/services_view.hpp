// Services as their SLOs tell of them: each as bad as its worst.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "app/snapshot.hpp"
#include "nines/base/json_writer.hpp"

namespace nines::agent::view {

// The configuration of an SLO; null: it is gone.
using SpecOf = std::function<const slo::SloSpec*(std::string_view slo)>;

struct ServiceShown {
  std::string name, owner, description;
  int tier = 3;  // the most critical
  std::vector<const slo::SloStatus*>
      slos;  // of the snapshot, without rows of groups; the worst first
  slo::State state = slo::State::no_data;
  slo::Risk risk = slo::Risk::safe;
  slo::Release release = slo::Release::go;
  slo::Trend trend = slo::Trend::stable;
  std::optional<double> remaining;                              // the least
  std::optional<double> burn_5m, burn_1h, burn_24h, composite;  // the highest
  size_t alerts_firing = 0, incidents_open = 0;
  WallTime timestamp{};
};

// The worst first. `snapshot` must outlive it.
std::vector<ServiceShown> services_of(const Snapshot& snapshot, const SpecOf& specs);
void write_service_members(JsonWriter& json, const ServiceShown& service);

// Those of a service, or the one SLO of that name, the worst first; empty: unknown.
std::vector<const slo::SloStatus*> slos_of(const Snapshot& snapshot, std::string_view name);

// By how much worse a is than b: its risk, then what is left of its budget.
bool is_worse(const slo::SloStatus& a, const slo::SloStatus& b);
size_t firing_rules(const slo::SloStatus& status);

// GET /api/slo/{service}/targets: one object.
void write_target(JsonWriter& json, const slo::SloSpec& spec);

// GET /api/summary/heatmap and /api/summary.
std::string heatmap_json(const Snapshot& snapshot, const SpecOf& specs);
struct SummaryFacts {
  std::string headline;
  size_t nodes = 1, nodes_alive = 1;
};
std::string summary_json(const Snapshot& snapshot, const SpecOf& specs, const SummaryFacts& facts);

}  // namespace nines::agent::view
