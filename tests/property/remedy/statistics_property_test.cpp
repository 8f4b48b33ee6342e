// Against brute force: every arrangement, every pair.
#include <rapidcheck.h>

#include <algorithm>
#include <bit>
#include <catch2/catch.hpp>
#include <cmath>

#include "nines/remedy/statistics.hpp"

using namespace nines::remedy;

namespace {

std::vector<double> sample(int least, int most, int range) {
  std::vector<double> out(static_cast<size_t>(*rc::gen::inRange(least, most + 1)));
  for (double& x : out) x = *rc::gen::inRange(-range, range);
  return out;
}

double count_u(const std::vector<double>& a, const std::vector<double>& b) {
  double u = 0;
  for (const double x : a) {
    for (const double y : b) u += x > y ? 1 : x == y ? 0.5 : 0;
  }
  return u;
}

}  // namespace

TEST_CASE("U is the count of pairs, and its exact p that of all arrangements") {
  CHECK(rc::check([] {
    const auto a = sample(1, 6, 1000), b = sample(1, 6, 1000);
    const MannWhitney got = mann_whitney(a, b);
    RC_ASSERT(std::fabs(got.u - count_u(a, b)) < 1e-9);
    if (!got.p_exact) return;
    std::vector<double> all = a;
    all.insert(all.end(), b.begin(), b.end());
    const double pairs = static_cast<double>(a.size() * b.size());
    const double largest = std::max(got.u, pairs - got.u);
    double extreme = 0, total = 0;
    for (uint32_t mask = 0; mask < 1U << all.size(); ++mask) {
      if (static_cast<size_t>(std::popcount(mask)) != a.size()) continue;
      std::vector<double> x, y;
      for (size_t i = 0; i < all.size(); ++i) ((mask >> i & 1) != 0 ? x : y).push_back(all[i]);
      ++total;
      if (count_u(x, y) >= largest) ++extreme;
    }
    RC_ASSERT(std::fabs(*got.p_exact - std::min(1.0, 2 * extreme / total)) < 1e-9);
  }));
}

TEST_CASE("The shift is the median of all differences, ends of its interval are among them") {
  CHECK(rc::check([] {
    const auto a = sample(1, 40, 500), b = sample(1, 40, 500);
    std::vector<double> all;
    for (const double x : a) {
      for (const double y : b) all.push_back(x - y);
    }
    std::sort(all.begin(), all.end());
    const double median = (all[(all.size() - 1) / 2] + all[all.size() / 2]) / 2;
    const Shift got = hodges_lehmann(a, b);
    RC_ASSERT(got.median == median);
    if (std::isinf(got.interval.low)) return;
    const auto low =
        std::count_if(all.begin(), all.end(), [&](double d) { return d < got.interval.low; });
    const auto high =
        std::count_if(all.begin(), all.end(), [&](double d) { return d > got.interval.high; });
    RC_ASSERT(std::binary_search(all.begin(), all.end(), got.interval.low));
    RC_ASSERT(std::binary_search(all.begin(), all.end(), got.interval.high));
    RC_ASSERT(low <= static_cast<long>(all.size()) / 2);
    RC_ASSERT(high <= static_cast<long>(all.size()) / 2);
    RC_ASSERT(got.interval.low <= median);
    RC_ASSERT(got.interval.high >= median);
  }));
}

TEST_CASE("The exact p over strata is that of all tables with the same margins") {
  CHECK(rc::check([] {
    std::vector<Table> strata;
    for (int i = *rc::gen::inRange(1, 4); i > 0; --i) {
      const auto cell = [] { return static_cast<uint64_t>(*rc::gen::inRange(0, 7)); };
      strata.push_back({cell(), cell(), cell(), cell()});
    }
    const auto choose = [](uint64_t n, uint64_t k) {
      double out = 1;
      for (uint64_t i = 0; i < k; ++i) {
        out = out * static_cast<double>(n - i) / static_cast<double>(i + 1);
      }
      return out;
    };
    uint64_t seen = 0;
    std::vector<double> sums{1};  // ways to reach a sum of first cells
    for (const Table& t : strata) {
      seen += t.good;
      const uint64_t ours = t.good + t.bad, others = t.other_good + t.other_bad;
      const uint64_t good = t.good + t.other_good;
      std::vector<double> next(sums.size() + ours, 0);
      for (size_t s = 0; s < sums.size(); ++s) {
        for (uint64_t k = 0; k <= std::min(ours, good); ++k) {
          if (good - k > others) continue;
          next[s + k] += sums[s] * choose(ours, k) * choose(others, good - k);
        }
      }
      sums = next;
    }
    double all = 0, more = 0;
    for (size_t s = 0; s < sums.size(); ++s) {
      all += sums[s];
      if (s >= seen) more += sums[s];
    }
    const MantelHaenszel got = mantel_haenszel(strata);
    RC_ASSERT(std::fabs(got.p_more - (got.strata == 0 ? 1 : more / all)) < 1e-9);
  }));
}

TEST_CASE("Adjusted p-values keep the order of the plain ones, and none is smaller") {
  CHECK(rc::check([](const std::vector<uint16_t>& parts) {
    std::vector<double> p;
    for (const uint16_t part : parts) p.push_back(part / 65535.0);
    const std::vector<double> q = benjamini_hochberg(p);
    RC_ASSERT(q.size() == p.size());
    for (size_t i = 0; i < p.size(); ++i) {
      RC_ASSERT(q[i] >= p[i]);
      RC_ASSERT(q[i] <= 1);
      // As the step-up rule of the paper says: rejected at 5 % or not.
      double threshold = 0;
      for (size_t k = 1; k <= p.size(); ++k) {
        const double limit = 0.05 * static_cast<double>(k) / static_cast<double>(p.size());
        const auto below = std::count_if(p.begin(), p.end(), [&](double x) { return x <= limit; });
        if (static_cast<size_t>(below) >= k) threshold = limit;
      }
      if (std::fabs(q[i] - 0.05) > 1e-12)
        RC_ASSERT((q[i] <= 0.05) == (p[i] <= threshold && threshold > 0));
    }
  }));
}
