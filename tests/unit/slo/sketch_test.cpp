#include "nines/slo/sketch.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <limits>
#include <random>

using namespace nines::slo;

TEST_CASE("Sketch bins hold no value further than 1 % from their representative", "[slo]") {
  double worst = 0;
  for (double v = 1.0001e-6; v < 0.9999e8; v *= 1.00037) {
    const double shown = sketch_value(sketch_index(v));
    worst = std::max(worst, std::abs(shown - v) / v);
  }
  CHECK(worst <= kSketchAlpha);
  CHECK(worst > 0.009);  // and wastes no bins
}

TEST_CASE("Sketch index grows with the value and knows its borders", "[slo]") {
  CHECK(sketch_index(0) == 0);
  CHECK(sketch_index(-3) == 0);
  CHECK(sketch_index(std::nan("")) == 0);
  CHECK(sketch_index(1e-300) == 1);
  CHECK(sketch_index(kSketchMin) == 1);
  CHECK(sketch_index(std::nextafter(kSketchMin, 1)) >= 1);
  CHECK(sketch_index(kSketchMax) == kSketchBins - 1);
  CHECK(sketch_index(std::numeric_limits<double>::infinity()) == kSketchBins - 1);
  CHECK(sketch_index(std::nextafter(kSketchMax, 0)) <= kSketchBins - 1);
  CHECK(kSketchBins < 1700);
  uint16_t last = 0;
  for (double v = 1e-7; v < 1e9; v *= 1.001) {
    REQUIRE(sketch_index(v) >= last);
    REQUIRE(sketch_index(v) <= last + 1);
    last = sketch_index(v);
  }
}

TEST_CASE("Sketch index is the same on every machine", "[slo]") {
  // Computed once; + - * on doubles without contraction has one result.
  uint64_t hash = 0;
  for (double v = 1e-6; v < 1e8; v *= 1.0123) hash = hash * 31 + sketch_index(v);
  CHECK(hash == 1011880098271126349ULL);
}

TEST_CASE("Sketch quantiles are nearest-rank within 1 %", "[slo]") {
  std::mt19937_64 random(7);
  std::lognormal_distribution<double> latency(4, 1.5);
  std::vector<double> values;
  Sketch sketch;
  for (int i = 0; i < 20'000; ++i) {
    values.push_back(latency(random));
    sketch.add(sketch_index(values.back()));
  }
  std::sort(values.begin(), values.end());
  for (const uint32_t permille : {0u, 1u, 500u, 900u, 950u, 990u, 999u, 1000u}) {
    const size_t rank = std::max<size_t>(1, (values.size() * permille + 999) / 1000);
    CHECK(*sketch.quantile(permille) == Approx(values[rank - 1]).epsilon(0.0101));
  }
  CHECK(sketch.count() == 20'000);
  CHECK(sketch.memory_bytes() < 8 * 1024);
}

TEST_CASE("Sketch merges to the same bits in any order", "[slo]") {
  std::mt19937_64 random(11);
  std::vector<Sketch> parts(40);
  for (Sketch& part : parts) {
    for (int i = 0; i < 50; ++i) {
      part.add(static_cast<uint16_t>(random() % kSketchBins), static_cast<uint32_t>(random()));
    }
  }
  Sketch forward;
  for (const Sketch& part : parts) forward.merge(part);
  for (int round = 0; round < 10; ++round) {
    std::shuffle(parts.begin(), parts.end(), random);
    Sketch other;
    for (const Sketch& part : parts) other.merge(part);
    REQUIRE(other.count() == forward.count());
    for (uint16_t bin = 0; bin < kSketchBins; ++bin) REQUIRE(other.at(bin) == forward.at(bin));
  }
}

TEST_CASE("Sketch is empty, bounded and clearable", "[slo]") {
  Sketch sketch;
  CHECK_FALSE(sketch.quantile(500).has_value());
  sketch.merge(Sketch{});
  sketch.add(5, 0);
  CHECK(sketch.count() == 0);
  sketch.add(60'000);
  CHECK(sketch.at(kSketchBins - 1) == 1);
  sketch.add(3, UINT32_MAX);
  sketch.add(3, 5);
  CHECK(sketch.at(3) == UINT32_MAX);
  CHECK(sketch.count() == uint64_t{UINT32_MAX} + 1);
  sketch.clear();
  CHECK(sketch.count() == 0);
  CHECK(sketch.memory_bytes() == 0);
  sketch.add(0);
  CHECK(*sketch.quantile(500) == 0);
}
