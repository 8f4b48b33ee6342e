#include "nines/slo/gate.hpp"

#include <algorithm>
#include <cstdio>
#include <iterator>

#include "nines/slo/engine.hpp"

namespace nines::slo {
namespace {

constexpr Decimal kOne{1, 0};
constexpr std::string_view kOnNoData[] = {"go", "observe", "hold", "freeze"};

// consumed <=> share; nothing is consumed without events.
int compare_consumed(Ratio window, Decimal budget, Decimal share) {
  if (window.total == 0) return share.mantissa == 0 ? 0 : -1;
  if (share.mantissa == 0) return window.bad > 0 ? 1 : 0;
  const auto order = compare_burn(window, budget, share);
  return order < 0 ? -1 : order > 0 ? 1 : 0;
}

Release of_risk(Risk risk) {
  static constexpr Release kOfRisk[] = {Release::go, Release::caution, Release::hold,
                                        Release::freeze};
  return kOfRisk[static_cast<size_t>(risk)];
}

// remaining = 1 - consumed: below a share exactly when consumed is above what the share leaves.
Release of_budget(const GatePolicy& policy, Ratio window, Decimal budget) {
  const auto used_to = [](Decimal left) { return subtract(kOne, left).value_or(kOne); };
  if (compare_consumed(window, budget, used_to(policy.freeze_below)) > 0) return Release::freeze;
  if (compare_consumed(window, budget, used_to(policy.reduce_below)) >= 0) return Release::hold;
  return Release::go;
}

Release of_no_data(OnNoData wish) {
  static constexpr Release kOfWish[] = {Release::go, Release::caution, Release::hold,
                                        Release::freeze};
  return kOfWish[static_cast<size_t>(wish)];
}

std::string percent(double share) {
  char text[32];
  const int n = std::snprintf(text, sizeof text, "%.4g %%", 100 * share);
  return {text, static_cast<size_t>(n)};
}

}  // namespace

std::string_view release_name(Release release) noexcept {
  static constexpr std::string_view kNames[] = {"GO", "CAUTION", "HOLD", "FREEZE"};
  return kNames[static_cast<size_t>(release)];
}

std::string_view on_no_data_name(OnNoData wish) noexcept {
  return kOnNoData[static_cast<size_t>(wish)];
}

std::optional<OnNoData> on_no_data_of(std::string_view name) noexcept {
  const auto* const found = std::find(std::begin(kOnNoData), std::end(kOnNoData), name);
  if (found == std::end(kOnNoData)) return std::nullopt;
  return static_cast<OnNoData>(found - std::begin(kOnNoData));
}

std::optional<size_t> step_in_force(const GatePolicy& policy, Ratio window, Decimal budget) {
  for (size_t i = 0; i < policy.steps.size(); ++i) {
    const Decimal used = subtract(kOne, policy.steps[i].remaining_below).value_or(kOne);
    if (compare_consumed(window, budget, used) > 0) return i;
  }
  return std::nullopt;
}

GateDecision decide_release(const GatePolicy& policy, Risk risk, State state, Ratio window,
                            Decimal budget) {
  GateDecision out;
  out.by_risk = of_risk(risk);
  out.by_budget = of_budget(policy, window, budget);
  out.no_data = state == State::no_data;
  out.risk_waived = out.by_risk > Release::caution && policy.require_spent.mantissa > 0 &&
                    compare_consumed(window, budget, policy.require_spent) < 0;
  if (out.risk_waived) out.by_risk = Release::caution;
  out.decision = std::max(out.by_risk, out.by_budget);
  if (out.no_data) out.decision = std::max(out.decision, of_no_data(policy.on_no_data));
  return out;
}

std::string release_reason(const GatePolicy& policy, const GateDecision& d, Risk risk, Ratio window,
                           Decimal budget) {
  std::string out(release_name(d.decision));
  out += ": " + percent(1 - burn_rate(window, budget).value_or(0)) + " of the budget is left";
  if (d.by_budget == Release::freeze) {
    out += " (below " + percent(policy.freeze_below.to_double()) + ")";
  } else if (d.by_budget == Release::hold) {
    out += " (at most " + percent(policy.reduce_below.to_double()) + ")";
  }
  out += "; risk " + std::string(risk_name(risk));
  if (d.risk_waived) {
    out += ", which does not count before " + percent(policy.require_spent.to_double()) +
           " of the budget is spent";
  }
  if (d.no_data) out += "; no data now";
  return out;
}

}  // namespace nines::slo
