// Of an SLOPolicy: `gate` (levels, weights, shares of the budget, hold-down, override) and
// `errorBudgetPolicy` (what is to be done at which share).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "config/reader.hpp"
#include "nines/slo/gate.hpp"

namespace nines::agent::config {

struct GateDraft {
  std::optional<Decimal> require_spent, reduce_below, freeze_below;
  std::optional<Decimal> observe, danger, freeze_above;
  std::optional<slo::CompositeWeights> composite;
  std::optional<int64_t> hold_down_s, override_ttl_s;
  std::optional<slo::OnNoData> on_no_data;
  std::optional<bool> override_needs_reason;
  std::optional<std::vector<slo::BudgetStep>> steps;
};

// `title` names the policy in messages. What is wrong is reported and left out.
void read_gate_policy(const YamlNode& gate, const std::string& title, GateDraft& out,
                      Reporter& report);
void read_budget_policy(const YamlNode& steps, const std::string& title, GateDraft& out,
                        Reporter& report);
void apply_gate(const GateDraft& draft, slo::GatePolicy& gate);

}  // namespace nines::agent::config
