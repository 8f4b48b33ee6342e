#include "nines/remedy/statistics.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>

#include "nines/incident/counts.hpp"
#include "vectors.hpp"

using namespace nines::remedy;
using namespace nines::remedy::testing;

namespace {

auto close_to(double value) { return Approx(value).epsilon(1e-9).margin(1e-300); }

// Admissions at Berkeley 1973 by department: men and women admitted, rejected (R's UCBAdmissions).
const std::vector<Table> kBerkeley{{512, 313, 89, 19},   {353, 207, 17, 8},  {120, 205, 202, 391},
                                   {138, 279, 131, 244}, {53, 138, 94, 299}, {22, 351, 24, 317}};
// Rabbits and penicillin (R's mantelhaen.test), cured and died, without delay and with.
const std::vector<Table> kRabbits{
    {0, 6, 0, 5}, {3, 3, 0, 6}, {6, 0, 2, 4}, {5, 1, 6, 0}, {2, 0, 5, 0}};

}  // namespace

TEST_CASE("Wilson's interval is that of the reference to the ninth digit") {
  for (const auto& row : kWilson) {
    const Interval got = wilson(row.k, row.n);
    CHECK(got.low == close_to(row.low));
    CHECK(got.high == close_to(row.high));
  }
  CHECK(wilson(0, 0).low == 0);
  CHECK(wilson(0, 0).high == 1);
}

TEST_CASE("Fisher's exact test and the odds ratio are those of scipy to the ninth digit") {
  for (const auto& row : kFisher) {
    CHECK(fisher_two_sided(row.table) == close_to(row.p));
    if (row.odds < 0) {
      CHECK(std::isinf(odds_ratio(row.table)));
    } else {
      CHECK(odds_ratio(row.table) == close_to(row.odds));
    }
  }
  CHECK(std::isnan(odds_ratio({})));
}

TEST_CASE("G2 of a table and its p are those of scipy to the ninth digit") {
  for (const auto& row : kG2) {
    CHECK(g2(row.table) == close_to(row.g2));
    CHECK(chi2_tail(g2(row.table)) == close_to(row.p));
  }
}

TEST_CASE("Mann-Whitney's U and both of its p are those of scipy to the ninth digit") {
  for (const auto& row : kMannWhitney) {
    const MannWhitney got = mann_whitney(row.a, row.b);
    CHECK(got.u == close_to(row.u));
    CHECK(got.p_normal == close_to(row.p_normal));
    CHECK(got.p_exact.has_value() == (row.exact >= 0));
    if (row.exact >= 0) CHECK(got.p() == close_to(row.exact));
  }
  CHECK(mann_whitney({}, {}).p() == 1);
}

TEST_CASE("Poisson tails are those of scipy to the ninth digit") {
  for (const auto& row : kPoisson) {
    CHECK(std::exp(nines::incident::log_poisson_at_least(row.k, row.lambda)) ==
          close_to(row.at_least));
  }
}

TEST_CASE("The tail of the normal distribution is the one of the C library") {
  for (double z = -8; z < 37; z += 0.0625) {
    CHECK(normal_tail(z) ==
          Approx(std::erfc(z / std::sqrt(2.0)) / 2).epsilon(1e-11).margin(1e-305));
  }
  CHECK(normal_tail(kZ95) == Approx(0.025).epsilon(1e-12));
}

// Output of R 4: mantelhaen.test(aperm(UCBAdmissions, c(2, 1, 3))) and of its help page.
TEST_CASE("Mantel-Haenszel gives what R prints for the admissions at Berkeley") {
  const MantelHaenszel got = mantel_haenszel(kBerkeley);
  CHECK(got.strata == 6);
  CHECK(got.odds_ratio == Approx(0.9046968).epsilon(1e-7));
  CHECK(got.odds.low == Approx(0.7719074).epsilon(1e-7));
  CHECK(got.odds.high == Approx(1.0603298).epsilon(1e-7));
  CHECK(got.chi2 == Approx(1.4269).epsilon(1e-4));
  CHECK(got.p_chi2 == Approx(0.2323).epsilon(1e-3));
  CHECK(got.risk_difference < 0);
  CHECK(got.risk.low < got.risk_difference);
  CHECK(got.risk.high > 0);
}

