#include "nines/slo/composite.hpp"

#include <algorithm>
#include <cstdio>

#include "big_uint.hpp"
#include "nines/base/contract.hpp"
#include "nines/slo/engine.hpp"

namespace nines::slo {
namespace {

constexpr int kWeightPlaces = 9;
constexpr uint64_t kMaxWeightUnits = 1'000'000'000'000'000;  // 10^6
constexpr uint64_t kAllShares = 100;                         // percent
constexpr std::array<uint64_t, 3> kShares{40, 35, 25};       // 5 m, 1 h, 24 h
constexpr Decimal kOne{1, 0};

// A growing sum of shares * weight * burn as one fraction.
class Sum {
 public:
  void add(const WeightedRatio& part, uint64_t share) {
    NINES_ASSERT(part.ratio.bad >= 0 && part.ratio.total >= 0);
    if (part.ratio.bad == 0 || part.ratio.total == 0) return;
    // bad / total / (m / 10^k) = bad * 10^k / (total * m)
    BigUint term = below_;
    term *= *weight_units(part.weight);
    term *= share;
    term *= static_cast<uint64_t>(part.ratio.bad);
    term.times_pow10(-part.budget.exponent);
    by(above_, part);
    by(below_, part);
    above_ += term;
  }

  // The sum <=> level * weights.
  std::strong_ordering compare(uint64_t weights, Decimal level) const {
    NINES_ASSERT(comparable_factor(level));
    BigUint left = above_;
    BigUint right = below_;
    right *= weights;
    right *= static_cast<uint64_t>(level.mantissa);
    if (level.exponent > 0) right.times_pow10(level.exponent);
    if (level.exponent < 0) left.times_pow10(-level.exponent);
    return left <=> right;
  }

 private:
  static void by(BigUint& number, const WeightedRatio& part) {
    number *= static_cast<uint64_t>(part.ratio.total);
    number *= static_cast<uint64_t>(part.budget.mantissa);
  }

