#include "nines/slo/burn.hpp"

#include "nines/base/contract.hpp"
#include "nines/base/int128.hpp"
#include "nines/slo/wide.hpp"

namespace nines::slo {
namespace {

constexpr int kMaxPower = 18;
constexpr int kWeightPlaces = 9;

// Multiplies one of the two sides so that both stand for the same power of ten.
void times_decimal(WideUint& number_side, WideUint& other_side, Decimal d) noexcept {
  NINES_ASSERT(d.mantissa > 0 && d.exponent >= -kMaxPower && d.exponent <= kMaxPower);
  number_side *= static_cast<uint64_t>(d.mantissa);
  if (d.exponent > 0) number_side.times_pow10(d.exponent);
  if (d.exponent < 0) other_side.times_pow10(-d.exponent);
}

double pow10(int power) noexcept {
  double result = 1;  // exact up to 10^22
  for (; power > 0; --power) result *= 10;
  return result;
}

}  // namespace

std::optional<Decimal> budget_of(Decimal target) noexcept {
  const Decimal one{1, 0};
  if (target.mantissa <= 0 || target >= one) return std::nullopt;
  while (target.mantissa % 10 == 0) {
    target.mantissa /= 10;
    ++target.exponent;
  }
  if (target.exponent < -kMaxPower) return std::nullopt;
  return subtract(one, target);
}

bool comparable_factor(Decimal factor) noexcept {
  return factor.mantissa > 0 && factor.exponent >= -kMaxPower && factor.exponent <= kMaxPower;
}

std::strong_ordering compare_burn(Ratio r, Decimal budget, Decimal factor) noexcept {
  NINES_ASSERT(r.total > 0 && r.bad >= 0);
  if (r.bad == 0) return std::strong_ordering::less;
  WideUint left(static_cast<uint64_t>(r.bad));
  WideUint right(static_cast<uint64_t>(r.total));
  times_decimal(right, left, budget);
  times_decimal(right, left, factor);
  return left <=> right;
}

std::optional<CompositeWeights> composite_weights(const std::array<Decimal, 3>& shares) noexcept {
  CompositeWeights out;
  out.whole = 1'000'000'000;
  uint64_t sum = 0;
  for (size_t i = 0; i < shares.size(); ++i) {
    Decimal d = shares[i];
    while (d.mantissa != 0 && d.mantissa % 10 == 0) {
      d.mantissa /= 10;
      ++d.exponent;
    }
    if (d.mantissa == 0) d.exponent = 0;
    if (d < Decimal{0, 0} || d > Decimal{1, 0} || d.exponent < -kWeightPlaces) return std::nullopt;
    for (; d.exponent > -kWeightPlaces; --d.exponent) d.mantissa *= 10;
    out.parts[i] = static_cast<uint64_t>(d.mantissa);
    sum += out.parts[i];
  }
  if (sum != out.whole) return std::nullopt;
  const CompositeWeights usual;  // the same weights are the same value, however they came
  bool same = true;
  for (size_t i = 0; i < shares.size(); ++i) {
    same = same && out.parts[i] == usual.parts[i] * (out.whole / usual.whole);
  }
  return same ? usual : out;
}

std::strong_ordering compare_composite(const std::array<Ratio, 3>& windows, Decimal budget,
                                       Decimal level, const CompositeWeights& weights) noexcept {
  WideUint left;
  WideUint right(weights.whole);
  for (size_t i = 0; i < windows.size(); ++i) {
    if (windows[i].total == 0) continue;
    right *= static_cast<uint64_t>(windows[i].total);
    WideUint term(weights.parts[i]);
    term *= static_cast<uint64_t>(windows[i].bad);
    for (size_t j = 0; j < windows.size(); ++j) {
      if (j != i && windows[j].total != 0) term *= static_cast<uint64_t>(windows[j].total);
    }
    left += term;
  }
  times_decimal(right, left, budget);
  times_decimal(right, left, level);
  return left <=> right;
}

std::strong_ordering compare_share(int64_t part, int64_t whole, Decimal share) noexcept {
  if (share.mantissa == 0) return part <=> int64_t{0};
  WideUint left(static_cast<uint64_t>(part));
  WideUint right(static_cast<uint64_t>(whole));
  times_decimal(right, left, share);
  return left <=> right;
}

int64_t share_of(Decimal share, int64_t n) noexcept {
  Int128 product = share.mantissa;
  product *= n;
  for (int e = share.exponent; e < 0; ++e) product /= 10;
  return static_cast<int64_t>(product);
}

std::optional<double> burn_rate(Ratio r, Decimal budget) noexcept {
  if (r.total == 0) return std::nullopt;
  return static_cast<double>(r.bad) * pow10(-budget.exponent) /
         (static_cast<double>(r.total) * static_cast<double>(budget.mantissa));
}

std::optional<double> composite_burn(const std::array<Ratio, 3>& windows, Decimal budget,
                                     const CompositeWeights& weights) noexcept {
  double sum = 0;
  bool any = false;
  for (size_t i = 0; i < windows.size(); ++i) {
    if (const auto burn = burn_rate(windows[i], budget)) {
      sum += static_cast<double>(weights.parts[i]) * *burn;
      any = true;
    }
  }
  if (!any) return std::nullopt;
  return sum / static_cast<double>(weights.whole);
}

}  // namespace nines::slo
