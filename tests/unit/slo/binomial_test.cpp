#include "nines/slo/binomial.hpp"

#include <bit>
#include <catch2/catch.hpp>
#include <cmath>
#include <vector>

using namespace nines::slo;

TEST_CASE("Portable logarithm and exponential agree with libm to the last digits", "[slo]") {
  for (double x = 1e-300; x < 1e300; x *= 1.7)
    CHECK(portable::log(x) == Approx(std::log(x)).epsilon(1e-14));
  for (double x = -699; x < 700; x += 0.37)
    CHECK(portable::exp(x) == Approx(std::exp(x)).epsilon(1e-13));
  CHECK(portable::exp(-701) == 0);
}

namespace {

// P(X >= k) for each k in 0..n. Summed from the far end: nothing cancels, so that a long double of
// 64 bits (32-bit ARM) serves as well as one of 80 or 128.
std::vector<double> tails(int n, double p) {
  std::vector<double> terms;
  long double term = std::pow(1.0L - p, n);
  for (int k = 0; k <= n; ++k) {
    terms.push_back(static_cast<double>(term));
    term *= static_cast<long double>(n - k) / (k + 1) * p / (1 - static_cast<long double>(p));
  }
  for (auto k = terms.size() - 1; k-- > 0;) terms[k] += terms[k + 1];
  return terms;
}

}  // namespace

TEST_CASE("Binomial tail equals sums computed term by term", "[slo]") {
  for (const int n : {1, 2, 5, 20, 100, 400}) {
    for (const double p : {0.001, 0.01, 0.05, 0.3, 0.5}) {
      const std::vector<double> expected = tails(n, p);
      for (int k = 0; k <= n; ++k) {
        CAPTURE(n, p, k);
        const double tail = expected[static_cast<size_t>(k)];
        if (tail > 1e-100) REQUIRE(binomial_tail(k, n, p) == Approx(tail).epsilon(1e-9));
      }
    }
  }
}

TEST_CASE("Binomial tail is right for large counts and far tails", "[slo]") {
  // Closed forms: P(X >= n) = p^n, P(X >= 1) = 1 - q^n.
  CHECK(binomial_tail(100, 100, 0.01) == Approx(1e-200).epsilon(1e-9));
  CHECK(binomial_tail(1, 1000, 0.001) == Approx(1 - std::pow(0.999, 1000)).epsilon(1e-10));
  CHECK(binomial_tail(0, 10, 0.5) == 1);
  CHECK(binomial_tail(1'000'000, 1'000'000'000, 0.001) == Approx(0.5).epsilon(0.001));
  CHECK(binomial_tail(1'003'000, 1'000'000'000, 0.001) ==
        Approx(0.00135).epsilon(0.01));  // 3 sigma
  CHECK(binomial_tail(900'000'000, 1'000'000'000, 0.001) == 0);
  CHECK(binomial_tail(2, 1'000'000'000, 0.001) == 1);
}

TEST_CASE("Binomial tail has the same bits on every machine", "[slo]") {
  CHECK(std::bit_cast<uint64_t>(binomial_tail(5, 600, 0.001)) == 0x3f398620d5355d3fULL);
  CHECK(std::bit_cast<uint64_t>(binomial_tail(40'100, 10'000'000, 0.004)) == 0x3fd3c427780e478fULL);
}
