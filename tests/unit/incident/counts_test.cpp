#include "nines/incident/counts.hpp"

#include <catch2/catch.hpp>
#include <cmath>

using namespace nines::incident;

// The first four of each kind: scipy 1.10, scipy.stats.poisson.sf(k - 1, lambda) and
// chi2_contingency(lambda_="log-likelihood", correction=False).
TEST_CASE("Poisson tails are those of scipy to the ninth digit") {
  struct Row {
    uint64_t seen;
    double expected, at_least;
  };
  for (const Row& row :
       {Row{10, 3.0, 0.0011024881301154815}, Row{0, 1.0, 1.0}, Row{50, 30.0, 0.0005188914625480344},
        Row{200, 100.0, 9.343150072988544e-19}}) {
    CHECK(std::exp(log_poisson_at_least(row.seen, row.expected)) ==
          Approx(row.at_least).epsilon(1e-9));
  }
}

TEST_CASE("The p of a G2 is that of scipy to the ninth digit, and leads back to the G2") {
  struct Row {
    double g2, p;
  };
  for (const Row& row :
       {Row{6.5152716556872505, 0.010695198302387429},
        Row{12.97151432600681, 0.0003162661143462805}, Row{8.630462173553425, 0.003305876912189953},
        Row{24.466020699210475, 7.563198386946242e-07},
        Row{8.317766166719343, 0.003925917093603294}, Row{4.451070695347775, 0.0348793717360046}}) {
    CHECK(chi2_tail(row.g2) == Approx(row.p).epsilon(1e-9));
    CHECK(chi2_of_log_tail(std::log(row.p)) == Approx(row.g2).epsilon(1e-9));
  }
}

TEST_CASE("Tails that no double can hold still have an order, and what cannot be is finite") {
  CHECK(chi2_of_log_tail(-2000) == Approx(3992.2).epsilon(1e-3));
  CHECK(chi2_of_log_tail(-401) > chi2_of_log_tail(-399));  // erfc changes hands near z = 20
  CHECK(chi2_of_log_tail(-401) - chi2_of_log_tail(-399) == Approx(4).epsilon(0.01));
  CHECK(count_score(1000, 0) > 1000);
  CHECK(std::isfinite(count_score(1000, 0)));
  CHECK(count_score(0, 0) == 0);
}

TEST_CASE("More than expected scores above zero, fewer below, and both rules meet at five") {
  CHECK(count_score(20, 2) > 40);
  CHECK(count_score(0, 40) == Approx(-80));
  CHECK(count_score(20, 4.999999) == Approx(count_score(20, 5.000001)).epsilon(0.1));
  CHECK(std::fabs(count_score(5, 4.9)) < 1);
}
