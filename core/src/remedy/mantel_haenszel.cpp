// Tables of one or more strata. Exact tests walk over what the first cell may be: its distribution
// is built outwards from the mode by the ratios of neighbours, so that nothing overflows and no
// factorial is needed.
#include <algorithm>
#include <cmath>
#include <limits>

#include "nines/base/contract.hpp"
#include "nines/remedy/statistics.hpp"
#include "nines/slo/binomial.hpp"

namespace nines::remedy {
namespace {

constexpr double kInf = std::numeric_limits<double>::infinity();
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
// Equally likely up to rounding, as R has it.
constexpr double kTied = 1 + 1e-7;

// Weights of first, first + 1...; the sum is not 1.
struct Masses {
  uint64_t first = 0;
  std::vector<double> weight;
};

Masses hypergeometric(const Table& t) {
  const uint64_t ours = t.good + t.bad, others = t.other_good + t.other_bad;
  const uint64_t good = t.good + t.other_good;
  NINES_ASSERT(ours + others < uint64_t{1} << 20);
  const uint64_t least = good > others ? good - others : 0, most = std::min(ours, good);
  Masses out{least, std::vector<double>(static_cast<size_t>(most - least) + 1)};
  const auto ratio = [&](uint64_t k) {  // P(k + 1) / P(k)
    return static_cast<double>(ours - k) * static_cast<double>(good - k) /
           (static_cast<double>(k + 1) * static_cast<double>(others + k + 1 - good));
  };
  const uint64_t mode = std::clamp((ours + 1) * (good + 1) / (ours + others + 2), least, most);
  out.weight[static_cast<size_t>(mode - least)] = 1;
  for (uint64_t k = mode; k < most; ++k) {
    out.weight[static_cast<size_t>(k + 1 - least)] =
        out.weight[static_cast<size_t>(k - least)] * ratio(k);
  }
  for (uint64_t k = mode; k > least; --k) {
    out.weight[static_cast<size_t>(k - 1 - least)] =
        out.weight[static_cast<size_t>(k - least)] / ratio(k - 1);
  }
  return out;
}

Masses convolved(const Masses& a, const Masses& b) {
  Masses out{a.first + b.first, std::vector<double>(a.weight.size() + b.weight.size() - 1)};
  double most = 0;
  for (size_t i = 0; i < a.weight.size(); ++i) {
    for (size_t j = 0; j < b.weight.size(); ++j) {
      most = std::max(most, out.weight[i + j] += a.weight[i] * b.weight[j]);
    }
  }
  for (double& w : out.weight) w /= most;
  return out;
}

struct Exact {
  double more = 1, two_sided = 1, mid = 1;
};
Exact tails(const Masses& masses, uint64_t seen) {
  const double at = masses.weight[static_cast<size_t>(seen - masses.first)];
  double all = 0, more = 0, unlikely = 0;
  for (size_t i = 0; i < masses.weight.size(); ++i) {
    const double w = masses.weight[i];
    all += w;
    if (masses.first + i >= seen) more += w;
    if (w <= at * kTied) unlikely += w;
  }
  return {std::min(1.0, more / all), std::min(1.0, unlikely / all),
          std::max(0.0, (more - at / 2) / all)};
}

struct Sums {
  double r = 0, s = 0, pr = 0, cross = 0, qs = 0;             // odds
  double weight = 0, difference = 0, sato_p = 0, sato_q = 0;  // risk
  double excess = 0, variance = 0;                            // test
};

void add(Sums& sums, const Table& t) {
  const auto a = static_cast<double>(t.good), b = static_cast<double>(t.bad);
  const auto c = static_cast<double>(t.other_good), d = static_cast<double>(t.other_bad);
  const double n1 = a + b, n0 = c + d, n = n1 + n0;
  const double p = (a + d) / n, q = (b + c) / n, r = a * d / n, s = b * c / n;
  sums.r += r;
  sums.s += s;
  sums.pr += p * r;
  sums.cross += p * s + q * r;
  sums.qs += q * s;
  sums.weight += n1 * n0 / n;
  sums.difference += (a * n0 - c * n1) / n;
  sums.sato_p += (n1 * n1 * c - n0 * n0 * a + n1 * n0 * (n0 - n1) / 2) / (n * n);
  sums.sato_q += (a * d + c * b) / (2 * n);
  sums.excess += a - n1 * (a + c) / n;
  if (n > 1) sums.variance += n1 * n0 * (a + c) * (b + d) / (n * n * (n - 1));
}

void set_odds(MantelHaenszel& out, const Sums& x) {
  out.odds = {0, kInf};
  out.odds_ratio = x.s > 0 ? x.r / x.s : x.r > 0 ? kInf : kNan;
  if (x.r <= 0 || x.s <= 0) return;
  const double variance =
      x.pr / (2 * x.r * x.r) + x.cross / (2 * x.r * x.s) + x.qs / (2 * x.s * x.s);
  const double half = kZ95 * std::sqrt(variance), middle = slo::portable::log(out.odds_ratio);
  out.odds = {slo::portable::exp(middle - half), slo::portable::exp(middle + half)};
}

void set_risk(MantelHaenszel& out, const Sums& x) {
  out.risk = {-1, 1};
  out.risk_difference = x.weight > 0 ? x.difference / x.weight : kNan;
  if (x.weight <= 0) return;
  const double variance = (out.risk_difference * x.sato_p + x.sato_q) / (x.weight * x.weight);
  const double half = kZ95 * std::sqrt(std::max(0.0, variance));
  out.risk = {std::max(-1.0, out.risk_difference - half),
              std::min(1.0, out.risk_difference + half)};
}

}  // namespace

double fisher_two_sided(const Table& table) {
  return tails(hypergeometric(table), table.good).two_sided;
}

MantelHaenszel mantel_haenszel(std::span<const Table> strata) {
  MantelHaenszel out;
  Sums sums;
  Masses masses{0, {1}};
  uint64_t seen = 0;
  for (const Table& t : strata) {
    // One group alone says nothing about a difference.
    if (t.good + t.bad == 0 || t.other_good + t.other_bad == 0) continue;
    add(sums, t);
    if (t.good + t.other_good == 0 || t.bad + t.other_bad == 0) continue;
    ++out.strata;
    masses = convolved(masses, hypergeometric(t));
    seen += t.good;
  }
  set_odds(out, sums);
  set_risk(out, sums);
  if (out.strata == 0) return out;
  const double beyond = std::max(0.0, std::fabs(sums.excess) - 0.5);
  out.chi2 = beyond * beyond / sums.variance;
  out.p_chi2 = chi2_tail(out.chi2);
  const Exact exact = tails(masses, seen);
  out.p_more = exact.more;
  out.p_two_sided = exact.two_sided;
  out.p_more_mid = exact.mid;
  return out;
}

}  // namespace nines::remedy
