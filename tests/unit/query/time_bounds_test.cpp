#include "nines/query/time_bounds.hpp"

#include <catch2/catch.hpp>
#include <string>

namespace nines::query {
namespace {

std::string bounds_of(const ScanPlan& plan) {
  const TimeBounds bounds = time_bounds(plan);
  const auto text = [](std::optional<WallTime> t) { return t ? format_rfc3339(*t) : "*"; };
  return text(bounds.since) + " " + text(bounds.until);
}

std::string bounds_of(const std::string& where) {
  ScanPlan plan;
  auto parsed = expr::Expression::parse(where);
  REQUIRE(parsed.ok());
  plan.where = *parsed;
  return bounds_of(plan);
}

}  // namespace

TEST_CASE("Comparisons of ts between ANDs bound the time, its ends included", "[time_bounds]") {
  CHECK(bounds_of("ts >= '2026-11-21 10:00' AND ts < '2026-11-21 11:00' AND level = 'ERROR'") ==
        "2026-11-21T10:00:00Z 2026-11-21T11:00:00.000000001Z");
  CHECK(bounds_of("'2026-11-21 10:00' < ts") == "2026-11-21T10:00:00Z *");
  CHECK(bounds_of("'2026-11-21 10:00' >= ts") == "* 2026-11-21T10:00:00.000000001Z");
  CHECK(bounds_of("ts = '2026-11-21T10:00:00Z'") ==
        "2026-11-21T10:00:00Z 2026-11-21T10:00:00.000000001Z");
  CHECK(bounds_of("ts BETWEEN '2026-11-21 10:00' AND '2026-11-21 11:00'") ==
        "2026-11-21T10:00:00Z 2026-11-21T11:00:00.000000001Z");
  CHECK(bounds_of("ts > '2026-11-21 10:00' AND ts > '2026-11-21 09:00'") ==
        "2026-11-21T10:00:00Z *");
}

TEST_CASE("What may be true outside of a time bounds nothing", "[time_bounds]") {
  for (const char* where :
       {"ts >= '2026-11-21 10:00' OR level = 'ERROR'", "NOT ts >= '2026-11-21 10:00' OR a = 1",
        "ts <> '2026-11-21 10:00'", "ts NOT BETWEEN '2026-11-21 10:00' AND '2026-11-21 11:00'",
        "ts > 'yesterday evening'", "start >= '2026-11-21 10:00'", "ts > other", "level = 'ERROR'",
        "coalesce(ts, a) > '2026-11-21 10:00'"}) {
    INFO(where);
    CHECK(bounds_of(where) == "* *");
  }
}

TEST_CASE("SINCE and UNTIL bound the time together with WHERE, except where neighbours are wanted",
          "[time_bounds]") {
  ScanPlan plan;
  plan.since = WallTime{0};
  plan.until = WallTime{3600 * kNsPerSecond};
  CHECK(bounds_of(plan) == "1970-01-01T00:00:00Z 1970-01-01T01:00:00Z");
  plan.where = *expr::Expression::parse("ts >= '1970-01-01 00:30'");
  CHECK(bounds_of(plan) == "1970-01-01T00:30:00Z 1970-01-01T01:00:00Z");
  plan.context = ContextSpec{1, 1, {}, {}};
  CHECK(bounds_of(plan) == "1970-01-01T00:00:00Z 1970-01-01T01:00:00Z");
  plan.context.reset();
  plan.extracts.push_back({Extract::Kind::pattern, "message", "<ts>", {"ts"}});
  CHECK(bounds_of(plan) == "1970-01-01T00:00:00Z 1970-01-01T01:00:00Z");
}

}  // namespace nines::query
