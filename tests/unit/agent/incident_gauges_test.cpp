// Numbers that records tell, on their way to who keeps them as evidence.
#include <catch2/catch.hpp>

#include "incident/gauges.hpp"

namespace nines::agent::incident {
namespace {

WallTime at(int64_t seconds) { return WallTime::from_s(1'790'000'000 + seconds); }

bool take(Gauges& gauges, int64_t s, uint32_t source, std::string_view name, std::string_view of,
          double value) {
  return gauges.take({at(s), source, name, of, {}, value});
}

}  // namespace

TEST_CASE("Of a gauge the newest value is told, once a look", "[incident]") {
  Gauges gauges;
  CHECK_FALSE(take(gauges, 0, 1, "cpu_percent", "mail", 3));
  CHECK_FALSE(take(gauges, 10, 1, "cpu_percent", "mail", 4));
  CHECK_FALSE(take(gauges, 5, 1, "cpu_percent", "mail", 9));  // older
  const auto points = gauges.take_points();
  REQUIRE(points.size() == 1);
  CHECK(points[0].name == "cpu_percent");
  CHECK(points[0].service == "mail");
  CHECK(points[0].at == at(10));
  CHECK(points[0].value == 4);
  CHECK(gauges.take_points().empty());
}

TEST_CASE("The series of a scraped metric are added up; counters are left out", "[incident]") {
  Gauges gauges;
  gauges.scraped(7, "orders");
  CHECK(take(gauges, 0, 7, "value", "queue_depth", 3));
  CHECK(take(gauges, 0, 7, "value", "queue_depth", 5));  // of another queue
  for (const char* counter : {"http_requests_total", "rtt_seconds_bucket", "rtt_seconds_sum",
                              "rtt_seconds_count", "build_info", "scrape_duration_ms"}) {
    CHECK(take(gauges, 0, 7, "value", counter, 1e6));
  }
  auto points = gauges.take_points();
  REQUIRE(points.size() == 1);
  CHECK(points[0].name == "queue_depth");
  CHECK(points[0].service == "orders");
  CHECK(points[0].value == 8);
  CHECK(take(gauges, 15, 7, "value", "queue_depth", 1));
  CHECK(take(gauges, 30, 7, "value", "queue_depth", 2));  // the next scrape
  points = gauges.take_points();
  REQUIRE(points.size() == 1);
  CHECK(points[0].value == 2);
}

TEST_CASE("So many names are taken between two looks, more are counted", "[incident]") {
  Gauges gauges;
  gauges.scraped(7, "orders");
  for (size_t i = 0; i < Gauges::kMost + 5; ++i) {
    (void)take(gauges, 0, 7, "value", "m" + std::to_string(i), 1);
  }
  CHECK(gauges.refused() == 5);
  CHECK(gauges.take_points().size() == Gauges::kMost);
}

}  // namespace nines::agent::incident
