// Composite SLOs: several SLOs judged as one. Each part is counted as an SLO of its own; the
// composite has no events, only burn rates made of theirs, and no target:
//
//   burn(w)   = sum of weight_i * burn_i(w) / sum of weight_i, a part without events burns 0
//   consumed  = the same over the SLO window
//   composite = 0.40 burn(5m) + 0.35 burn(1h) + 0.25 burn(24h), as of every SLO
//
// OpenSLO has a composite burn at the sum of its parts; dividing by the sum of the weights keeps 1
// the pace that spends the budget exactly, whatever the number of parts. All verdicts compare
// exact rationals; the doubles are for display.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "nines/base/decimal.hpp"
#include "nines/slo/burn.hpp"

namespace nines::slo {

struct SloStatus;
struct GatePolicy;

struct CompositePart {
  std::string slo;  // name of the part
  Decimal weight{1, 0};
  friend bool operator==(const CompositePart&, const CompositePart&) = default;
};

struct CompositeSpec {
  std::vector<CompositePart> parts;  // empty: an SLO that counts
  bool used() const noexcept { return !parts.empty(); }
  friend bool operator==(const CompositeSpec&, const CompositeSpec&) = default;
};

inline constexpr size_t kMaxCompositeParts = 64;
// In steps of 10^-9. nullopt unless it lies within [10^-9, 10^6] and has at most 9 places.
std::optional<uint64_t> weight_units(Decimal weight) noexcept;

// What one part brings along: counts of one window, its budget (budget_of) and weight.
struct WeightedRatio {
  Ratio ratio;
  Decimal budget, weight;
};

// Weighted burn of the parts <=> level. REQUIRES at least one part, weights that weight_units()
// takes, comparable_factor(level).
std::strong_ordering compare_weighted_burn(std::span<const WeightedRatio> parts, Decimal level);
// The same of 0.40, 0.35 and 0.25 of three windows; `windows[k][i]` is part i in window k.
std::strong_ordering compare_weighted_composite(
    const std::array<std::vector<WeightedRatio>, 3>& windows, Decimal level);
// nullopt when no part has events.
std::optional<double> weighted_burn(std::span<const WeightedRatio> parts) noexcept;

// Fills the status of a composite from those of its parts, in the order of spec.parts. The state is
// NO_DATA when one part has none, VIOLATED when consumed > 1, DEGRADING when the composite burns at
// 1 or faster or a rule of a part fires, else HEALTHY. good and bad are the events of all parts.
void judge_composite(const CompositeSpec& spec, const GatePolicy& gate,
                     std::span<const SloStatus* const> parts, SloStatus& out);

}  // namespace nines::slo
