#include "nines/slo/burn.hpp"

#include <catch2/catch.hpp>

#include "nines/slo/wide.hpp"

using namespace nines;
using namespace nines::slo;

namespace {
Decimal dec(const char* text) { return *Decimal::parse(text); }
}  // namespace

TEST_CASE("WideUint multiplies, adds and compares beyond 128 bits", "[slo]") {
  WideUint a(UINT64_MAX);
  a *= UINT64_MAX;
  a *= UINT64_MAX;
  WideUint b = a;
  CHECK(a == b);
  b += WideUint(1);
  CHECK(a < b);
  CHECK(WideUint(10).times_pow10(20) == WideUint(1).times_pow10(21));
  WideUint c(1);
  c *= 10'000'000'000'000'000'000ULL;
  CHECK(c == WideUint(1).times_pow10(19));
  // (2^64-1)^2 = 2^128 - 2^65 + 1
  WideUint square(UINT64_MAX);
  square *= UINT64_MAX;
  WideUint two_128(uint64_t{1} << 63);
  two_128 *= uint64_t{1} << 63;
  two_128 *= 4;
  WideUint two_65(uint64_t{1} << 63);
  two_65 *= 4;
  square += two_65;
  two_128 += WideUint(1);
  CHECK(square == two_128);
}

TEST_CASE("Budget of a target is exact and exists for usable targets only", "[slo]") {
  CHECK(budget_of(dec("0.999"))->to_string() == "0.001");
  CHECK(budget_of(dec("0.9990"))->to_string() == "0.001");
  CHECK(budget_of(dec("0.999999999999999999"))->to_string() == "0.000000000000000001");
  CHECK(budget_of(dec("1e-18")).has_value());
  for (const char* target : {"0", "1", "2", "-1", "1e-19"})
    CHECK_FALSE(budget_of(dec(target)).has_value());
}

TEST_CASE("Burn comparison is exact where doubles are not", "[slo]") {
  for (const char* target : {"0.95", "0.99", "0.995", "0.999", "0.9995"}) {
    const Decimal budget = *budget_of(dec(target));
    int64_t scale = 1;
    for (int e = budget.exponent; e < 0; ++e) scale *= 10;
    for (int64_t k = 1; k <= 2000; ++k) {
      const Ratio at{k * budget.mantissa, k * scale};
      REQUIRE((compare_burn(at, budget, {1, 0}) == 0));
      REQUIRE((compare_burn({at.bad, at.total + 1}, budget, {1, 0}) < 0));
      REQUIRE((compare_burn({at.bad, at.total - 1}, budget, {1, 0}) > 0));
      REQUIRE(*burn_rate(at, budget) == 1.0);
    }
  }
}

TEST_CASE("Burn comparison holds at the largest counts and the finest targets", "[slo]") {
  const Decimal budget = *budget_of(dec("0.999999999999999999"));
  CHECK((compare_burn({INT64_MAX, INT64_MAX}, budget, {1, 18}) == 0));
  CHECK((compare_burn({INT64_MAX - 1, INT64_MAX}, budget, {1, 18}) < 0));
  CHECK((compare_burn({0, 5}, budget, dec("1e-18")) < 0));
  const std::array<Ratio, 3> most{
      {{INT64_MAX, INT64_MAX}, {INT64_MAX, INT64_MAX}, {INT64_MAX, INT64_MAX}}};
  CHECK((compare_composite(most, budget, {1, 18}) == 0));
  CHECK((compare_composite(most, *budget_of(dec("0.123456789012345678")), {2, 0}) < 0));
  CHECK((compare_composite(most, *budget_of(dec("0.5")), {2, 0}) == 0));
}

TEST_CASE("Composite weighs 40, 35 and 25 percent exactly", "[slo]") {
  const Decimal budget = *budget_of(dec("0.999"));
  // 0.40 * 1 + 0.35 * 2 + 0.25 * 1.6 = 1.5
  const std::array<Ratio, 3> windows{{{1, 1000}, {2, 1000}, {16, 10'000}}};
  CHECK((compare_composite(windows, budget, dec("1.5")) == 0));
  CHECK((compare_composite(windows, budget, dec("1.4999999")) > 0));
  CHECK((compare_composite(windows, budget, dec("1.5000001")) < 0));
  CHECK(*composite_burn(windows, budget) == 1.5);
  const std::array<Ratio, 3> none{};
  CHECK((compare_composite(none, budget, dec("1")) < 0));
  CHECK_FALSE(composite_burn(none, budget).has_value());
}

TEST_CASE("Shares compare exactly, also with zero", "[slo]") {
  CHECK((compare_share(9, 10, dec("0.9")) == 0));
  CHECK((compare_share(89, 100, dec("0.9")) < 0));
  CHECK((compare_share(0, 10, dec("0")) == 0));
  CHECK((compare_share(1, 10, dec("0")) > 0));
  CHECK_FALSE(comparable_factor(dec("1e19")));
  CHECK_FALSE(comparable_factor(dec("0")));
}
