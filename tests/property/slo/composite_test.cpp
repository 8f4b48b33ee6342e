// Composite SLOs against a sum made by hand: schoolbook arithmetic on decimal digits, nothing of
// the program's own.
#include "nines/slo/composite.hpp"

#include <rapidcheck.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <cstdint>
#include <string>
#include <vector>

using namespace nines;
using namespace nines::slo;

namespace {

// Digits, lowest first.
using Digits = std::vector<int>;

Digits digits(std::string text) {
  Digits out;
  for (auto c = text.rbegin(); c != text.rend(); ++c) out.push_back(*c - '0');
  return out;
}

Digits trim(Digits d) {
  while (!d.empty() && d.back() == 0) d.pop_back();
  return d;
}

Digits plus(const Digits& a, const Digits& b) {
  Digits out;
  int carry = 0;
  for (size_t i = 0; i < std::max(a.size(), b.size()) || carry != 0; ++i) {
    carry += (i < a.size() ? a[i] : 0) + (i < b.size() ? b[i] : 0);
    out.push_back(carry % 10);
    carry /= 10;
  }
  return trim(out);
}

Digits times(const Digits& a, const Digits& b) {
  Digits out(a.size() + b.size() + 1, 0);
  for (size_t i = 0; i < a.size(); ++i) {
    for (size_t j = 0; j < b.size(); ++j) out[i + j] += a[i] * b[j];
    for (size_t k = 0; k + 1 < out.size(); ++k) {
      out[k + 1] += out[k] / 10;
      out[k] %= 10;
    }
  }
  return trim(out);
}

int compare_digits(const Digits& x, const Digits& y) {
  const Digits a = trim(x);
  const Digits b = trim(y);
  if (a.size() != b.size()) return a.size() < b.size() ? -1 : 1;
  for (size_t i = a.size(); i-- > 0;) {
    if (a[i] != b[i]) return a[i] < b[i] ? -1 : 1;
  }
  return 0;
}

struct Fraction {
  Digits above, below;
};

Fraction plus(const Fraction& a, const Fraction& b) {
  return {plus(times(a.above, b.below), times(b.above, a.below)), times(a.below, b.below)};
}

// In millionths, so that every decimal of the generators is a whole number.
Digits micro(Decimal d) {
  std::string text = std::to_string(d.mantissa);
  text.append(static_cast<size_t>(6 + d.exponent), '0');
  return digits(text);
}
const Digits kMillion = digits("1000000");

int by_hand(const std::array<std::vector<WeightedRatio>, 3>& windows,
            const std::vector<int>& shares, Decimal level) {
  Fraction sum{digits("0"), digits("1")};
  for (size_t k = 0; k < shares.size(); ++k) {
    for (const WeightedRatio& part : windows[k]) {
      if (part.ratio.total == 0) continue;
      // share * weight * bad / (total * budget)
      Digits above = times(digits(std::to_string(shares[k])), micro(part.weight));
      above = times(above, digits(std::to_string(part.ratio.bad)));
      const Digits below = times(digits(std::to_string(part.ratio.total)), micro(part.budget));
      sum = plus(sum, Fraction{above, below});
    }
  }
  Digits weights = digits("0");
  for (const WeightedRatio& part : windows[0]) weights = plus(weights, micro(part.weight));
  int all = 0;
  for (const int share : shares) all += share;
  // sum <=> level * all * weights, whose millionths cancel against those of the weights.
  const Digits right =
      times(times(micro(level), times(weights, digits(std::to_string(all)))), sum.below);
  return compare_digits(times(sum.above, times(kMillion, kMillion)), right);
}

std::vector<WeightedRatio> window(const std::vector<Decimal>& budgets,
                                  const std::vector<Decimal>& weights, bool large) {
  std::vector<WeightedRatio> out;
  for (size_t i = 0; i < budgets.size(); ++i) {
    const int64_t most = large ? INT64_MAX : 40;
    const int64_t total = *rc::gen::inRange<int64_t>(0, most);
    const int64_t bad =
        total == 0 ? 0 : *rc::gen::inRange<int64_t>(0, std::min<int64_t>(total, most - 1) + 1);
    out.push_back({{bad, total}, budgets[i], weights[i]});
  }
  return out;
}

int sign(std::strong_ordering order) { return order < 0 ? -1 : order > 0 ? 1 : 0; }

}  // namespace

TEST_CASE("Weighted sums of burns compare as schoolbook fractions do", "[slo][property]") {
  CHECK(rc::check([] {
    const auto parts = *rc::gen::inRange<size_t>(1, 5);
    std::vector<Decimal> budgets;
    std::vector<Decimal> weights;
    for (size_t i = 0; i < parts; ++i) {
      budgets.push_back(*rc::gen::element<Decimal>(Decimal{1, -3}, Decimal{1, -2}, Decimal{5, -1},
                                                   Decimal{37, -4}, Decimal{1, -6}));
      weights.push_back(*rc::gen::element<Decimal>(Decimal{1, 0}, Decimal{2, 0}, Decimal{5, -1},
                                                   Decimal{3, 2}, Decimal{7, -6}));
    }
    const bool large = *rc::gen::arbitrary<bool>();
    const std::array<std::vector<WeightedRatio>, 3> windows{window(budgets, weights, large),
                                                            window(budgets, weights, large),
                                                            window(budgets, weights, large)};
    // Small counts meet simple levels exactly now and then.
    const Decimal level =
        *rc::gen::element<Decimal>(Decimal{1, 0}, Decimal{15, -1}, Decimal{2, 0}, Decimal{25, 0},
                                   Decimal{5, -1}, Decimal{123457, -3}, Decimal{1, -6});
    RC_ASSERT(sign(compare_weighted_burn(windows[0], level)) == by_hand(windows, {1}, level));
    RC_ASSERT(sign(compare_weighted_composite(windows, level)) ==
              by_hand(windows, {40, 35, 25}, level));
    if (const auto burn = weighted_burn(windows[0])) {
      const Decimal near{static_cast<int64_t>(*burn * 1000) + 1, -3};
      RC_ASSERT(sign(compare_weighted_burn(windows[0], near)) <= 0);
    }
  }));
}

TEST_CASE("A level met exactly is met, one event beside it is not", "[slo][property]") {
  CHECK(rc::check([] {
    // Every part at the same burn: the mean is that burn, whatever the weights.
    const auto parts = *rc::gen::inRange<size_t>(1, 9);
    const auto times = *rc::gen::inRange<int64_t>(1, 9);
    std::vector<WeightedRatio> window;
    for (size_t i = 0; i < parts; ++i) {
      const auto base = *rc::gen::inRange<int64_t>(1, 1'000'000'000'000);
      window.push_back(
          {{base * times, base * 1000}, {1, -3}, {*rc::gen::inRange<int64_t>(1, 999), -2}});
    }
    RC_ASSERT(sign(compare_weighted_burn(window, {times, 0})) == 0);
    const auto at = *rc::gen::inRange<size_t>(0, parts);
    ++window[at].ratio.bad;
    RC_ASSERT(sign(compare_weighted_burn(window, {times, 0})) > 0);
    window[at].ratio.bad -= 2;
    RC_ASSERT(sign(compare_weighted_burn(window, {times, 0})) < 0);
  }));
}
