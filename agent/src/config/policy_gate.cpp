#include "config/policy_gate.hpp"

#include <algorithm>
#include <array>
#include <set>

#include "nines/base/time.hpp"

namespace nines::agent::config {
namespace {

constexpr int64_t kDay = 86400;
constexpr Decimal kZero{0, 0}, kOne{1, 0};
constexpr size_t kMaxSteps = 8, kMaxActions = 16, kMaxActionBytes = 300;
constexpr size_t kMaxDigits = 14;  // of a level: 1000 with nine places and a point

std::string what_of(const MapReader& reader, std::string_view key) {
  return "'" + std::string(key) + "' of " + reader.what();
}

// Within (0, 1], or [0, 1].
std::optional<Decimal> read_share(MapReader& reader, std::string_view key, bool zero_allowed,
                                  Reporter& report) {
  const YamlNode* node = reader.find(key);
  if (node == nullptr) return std::nullopt;
  const auto share = read_decimal(*node, what_of(reader, key), report);
  if (!share) return std::nullopt;
  const bool low = zero_allowed ? *share < kZero : *share <= kZero;
  if (!low && *share <= kOne) return share;
  report.error(*node, what_of(reader, key) + " must be " +
                          (zero_allowed ? "within 0..1" : "above 0 and at most 1") + ", found " +
                          describe(*node));
  return std::nullopt;
}

std::optional<int64_t> read_seconds(MapReader& reader, std::string_view key, int64_t min_s,
                                    int64_t max_s, Reporter& report) {
  const YamlNode* node = reader.find(key);
  if (node == nullptr) return std::nullopt;
  return read_duration_s(*node, what_of(reader, key), min_s, max_s, report);
}

std::optional<Decimal> read_level(MapReader& reader, std::string_view key, Reporter& report) {
  const YamlNode* node = reader.find(key);
  if (node == nullptr) return std::nullopt;
  const auto level = read_decimal(*node, what_of(reader, key), report);
  if (!level) return std::nullopt;
  const bool fine =
      *level > kZero && *level <= Decimal{1000, 0} && level->to_string().size() <= kMaxDigits;
  if (fine) return level;
  report.error(*node, what_of(reader, key) +
                          " must be above 0 and at most 1000, with at most nine places, found " +
                          describe(*node));
  return std::nullopt;
}

void read_shares(const YamlNode& node, const std::string& title, GateDraft& out, Reporter& report) {
  MapReader shares(node, "budget of the gate of " + title, report);
  out.reduce_below = read_share(shares, "reduceBelow", false, report);
  out.freeze_below = read_share(shares, "freezeBelow", false, report);
  shares.finish();
  const slo::GatePolicy usual;
  const Decimal reduce = out.reduce_below.value_or(usual.reduce_below);
  const Decimal freeze = out.freeze_below.value_or(usual.freeze_below);
  if (freeze > reduce || reduce >= kOne) {
    report.error(node, "the gate of " + title + " needs freezeBelow (" + freeze.to_string() +
                           ") <= reduceBelow (" + reduce.to_string() + ") < 1");
  }
}

void read_levels(const YamlNode& node, const std::string& title, GateDraft& out, Reporter& report) {
  MapReader levels(node, "levels of the gate of " + title, report);
  out.observe = read_level(levels, "observe", report);
  out.danger = read_level(levels, "danger", report);
  out.freeze_above = read_level(levels, "freezeAbove", report);
  levels.finish();
  const slo::GatePolicy usual;
  const Decimal observe = out.observe.value_or(usual.observe);
  const Decimal danger = out.danger.value_or(usual.danger);
  const Decimal freeze = out.freeze_above.value_or(usual.freeze_above);
  if (observe <= danger && danger <= freeze) return;
  report.error(node, "the gate of " + title + " needs observe (" + observe.to_string() +
                         ") <= danger (" + danger.to_string() + ") <= freezeAbove (" +
                         freeze.to_string() + ")");
}

void read_composite(const YamlNode& node, const std::string& title, GateDraft& out,
                    Reporter& report) {
  MapReader reader(node, "composite of the gate of " + title, report);
  if (!reader.is_map()) return;
  std::array<Decimal, 3> shares;
  bool complete = true;
  size_t i = 0;
  for (const std::string_view key : {"5m", "1h", "24h"}) {
    const bool there =
        reader.require(key, "composite: {5m: \"0.40\", 1h: \"0.35\", 24h: \"0.25\"}");
    const auto share = there ? read_share(reader, key, true, report) : std::nullopt;
    complete = complete && share.has_value();
    shares[i++] = share.value_or(kZero);
  }
  reader.finish();
  if (!complete) return;
  out.composite = slo::composite_weights(shares);
  if (out.composite) return;
  const auto sum = add(add(shares[0], shares[1]).value_or(kZero), shares[2]).value_or(kZero);
  report.error(node,
               "the weights of the composite of " + title +
                   " must sum to exactly 1 and have at most nine places, found " + sum.to_string(),
               "the sources' are 0.40, 0.35 and 0.25");
}

void read_override(const YamlNode& node, const std::string& title, GateDraft& out,
                   Reporter& report) {
  MapReader reader(node, "override of the gate of " + title, report);
  out.override_ttl_s = read_seconds(reader, "ttl", 60, 7 * kDay, report);
  if (const YamlNode* reason = reader.find("requireReason")) {
    out.override_needs_reason = read_bool(*reason, what_of(reader, "requireReason"), report);
  }
  if (const YamlNode* audit = reader.find("audit")) {
    const auto wish = read_bool(*audit, what_of(reader, "audit"), report);
    if (wish && !*wish) {
      report.error(*audit, "overrides of " + title + " cannot be kept out of the change log",
                   "audit: true, or leave it out");
    }
  }
  reader.finish();
}

// {remainingBelow: "0.5", name: slow-down, actions: [text...], severity: ticket}
std::optional<slo::BudgetStep> read_step(const YamlNode& node, const std::string& title,
                                         Reporter& report) {
  MapReader reader(node, "a step of the error-budget policy of " + title, report);
  if (!reader.is_map()) return std::nullopt;
  slo::BudgetStep step;
  reader.require("remainingBelow", "remainingBelow: \"0.5\"");
  const auto below = read_share(reader, "remainingBelow", false, report);
  const YamlNode* name = reader.require("name", "name: slow-down");
  const YamlNode* actions = reader.require("actions", "actions: [pause non-critical releases]");
  const YamlNode* severity = reader.find("severity");
  reader.finish();
  if (!below || name == nullptr || actions == nullptr) return std::nullopt;
  step.remaining_below = *below;
  step.name = read_text(*name, what_of(reader, "name"), report).value_or("");
  step.actions =
      read_texts(*actions, what_of(reader, "actions"), report).value_or(std::vector<std::string>());
  const bool short_enough =
      step.actions.size() <= kMaxActions &&
      std::all_of(step.actions.begin(), step.actions.end(),
                  [](const std::string& action) { return action.size() <= kMaxActionBytes; });
  if (!short_enough) {
    report.error(*actions, what_of(reader, "actions") +
                               " are more than 16, or one is longer than "
                               "300 bytes");
    return std::nullopt;
  }
  if (severity != nullptr) {
    const auto word = read_choice(*severity, what_of(reader, "severity"),
                                  {"critical", "page", "ticket", "warning"}, report);
    if (!word) return std::nullopt;
    step.severity = *word;
  }
  if (step.name.empty()) return std::nullopt;
  return step;
}

template <class T>
void override_with(T& to, const std::optional<T>& from) {
  if (from) to = *from;
}

}  // namespace

void read_gate_policy(const YamlNode& node, const std::string& title, GateDraft& out,
                      Reporter& report) {
  MapReader gate(node, "gate of " + title, report);
  out.require_spent = read_share(gate, "requireSpent", true, report);
  if (const YamlNode* budget = gate.find("budget")) read_shares(*budget, title, out, report);
  if (const YamlNode* levels = gate.find("levels")) read_levels(*levels, title, out, report);
  if (const YamlNode* weights = gate.find("composite")) {
    read_composite(*weights, title, out, report);
  }
  out.hold_down_s = read_seconds(gate, "holdDown", 0, kDay, report);
  if (const YamlNode* wish = gate.find("onNoData")) {
    const auto word =
        read_choice(*wish, what_of(gate, "onNoData"), {"observe", "go", "hold", "freeze"}, report);
    if (word) out.on_no_data = slo::on_no_data_of(*word);
  }
  if (const YamlNode* node_of = gate.find("override")) {
    read_override(*node_of, title, out, report);
  }
  gate.finish();
}

void read_budget_policy(const YamlNode& node, const std::string& title, GateDraft& out,
                        Reporter& report) {
  const auto items = read_list(node, "errorBudgetPolicy of " + title, report);
  if (items.size() > kMaxSteps) {
    report.error(node, "errorBudgetPolicy of " + title + " has more than 8 steps");
    return;
  }
  std::vector<slo::BudgetStep> steps;
  for (const YamlNode* item : items) {
    auto step = read_step(*item, title, report);
    if (!step) continue;
    const bool twice = std::any_of(steps.begin(), steps.end(), [&](const slo::BudgetStep& other) {
      return other.name == step->name || other.remaining_below == step->remaining_below;
    });
    if (twice) {
      report.error(*item, "errorBudgetPolicy of " + title +
                              " has two steps of one name or one share: '" + step->name + "'");
      continue;
    }
    steps.push_back(std::move(*step));
  }
  std::sort(steps.begin(), steps.end(),
            [](const auto& a, const auto& b) { return a.remaining_below < b.remaining_below; });
  out.steps = std::move(steps);
}

void apply_gate(const GateDraft& draft, slo::GatePolicy& gate) {
  override_with(gate.require_spent, draft.require_spent);
  override_with(gate.reduce_below, draft.reduce_below);
  override_with(gate.freeze_below, draft.freeze_below);
  override_with(gate.observe, draft.observe);
  override_with(gate.danger, draft.danger);
  override_with(gate.freeze_above, draft.freeze_above);
  override_with(gate.composite, draft.composite);
  override_with(gate.hold_down_s, draft.hold_down_s);
  override_with(gate.on_no_data, draft.on_no_data);
  override_with(gate.override_ttl_s, draft.override_ttl_s);
  override_with(gate.override_needs_reason, draft.override_needs_reason);
  override_with(gate.steps, draft.steps);
}

}  // namespace nines::agent::config
