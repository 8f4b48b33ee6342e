#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

#include "nines/base/contract.hpp"
#include "nines/remedy/statistics.hpp"

namespace nines::remedy {
namespace {

constexpr double kInf = std::numeric_limits<double>::infinity();

// P(U = u) for u = 0..a*b where nothing is tied:
// p(a, b, u) = a/(a+b) p(a-1, b, u-b) + b/(a+b) p(a, b-1, u). Only sums of positive numbers.
std::vector<double> u_distribution(size_t a, size_t b) {
  std::vector<std::vector<double>> at(a + 1, std::vector<double>(a * b + 1));
  for (auto& row : at) row[0] = 1;  // b = 0
  for (size_t j = 1; j <= b; ++j) {
    for (size_t i = 1; i <= a; ++i) {
      const double ours = static_cast<double>(i) / static_cast<double>(i + j);
      for (size_t u = i * j + 1; u-- > 0;) {
        at[i][u] = (1 - ours) * at[i][u] + (u >= j ? ours * at[i - 1][u - j] : 0);
      }
    }
  }
  return std::move(at[a]);
}

struct Ranked {
  double rank_sum = 0;  // of the first sample
  double ties = 0;      // sum of t^3 - t
};

Ranked ranked(std::span<const double> a, std::span<const double> b) {
  std::vector<std::pair<double, bool>> all;
  all.reserve(a.size() + b.size());
  for (const double x : a) all.emplace_back(x, true);
  for (const double x : b) all.emplace_back(x, false);
  std::sort(all.begin(), all.end());
  Ranked out;
  for (size_t i = 0, end = 0; i < all.size(); i = end) {
    size_t ours = 0;
    for (end = i; end < all.size() && all[end].first == all[i].first; ++end) {
      ours += all[end].second ? 1 : 0;
    }
    const auto tied = static_cast<double>(end - i);
    out.rank_sum += static_cast<double>(ours) * static_cast<double>(i + 1 + end) / 2;
    out.ties += tied * tied * tied - tied;
  }
  return out;
}

double exact_p(size_t a, size_t b, double largest) {
  const std::vector<double> masses = u_distribution(a, b);
  double tail = 0;
  for (size_t u = masses.size(); u-- > static_cast<size_t>(largest);) tail += masses[u];
  return std::min(1.0, 2 * tail);
}

// Doubles as integers of the same order, so that one can search among all of them.
uint64_t rank_of(double x) noexcept {
  const auto bits = std::bit_cast<uint64_t>(x);
  return (bits >> 63) != 0 ? ~bits : bits | (uint64_t{1} << 63);
}
double of_rank(uint64_t rank) noexcept {
  return std::bit_cast<double>((rank >> 63) != 0 ? rank & ~(uint64_t{1} << 63) : ~rank);
}

class Differences {
 public:
  Differences(std::span<const double> a, std::span<const double> b)
      : a_(a.begin(), a.end()), b_(b.begin(), b.end()) {
    std::sort(a_.begin(), a_.end());
    std::sort(b_.begin(), b_.end());
  }
  size_t size() const noexcept { return a_.size() * b_.size(); }
  // The k-th smallest of all a - b; k from 1. Differences are as ordered as what they are of.
  double nth(size_t k) const noexcept {
    uint64_t low = rank_of(a_.front() - b_.back()), high = rank_of(a_.back() - b_.front());
    while (low < high) {
      const uint64_t middle = low + (high - low) / 2;
      if (up_to(of_rank(middle)) >= k) {
        high = middle;
      } else {
        low = middle + 1;
      }
    }
    return of_rank(low);
  }

 private:
  size_t up_to(double limit) const noexcept {
    size_t count = 0, from = 0;  // b_[from] is the first that is large enough
    for (const double x : a_) {
      while (from < b_.size() && x - b_[from] > limit) ++from;
      count += b_.size() - from;
    }
    return count;
  }
  std::vector<double> a_, b_;
};

// The largest C with P(U <= C - 1) <= 0.025.
size_t critical(size_t a, size_t b) {
  if (a * b <= kExactPairs) {
    const std::vector<double> masses = u_distribution(a, b);
    double sum = 0;
    size_t c = 0;
    for (; c < masses.size() && (sum += masses[c]) <= 0.025; ++c) {
    }
    return c;
  }
  const auto pairs = static_cast<double>(a) * static_cast<double>(b);
  const double c = pairs / 2 - kZ95 * std::sqrt(pairs * static_cast<double>(a + b + 1) / 12);
  return c > 0 ? static_cast<size_t>(c) : 0;
}

}  // namespace

MannWhitney mann_whitney(std::span<const double> a, std::span<const double> b) {
  MannWhitney out;
  if (a.empty() || b.empty()) return out;
  const auto n1 = static_cast<double>(a.size()), n0 = static_cast<double>(b.size());
  const double n = n1 + n0, pairs = n1 * n0;
  const Ranked ranks = ranked(a, b);
  out.u = ranks.rank_sum - n1 * (n1 + 1) / 2;
  const double largest = std::max(out.u, pairs - out.u);
  const double variance = pairs / 12 * (n + 1 - ranks.ties / (n * (n - 1)));
  if (variance > 0) {
    out.p_normal =
        std::min(1.0, 2 * normal_tail((largest - pairs / 2 - 0.5) / std::sqrt(variance)));
  }
  if (ranks.ties == 0 && a.size() * b.size() <= kExactPairs) {
    out.p_exact = exact_p(a.size(), b.size(), largest);
  }
  return out;
}

Shift hodges_lehmann(std::span<const double> a, std::span<const double> b) {
  if (a.empty() || b.empty()) {
    return {std::numeric_limits<double>::quiet_NaN(), {-kInf, kInf}};
  }
  const Differences all(a, b);
  const size_t n = all.size();
  const double upper = all.nth(n / 2 + 1);
  Shift out{n % 2 == 1 ? upper : (all.nth(n / 2) + upper) / 2, {-kInf, kInf}};
  const size_t c = critical(a.size(), b.size());
  if (c > 0) out.interval = {all.nth(c), all.nth(n + 1 - c)};
  return out;
}

}  // namespace nines::remedy
