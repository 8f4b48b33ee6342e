#include "nines/slo/draft.hpp"

#include <catch2/catch.hpp>

#include "slo_test_support.hpp"

using namespace nines;
using namespace nines::slo;
using namespace nines::slo::test;

TEST_CASE("Drafts follow the signals of the logs", "[slo]") {
  LogSignals signals;
  signals.service = "Event Audit_Dashboard!";
  signals.lines = 100;
  CHECK(draft_slos(signals).empty());
  signals.with_level = 100;
  auto drafts = draft_slos(signals);
  REQUIRE(drafts.size() == 1);
  CHECK(drafts[0].name == "event-audit-dashboard-errors");
  CHECK(drafts[0].indicator.part_is_bad);
  signals.with_status = 10;  // a tenth is enough, and says more than the level
  signals.with_duration = 9;
  drafts = draft_slos(signals);
  REQUIRE(drafts.size() == 1);
  CHECK(drafts[0].indicator.part.where == "status < 500");
  signals.with_duration = 50;
  signals.duration_field = "latency_us";
  drafts = draft_slos(signals);
  REQUIRE(drafts.size() == 2);
  CHECK(drafts[1].indicator.value == "latency_us * 0.001");
  CHECK(drafts[1].threshold == Decimal{500, 0});
  for (const SloSpec& spec : drafts) CHECK(SloEngine().add(spec).ok());
  signals.service = std::string(60, 'x');
  CHECK(draft_slos(signals)[0].name == std::string(48, 'x') + "-availability");
  signals.service = "---";
  CHECK(draft_slos(signals)[0].name == "service-availability");
}

TEST_CASE("Well-known durations are read in milliseconds", "[slo]") {
  CHECK(duration_expression("responseTime") == "responseTime");
  CHECK(duration_expression("latency_ns") == "latency_ns * 0.000001");
  CHECK(duration_expression("request_time") == "request_time * 1000");
  CHECK(duration_expression("x").empty());
  for (const std::string& field : duration_fields())
    CHECK_FALSE(duration_expression(field).empty());
}
