#include "nines/incident/metric_evidence.hpp"

#include <catch2/catch.hpp>
#include <cmath>
#include <limits>
#include <random>

using namespace nines;
using namespace nines::incident;

namespace {

constexpr int64_t kStart = 1'790'000'000;
WallTime at(int64_t seconds) { return WallTime::from_s(kStart + seconds); }

// Two hours of a metric every `step` seconds, which is `to` from `since` on.
void feed(MetricEvidence& metrics, const std::string& name, const std::string& service, double from,
          double to, int64_t since, int64_t step = 10, uint32_t seed = 1) {
  std::mt19937 chance(seed);
  std::normal_distribution<double> noise(0, from / 20);
  for (int64_t s = 0; s <= 7'300; s += step) {
    metrics.add(name, service, at(s), (s >= since ? to : from) + noise(chance));
  }
}

}  // namespace

TEST_CASE("A metric that left what is usual near the onset is found, with its numbers") {
  MetricEvidence metrics;
  feed(metrics, "queue_depth", "orders", 3, 812, 6'960);
  feed(metrics, "cpu", "", 0.4, 0.4, 0);
  const auto found = metrics.find(at(7'000), at(7'130), {}, {}, 5);
  REQUIRE(found.size() == 1);
  CHECK(found[0].name == "queue_depth");
  CHECK(found[0].service == "orders");
  CHECK(found[0].usual == Approx(3).margin(0.1));
  CHECK(found[0].value == Approx(812).margin(1));
  CHECK(found[0].seconds_before == 40);
  CHECK(found[0].text.starts_with("queue_depth of orders was 81"));
  CHECK(found[0].text.find("usually ") != std::string::npos);
  CHECK(found[0].text.find(" min), rose 40 s before") != std::string::npos);
}

TEST_CASE("A metric that falls, and one told once a minute, are found as well") {
  MetricEvidence metrics;
  feed(metrics, "free_connections", "pool", 100, 2, 7'020);
  feed(metrics, "memory", "", 0.5, 0.97, 6'960, 60);
  const auto found = metrics.find(at(7'000), at(7'130), {}, {}, 5);
  REQUIRE(found.size() == 2);
  for (const MetricFinding& one : found) {
    if (one.name == "memory") {
      CHECK(one.seconds_before == 40);
      CHECK(one.text.starts_with("memory was 0."));
    } else {
      CHECK(one.robust_z < -6);
      CHECK(one.text.find("fell 20 s after") != std::string::npos);
    }
  }
}

TEST_CASE("Noise near an onset is hardly ever evidence") {
  MetricEvidence metrics;
  for (uint32_t seed = 0; seed < 100; ++seed) {
    feed(metrics, "m" + std::to_string(seed), "x", 100, 100, 0, 10, seed);
  }
  CHECK(metrics.find(at(7'000), at(7'130), {}, {}, 100).size() <= 1);
}

TEST_CASE("Who moves ahead of the bad events is told by how much, and comes first") {
  MetricEvidence metrics;
  std::vector<double> bad;
  for (int64_t s = 6'000; s < 7'120; s += 10) bad.push_back(s >= 7'000 ? 0.5 : 0.0);
  bad[3] = std::numeric_limits<double>::quiet_NaN();  // nothing was counted
  feed(metrics, "depth", "a", 10, 30, 6'960);
  feed(metrics, "spike", "b", 10, 10, 0, 10, 2);
  metrics.add("spike", "b", at(6'990), 31);
  const auto found = metrics.find(at(7'000), at(7'130), bad, at(7'120), 5);
  REQUIRE(found.size() == 2);
  CHECK(found[0].name == "depth");
  REQUIRE(found[0].moves);
  CHECK(found[0].moves->lag_s == 40);
  CHECK(found[0].moves->correlation > 0.95);
  CHECK(found[0].text.find("40 s ahead") != std::string::npos);
  CHECK_FALSE(found[1].moves);
  CHECK(metrics.find(at(7'000), at(7'130), bad, at(7'120), 1).size() == 1);
}

TEST_CASE("Too few points, points that are no numbers and old ones say nothing") {
  MetricEvidence metrics;
  for (int64_t i = 0; i < 11; ++i) metrics.add("m", "", at(6'000 + i * 10), 1);
  metrics.add("m", "", at(6'200), NAN);
  metrics.add("m", "", at(6'210), INFINITY);
  metrics.add("m", "", at(7'000), 1e6);
  metrics.add("m", "", at(-10'000), 1);
  CHECK(metrics.find(at(7'000), at(7'130), {}, {}, 5).empty());
  metrics.add("m", "", at(6'300), 1);
  CHECK(metrics.find(at(7'000), at(7'130), {}, {}, 5).size() == 1);
}

TEST_CASE("A gap is none of the points that were there before it") {
  MetricEvidence metrics;
  for (int64_t s = 0; s < 7'000; s += 10) metrics.add("m", "", at(s), 5);
  metrics.add("m", "", at(20'000), 5);  // much later: nothing before it is kept
  CHECK(metrics.find(at(20'000), at(20'130), {}, {}, 5).empty());
  for (int64_t s = 20'010; s < 20'300; s += 10) metrics.add("m", "", at(s), 5);
  metrics.add("m", "", at(20'420), 500);
  CHECK(metrics.find(at(20'420), at(20'500), {}, {}, 5).size() == 1);
}

TEST_CASE("So many series are kept; who has been quiet for longest makes room") {
  MetricEvidence metrics;
  for (size_t i = 0; i < MetricEvidence::kMostSeries; ++i) {
    metrics.add("m" + std::to_string(i), "", at(static_cast<int64_t>(i) * 10), 1);
  }
  metrics.add("new", "", at(9'000), 1);
  CHECK(metrics.size() == MetricEvidence::kMostSeries);
  CHECK(metrics.let_go() == 1);
}

TEST_CASE("Vitals stay, however many others there are, and are themselves so many at most") {
  MetricEvidence metrics;
  metrics.add_vital("cpu", at(0), 0.9);
  metrics.add_vital("cpu", at(3'000), 0.5);
  metrics.add_vital("cpu", at(3'060), 0.2);
  for (int i = 0; i < 300; ++i) metrics.add("m" + std::to_string(i), "", at(9'000), 1);
  const auto vitals = metrics.vitals(at(3'100), 1'800);
  REQUIRE(vitals.size() == 1);
  CHECK(vitals[0].name == "cpu");
  CHECK(vitals[0].value == Approx(0.2));
  CHECK(vitals[0].most == Approx(0.5));  // 0.9 is longer ago
  CHECK(vitals[0].at == at(3'060));
  for (int i = 0; i < 300; ++i) metrics.add_vital("v" + std::to_string(i), at(9'000 + i * 10), 1);
  CHECK(metrics.vitals(at(12'000), 1'800).size() == MetricEvidence::kMostVitals);
  CHECK(metrics.size() == MetricEvidence::kMostSeries);
}