  BigUint above_{0}, below_{1};
};

uint64_t sum_of_weights(std::span<const WeightedRatio> parts) {
  uint64_t sum = 0;
  for (const WeightedRatio& part : parts) sum += *weight_units(part.weight);
  return sum;
}

// What is decided by: bad events, and what is set aside as if it were bad.
Ratio ratio_of(const WindowCounts& counts) { return counts.spent(); }

using Pick = const WindowCounts& (*)(const SloStatus&);

std::vector<WeightedRatio> collect(const CompositeSpec& spec,
                                   std::span<const SloStatus* const> parts, Pick pick) {
  std::vector<WeightedRatio> out;
  for (size_t i = 0; i < parts.size(); ++i) {
    out.push_back({ratio_of(pick(*parts[i])), *budget_of(parts[i]->target), spec.parts[i].weight});
  }
  return out;
}

// Events of all parts, covered where every part was.
WindowCounts gather(std::span<const SloStatus* const> parts, Pick pick) {
  const WindowCounts& first = pick(*parts.front());
  WindowCounts out;
  out.covered_s = first.covered_s;
  out.start = first.start;
  out.end = first.end;
  for (const SloStatus* part : parts) {
    const WindowCounts& counts = pick(*part);
    out.good += counts.good;
    out.bad += counts.bad;
    out.covered_s = std::min(out.covered_s, counts.covered_s);
    out.start = std::min(out.start, counts.start);
  }
  return out;
}

std::optional<double> blend(const SloStatus& st) {
  const std::array<std::optional<double>, 3> burns{st.burn_5m.burn, st.burn_1h.burn,
                                                   st.burn_24h.burn};
  double sum = 0;
  bool any = false;
  for (size_t k = 0; k < burns.size(); ++k) {
    if (!burns[k]) continue;
    sum += static_cast<double>(kShares[k]) * *burns[k];
    any = true;
  }
  return any ? std::optional(sum / static_cast<double>(kAllShares)) : std::nullopt;
}

Risk risk_of(const std::array<std::vector<WeightedRatio>, 3>& windows) {
  if (compare_weighted_composite(windows, kOne) < 0) return Risk::safe;
  if (compare_weighted_composite(windows, {15, -1}) < 0) return Risk::observe;
  return compare_weighted_composite(windows, {2, 0}) <= 0 ? Risk::danger : Risk::freeze;
}

bool fires(const SloStatus& part) {
  return std::any_of(part.rules.begin(), part.rules.end(),
                     [](const RuleState& rule) { return rule.firing; });
}

State state_of(std::span<const SloStatus* const> parts, std::span<const WeightedRatio> window,
               Risk risk) {
  const auto blind = [](const SloStatus* part) { return part->state == State::no_data; };
  if (std::any_of(parts.begin(), parts.end(), blind)) return State::no_data;
  if (compare_weighted_burn(window, kOne) > 0) return State::violated;
  const bool rule =
      std::any_of(parts.begin(), parts.end(), [](auto* part) { return fires(*part); });
  return rule || risk != Risk::safe ? State::degrading : State::healthy;
}

// consumed <=> share, which may be 0.
int compare_consumed(std::span<const WeightedRatio> window, Decimal share) {
  if (share.mantissa == 0) {
    return std::any_of(window.begin(), window.end(), [](auto& w) { return w.ratio.bad > 0; });
  }
  const auto order = compare_weighted_burn(window, share);
  return order < 0 ? -1 : order > 0 ? 1 : 0;
}

// The risk's part of the decision is that of every SLO; the budget's compares the weighted sum.
GateDecision decide(const GatePolicy& gate, const SloStatus& st,
                    std::span<const WeightedRatio> window) {
  GatePolicy unwaived = gate;
  unwaived.require_spent = {0, 0};
  GateDecision out = decide_release(unwaived, st.risk, st.state, {}, kOne);
  const auto used_to = [](Decimal left) { return subtract(kOne, left).value_or(kOne); };
  out.by_budget = compare_consumed(window, used_to(gate.freeze_below)) > 0    ? Release::freeze
                  : compare_consumed(window, used_to(gate.reduce_below)) >= 0 ? Release::hold
                                                                              : Release::go;
  out.risk_waived = out.by_risk > Release::caution && gate.require_spent.mantissa > 0 &&
                    compare_consumed(window, gate.require_spent) < 0;
  if (out.risk_waived) out.by_risk = Release::caution;
  out.decision = std::max(out.by_risk, out.by_budget);
  if (out.no_data) out.decision = std::max(out.decision, Release::caution);
  return out;
}

std::string reason(const GateDecision& d, const SloStatus& st) {
  char left[64];
  const int n =
      std::snprintf(left, sizeof left, "%.4g %%", 100 * (1 - st.error_budget_consumed.value_or(0)));
  std::string out(release_name(d.decision));
  out +=
      ": " + std::string(left, static_cast<size_t>(n)) + " of the weighted budget is left; risk ";
  out += risk_name(st.risk);
  if (d.risk_waived) out += ", which does not count before more of the budget is spent";
  if (d.no_data) out += "; no data now";
  return out;
}

}  // namespace

std::optional<uint64_t> weight_units(Decimal weight) noexcept {
  if (weight.mantissa <= 0) return std::nullopt;
  while (weight.mantissa % 10 == 0) {
    weight.mantissa /= 10;
    ++weight.exponent;
  }
  if (weight.exponent < -kWeightPlaces || weight.exponent > 6) return std::nullopt;
  auto units = static_cast<uint64_t>(weight.mantissa);
  for (int e = weight.exponent; e > -kWeightPlaces; --e) {
    if (units > kMaxWeightUnits) return std::nullopt;
    units *= 10;
  }
  return units <= kMaxWeightUnits ? std::optional(units) : std::nullopt;
}

std::strong_ordering compare_weighted_burn(std::span<const WeightedRatio> parts, Decimal level) {
  Sum sum;
  for (const WeightedRatio& part : parts) sum.add(part, 1);
  return sum.compare(sum_of_weights(parts), level);
}

std::strong_ordering compare_weighted_composite(
    const std::array<std::vector<WeightedRatio>, 3>& windows, Decimal level) {
  Sum sum;
  for (size_t k = 0; k < windows.size(); ++k) {
    for (const WeightedRatio& part : windows[k]) sum.add(part, kShares[k]);
  }
  return sum.compare(kAllShares * sum_of_weights(windows[0]), level);
}

std::optional<double> weighted_burn(std::span<const WeightedRatio> parts) noexcept {
  double sum = 0;
  double weights = 0;
  bool any = false;
  for (const WeightedRatio& part : parts) {
    weights += part.weight.to_double();
    const auto burn = burn_rate(part.ratio, part.budget);
    if (!burn) continue;
    sum += part.weight.to_double() * *burn;
    any = true;
  }
  return any ? std::optional(sum / weights) : std::nullopt;
}

void judge_composite(const CompositeSpec& spec, const GatePolicy& gate,
                     std::span<const SloStatus* const> parts, SloStatus& out) {
  NINES_ASSERT(!parts.empty() && parts.size() == spec.parts.size());
  static constexpr Pick kWindow = [](const SloStatus& s) -> auto& { return s.window; };
  static constexpr std::array<Pick, 3> kBurns{
      [](const SloStatus& s) -> auto& {return s.burn_5m.counts;
}
, [](const SloStatus& s) -> auto& { return s.burn_1h.counts; }
, [](const SloStatus& s) -> auto& { return s.burn_24h.counts; }
};  // namespace nines::slo
const std::vector<WeightedRatio> window = collect(spec, parts, kWindow);
std::array<std::vector<WeightedRatio>, 3> burns;
const std::array<BurnWindow*, 3> shown{&out.burn_5m, &out.burn_1h, &out.burn_24h};
for (size_t k = 0; k < burns.size(); ++k) {
  burns[k] = collect(spec, parts, kBurns[k]);
  shown[k]->counts = gather(parts, kBurns[k]);
  shown[k]->burn = weighted_burn(burns[k]);
}
out.window = gather(parts, kWindow);
out.coverage = 1;
out.parts.clear();
for (size_t i = 0; i < parts.size(); ++i) {
  const SloStatus& part = *parts[i];
  out.coverage = std::min(out.coverage, part.coverage);
  out.parts.push_back({part.slo, spec.parts[i].weight, part.target, window[i].ratio, part.state,
                       part.error_budget_consumed});
}
out.composite_burn_rate = blend(out);
out.error_budget_consumed.reset();
out.error_budget_remaining.reset();
const auto known = [](const SloStatus* part) { return part->error_budget_consumed.has_value(); };
if (std::any_of(parts.begin(), parts.end(), known)) {
  out.error_budget_consumed = weighted_burn(window).value_or(0);
  out.error_budget_remaining = 1 - *out.error_budget_consumed;
}
out.risk = risk_of(burns);
out.state = state_of(parts, window, out.risk);
out.release = decide(gate, out, window);
out.release_reason = reason(out.release, out);
}

}  // namespace nines::slo
