// Burn rates, exactly: burn = bad / total / budget with budget = 1 - target. Comparisons are done
// by cross-multiplication in wide integers (law 6); the doubles are for display.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <optional>

#include "nines/base/decimal.hpp"

namespace nines::slo {

struct Ratio {
  int64_t bad = 0, total = 0;  // 0 <= bad <= total
};

// 1 - target; nullopt unless 0 < target < 1 with at most 18 decimal places.
std::optional<Decimal> budget_of(Decimal target) noexcept;

// Whether `factor` is within what the comparisons below take: positive, 10^-18 <= unit <= 10^18.
bool comparable_factor(Decimal factor) noexcept;

// burn(r) <=> factor. REQUIRES r.total > 0, a budget from budget_of, comparable_factor(factor).
std::strong_ordering compare_burn(Ratio r, Decimal budget, Decimal factor) noexcept;

// How much each of 5 m, 1 h, 24 h counts in the composite: parts / whole.
struct CompositeWeights {
  std::array<uint64_t, 3> parts{40, 35, 25};
  uint64_t whole = 100;
  friend bool operator==(const CompositeWeights&, const CompositeWeights&) = default;
};
// From shares within [0, 1] of at most 9 places; nullopt unless their sum is exactly 1.
std::optional<CompositeWeights> composite_weights(const std::array<Decimal, 3>& shares) noexcept;

// 0.40 b5m + 0.35 b1h + 0.25 b24h (or as weighted) <=> level; a window without events adds nothing.
// REQUIRES comparable_factor(level); for wide enough integers its exponent is at most 0 unless its
// mantissa is short (what configuration takes: up to 1000 with 9 places).
std::strong_ordering compare_composite(const std::array<Ratio, 3>& windows, Decimal budget,
                                       Decimal level,
                                       const CompositeWeights& weights = {}) noexcept;

// part / whole <=> share. REQUIRES part >= 0, whole > 0, share zero or comparable_factor(share).
std::strong_ordering compare_share(int64_t part, int64_t whole, Decimal share) noexcept;

// floor(share * n), n >= 0. REQUIRES 0 <= share < 1 of at most 18 digits.
int64_t share_of(Decimal share, int64_t n) noexcept;

// (bad * 10^k) / (total * m) for budget = m / 10^k: one rounding as long as both products are below
// 2^53, so that a burn of exactly 1 prints as 1. nullopt when total is 0.
std::optional<double> burn_rate(Ratio r, Decimal budget) noexcept;
// nullopt when all three windows are empty.
std::optional<double> composite_burn(const std::array<Ratio, 3>& windows, Decimal budget,
                                     const CompositeWeights& weights = {}) noexcept;

}  // namespace nines::slo
