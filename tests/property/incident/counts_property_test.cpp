// Tails against sums of the terms themselves.
#include <rapidcheck.h>

#include <catch2/catch.hpp>
#include <cmath>

#include "nines/incident/counts.hpp"

using namespace nines::incident;

namespace {

// P(X <= seen) in long doubles, term by term.
long double at_most(uint64_t seen, double expected) {
  long double term = std::exp(-static_cast<long double>(expected)), sum = term;
  for (uint64_t i = 1; i <= seen; ++i) {
    term *= static_cast<long double>(expected) / static_cast<long double>(i);
    sum += term;
  }
  return sum;
}

}  // namespace

TEST_CASE("Poisson tails are the sums of their terms") {
  CHECK(rc::check([] {
    const auto seen = *rc::gen::inRange<uint64_t>(0, 300);
    const double expected = *rc::gen::inRange(1, 20'000) / 100.0;
    const auto low = static_cast<double>(at_most(seen, expected));
    if (low > 1e-12) {
      RC_ASSERT(std::fabs(std::exp(log_poisson_at_most(seen, expected)) / low - 1) < 1e-9);
    }
    const double high = std::exp(log_poisson_at_least(seen + 1, expected));
    RC_ASSERT(std::fabs(low + high - 1) < 1e-9);
  }));
}

TEST_CASE("A score grows with what was seen, whichever rule gives it") {
  CHECK(rc::check([] {
    const double expected = *rc::gen::inRange(1, 3'000) / 100.0;
    const auto seen = *rc::gen::inRange<uint64_t>(0, 500);
    RC_ASSERT(count_score(seen, expected) <= count_score(seen + 1, expected));
  }));
}
