#include "nines/incident/metric_series.hpp"

#include <catch2/catch.hpp>
#include <cmath>
#include <random>

using namespace nines;
using namespace nines::incident;

namespace {

WallTime at(int64_t i) { return WallTime::from_s(1'767'571'200 + i * 300); }

MetricSeries noise(uint32_t seed, int64_t points, double slope_from = 1e9, double slope = 0) {
  std::mt19937 chance(seed);
  std::normal_distribution<double> normal(100, 5);
  MetricSeries series;
  for (int64_t i = 0; i < points; ++i) {
    const double past = std::max(0.0, static_cast<double>(i) - slope_from);
    series.add(at(i), normal(chance) + slope * past);
  }
  return series;
}

}  // namespace

TEST_CASE("A point far out of the ordinary is a jump, with what is usual") {
  MetricSeries series = noise(1, 288);
  CHECK_FALSE(series.look()->jumped);
  series.add(at(288), 180);
  const auto found = series.look();
  CHECK(found->jumped);
  CHECK(found->robust_z > 10);
  CHECK(found->usual == Approx(100).margin(2));
  CHECK(found->points == 288);
}

TEST_CASE("A slow drift is found long before a point of it would be a jump") {
  const auto found = noise(2, 288, 200, 0.2).look();
  CHECK_FALSE(found->jumped);
  CHECK(found->drifts);
  CHECK(found->drift > 12);
  CHECK(std::abs(found->drift_since.ns - at(200).ns) / kNsPerSecond <= 25 * 300);
  CHECK(noise(3, 288, 200, -0.2).look()->drift < -12);
}

TEST_CASE("Noise hardly ever drifts") {
  int drifts = 0;
  for (uint32_t seed = 10; seed < 210; ++seed) drifts += noise(seed, 288).look()->drifts ? 1 : 0;
  CHECK(drifts <= 4);
}

TEST_CASE("Few points say nothing, and what is no number is left out") {
  MetricSeries series;
  for (int64_t i = 0; i < 11; ++i) series.add(at(i), 1);
  series.add(at(11), NAN);
  series.add(at(5), 1);
  CHECK_FALSE(series.look());
  series.add(at(12), 1);
  CHECK(series.look());
  CHECK(series.look()->robust_z == 0);
  CHECK_FALSE(series.look()->drifts);
}