TEST_CASE("Mantel-Haenszel and its exact test give what R prints for rabbits and penicillin") {
  const MantelHaenszel got = mantel_haenszel(kRabbits);
  CHECK(got.strata == 3);
  CHECK(got.odds_ratio == Approx(7));
  CHECK(got.odds.low == Approx(1.026713).epsilon(1e-6));
  CHECK(got.odds.high == Approx(47.725133).epsilon(1e-6));
  CHECK(got.chi2 == Approx(3.9286).epsilon(1e-4));
  CHECK(got.p_chi2 == Approx(0.04747).epsilon(1e-4));
  CHECK(got.p_two_sided == Approx(0.03994).epsilon(1e-3));
}

TEST_CASE("In one stratum the common values are the plain ones, and the exact test is Fisher's") {
  for (const auto& row : kFisher) {
    const MantelHaenszel got = mantel_haenszel(std::vector<Table>{row.table});
    CHECK(got.p_two_sided == close_to(row.p));
    if (row.odds >= 0) CHECK(got.odds_ratio == close_to(row.odds));
    const auto share = [](uint64_t k, uint64_t n) {
      return static_cast<double>(k) / static_cast<double>(n);
    };
    const Table& t = row.table;
    CHECK(got.risk_difference ==
          Approx(share(t.good, t.good + t.bad) - share(t.other_good, t.other_good + t.other_bad)));
  }
}

TEST_CASE("A difference that severity alone makes is none") {
  // Done to the mild, left undone for the grave: 0.74 against 0.26, yet equal in each stratum.
  const std::vector<Table> strata{{72, 18, 8, 2}, {2, 8, 18, 72}};
  CHECK(fisher_two_sided({74, 26, 26, 74}) < 1e-9);
  const MantelHaenszel got = mantel_haenszel(strata);
  CHECK(got.odds_ratio == Approx(1));
  CHECK(got.risk_difference == Approx(0).margin(1e-12));
  CHECK(got.p_more > 0.5);
}

TEST_CASE("Strata with one group or one outcome say nothing") {
  const MantelHaenszel got = mantel_haenszel(std::vector<Table>{{5, 5, 0, 0}, {0, 0, 3, 4}});
  CHECK(got.strata == 0);
  CHECK(got.p_more == 1);
  CHECK(std::isnan(got.risk_difference));
  CHECK(mantel_haenszel({}).p_chi2 == 1);
}

// Table 1 of the paper of 1995 (thrombolysis): four are rejected at 5 %, Bonferroni rejects three.
TEST_CASE("Benjamini and Hochberg's own example rejects four") {
  const std::vector<double> p{0.0344, 0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298,
                              0.0459, 0.3240, 0.4262, 0.5719, 0.6528, 0.7590, 1.0000};
  const std::vector<double> q = benjamini_hochberg(p);
  CHECK(std::count_if(q.begin(), q.end(), [](double x) { return x <= 0.05; }) == 4);
  CHECK(q[1] == Approx(0.0015));
  CHECK(q[4] == Approx(0.0095 * 15 / 4));
  CHECK(q[0] == Approx(0.0344 * 15 / 8).epsilon(1e-12));
  CHECK(q[14] == 1);
  CHECK(benjamini_hochberg({}).empty());
}

// Hollander and Wolfe, table 4.1 (R's wilcox.test): permeability of the human chorioamnion.
TEST_CASE("The shift of Hodges and Lehmann is that of Hollander and Wolfe's example") {
  const std::vector<double> x{0.80, 0.83, 1.89, 1.04, 1.45, 1.38, 1.91, 1.64, 0.73, 1.46};
  const std::vector<double> y{1.15, 0.88, 0.90, 0.74, 1.21};
  CHECK(mann_whitney(x, y).u == 35);
  CHECK(mann_whitney(x, y).p() == Approx(0.2544).epsilon(1e-3));
  const Shift got = hodges_lehmann(x, y);
  CHECK(got.median == Approx(0.305));
  CHECK(got.interval.low == Approx(-0.15));
  CHECK(got.interval.high == Approx(0.76));
}

TEST_CASE("Samples too small for confidence have an interval without ends") {
  const Shift got = hodges_lehmann(std::vector<double>{5}, std::vector<double>{3});
  CHECK(got.median == 2);
  CHECK(std::isinf(got.interval.low));
  CHECK(std::isinf(got.interval.high));
  CHECK(std::isnan(hodges_lehmann({}, {}).median));
}
