// Forecasts and back-tests as people and programs get them, and the routes that serve them.
#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "http/api.hpp"
#include "snapshot_fixture.hpp"
#include "view/capacity.hpp"
#include "view/explain.hpp"
#include "view/forecast.hpp"
#include "view/metrics_text.hpp"
#include "view/status_json.hpp"
#include "view/status_table.hpp"

using namespace nines;
using namespace nines::agent;
using nlohmann::ordered_json;

namespace {

slo::Forecast forecast() {
  slo::Forecast f;
  f.time_to_exhaustion_hours = 18.25;
  f.projected_exhaustion_time = test::at(test::kNow + 65700);
  f.earliest_hours = 15.5;
  f.latest_hours = 60;
  f.naive_hours = 12;
  f.burn = 3.5;
  f.burn_rate_trend = slo::Trend::increasing;
  f.confidence = slo::Confidence::high;
  f.method = slo::ForecastMethod::seasonal;
  f.message = "The error budget will be exhausted in 18.2 hours.";
  f.data_points_used = 24;
  f.bad_in_points = 100;
  f.course = {{86400, 1.1, 0.9, 1.3}, {3 * 86400, 1.4, 1.0, 1.9}};
  f.made_at = test::at(test::kNow);
  f.warning = true;
  f.warning_since = test::at(test::kNow - 600);
  f.warning_severity = "ticket";
  return f;
}

Snapshot foreseen() {
  Snapshot s = test::snapshot();
  s.slos[0].forecast = forecast();
  return s;
}

slo::BacktestReport report() {
  slo::BacktestReport r;
  for (size_t m = 0; m < slo::kBacktestMethods; ++m) {
    r.results[m].method = static_cast<slo::BacktestMethod>(m);
    r.results[m].leads = {{86400, 100, 0.01 * static_cast<double>(m + 1), 0.8}};
    r.results[m].origins = 90;
    r.results[m].hits = m;
  }
  r.history_slots = 1080;
  r.first_origin = test::at(test::kNow - 40 * 86400);
  r.last_origin = test::at(test::kNow - 86400);
  r.best = slo::BacktestMethod::pace;
  r.best_origins = 90;
  r.best_after_s = 86400;
  return r;
}

http::Handler api() {
  http::Insight insight;
  insight.backtest = [](std::string_view slo) -> std::optional<slo::BacktestReport> {
    if (slo == "api-availability") return report();
    return std::nullopt;
  };
  insight.capacity = [] {
    slo::DailyMaxima maxima;
    for (int64_t d = 0; d < 40; ++d) maxima.add(20'000 + d, 0.5 + 0.005 * static_cast<double>(d));
    return view::Capacities{slo::forecast_capacity("disk_root", maxima)};
  };
  return http::make_api([] { return foreseen(); }, insight);
}

http::HttpResponse get(const std::string& path, const std::string& query = {}) {
  http::HttpRequest request;
  request.method = "GET";
  request.path = path;
  request.query = query;
  return api()(request);
}

}  // namespace

TEST_CASE("The status document carries the forecast in the words of its interface", "[view]") {
  const auto slos = ordered_json::parse(view::slos_json(foreseen()));
  const auto& f = slos[0]["forecast"];
  CHECK(f["time_to_exhaustion_hours"] == 18.25);
  CHECK(f["projected_exhaustion_time"] == "2026-03-02T16:15:00Z");
  CHECK(f["burn_rate_trend"] == "increasing");
  CHECK(f["confidence_level"] == "high");
  CHECK(f["forecast_message"] == "The error budget will be exhausted in 18.2 hours.");
  CHECK(f["data_points_used"] == 24);
  CHECK(f["method"] == "seasonal+expiry");
  CHECK(f["latest_hours"] == 60);
  CHECK(f["regression_hours"].is_null());
  CHECK(f["projected"][1]["after"] == "3d");
  CHECK(f["projected"][1]["high"] == 1.9);
  CHECK(f["early_warning"] == true);
  CHECK(f["early_warning_since"] == "2026-03-01T21:50:00Z");
  CHECK(slos[0]["alerts"].back()["rule"] == "forecast");
  CHECK(slos[0]["alerts"].back()["severity"] == "ticket");
  const auto& none = slos[1]["forecast"];
  CHECK(none["time_to_exhaustion_hours"].is_null());
  CHECK(none["projected_exhaustion_time"].is_null());
  CHECK(none["forecast_message"] == "No forecast has been made yet.");
  CHECK(none["early_warning"] == false);
}

TEST_CASE("Explain, the tables, CSV and metrics tell the forecast", "[view]") {
  const Snapshot s = foreseen();
  const std::string text = view::explain_text(s.slos[0]);
  CHECK_THAT(text, Catch::Contains("Forecast made at 2026-03-01T22:00:00Z\n  The error budget"));
  CHECK_THAT(text,
             Catch::Contains("in 3d      140.0% of the budget used (80 %: 100.0% to 190.0%)"));
  CHECK_THAT(text, Catch::Contains("remaining / burn 12.0h, line through what is used -"));
  CHECK_THAT(text, Catch::Contains("early warning since 2026-03-01T21:50:00Z"));
  CHECK(view::explain_text(s.slos[1]).find("Forecast") == std::string::npos);
  CHECK_THAT(view::status_table(s, {200, false, true}), Catch::Contains("forecast:ticket"));
  CHECK_THAT(view::slos_csv(s), Catch::Contains("fast;forecast"));
  const std::string metrics = view::metrics_text(s);
  CHECK_THAT(metrics, Catch::Contains("nines_slo_forecast_exhaustion_seconds{slo=\"api-"
                                      "availability\",service=\"api\"} 65700\n"));
  CHECK_THAT(metrics, Catch::Contains("nines_slo_forecast_confidence{slo=\"api-availability\","
                                      "service=\"api\"} 2\n"));
  CHECK_THAT(metrics, Catch::Contains("rule=\"forecast\",severity=\"ticket\",priority=\"P2\"} 1\n"));
  CHECK(metrics.find("nines_slo_forecast_exhaustion_seconds{slo=\"shop") == std::string::npos);
}

TEST_CASE("Forecasts are served of all SLOs and of one, as JSON and as a table", "[http]") {
  const auto all = ordered_json::parse(get("/api/forecast").body);
  REQUIRE(all.size() == 3);
  CHECK(all[0]["forecast"]["confidence_level"] == "high");
  const auto one = ordered_json::parse(get("/api/slo/api-availability/forecast").body);
  CHECK(one["slo"] == "api-availability");
  CHECK(one["forecast"] == all[0]["forecast"]);
  const auto table = get("/api/forecast", "format=table&width=200");
  CHECK_THAT(table.content_type, Catch::StartsWith("text/plain"));
  CHECK_THAT(table.body, Catch::Contains("18.2h  15.5h..2.5d"));
  CHECK_THAT(table.body, Catch::Contains("since 2026-03-01T21:50:00Z"));
  CHECK(get("/api/slo/nobody/forecast").status == 404);
  CHECK(get("/api/slo/api-availability").status == 200);
  CHECK(get("/api/slo/api-availability/explain").status == 200);
}

TEST_CASE("Back-tests name the best method, also when it is a naive one", "[http]") {
  const auto found = ordered_json::parse(get("/api/slo/api-availability/backtest").body);
  REQUIRE(found.size() == 1);
  CHECK(found[0]["best"] == "pace");
  CHECK(found[0]["methods"].size() == 4);
  CHECK(found[0]["methods"][1]["method"] == "seasonal+expiry");
  CHECK(found[0]["methods"][1]["consumed"][0]["median_absolute_error"] == 0.02);
  CHECK(found[0]["methods"][2]["exhaustion"]["hits"] == 2);
  CHECK(found[0]["methods"][2]["best"] == true);
  const std::string text = get("/api/backtest", "format=table&width=200").body;
  CHECK_THAT(text, Catch::Contains("SLO api-availability: 1080 slots of 1h recorded"));
  CHECK_THAT(text, Catch::Contains("pace (a naive forecast was better here)"));
  CHECK(get("/api/slo/nobody/backtest").status == 404);
  CHECK_THAT(view::backtest_text({}, {}), Catch::Contains("no SLO"));
  const view::Backtests young{{"young", slo::BacktestReport{}}};
  CHECK_THAT(view::backtest_text(young, {}), Catch::Contains("too few to look back from"));
  CHECK(ordered_json::parse(view::backtest_json(young))[0]["best"].is_null());
}

TEST_CASE("Capacity is served as JSON and as a table", "[http]") {
  const auto vitals = ordered_json::parse(get("/api/capacity").body);
  REQUIRE(vitals.size() == 1);
  CHECK(vitals[0]["vital"] == "disk_root");
  CHECK(vitals[0]["thresholds"]["critical"] == 0.95);
  CHECK(vitals[0]["growth_per_day"] == Approx(0.005));
  CHECK(vitals[0]["days_to_critical"] == Approx(51).margin(1));
  CHECK(vitals[0]["growing"] == true);
  CHECK(vitals[0]["newest_day"] == "2024-11-12T00:00:00Z");
  const std::string table = get("/api/capacity", "format=table&width=200").body;
  CHECK_THAT(table, Catch::Contains("disk_root  ok"));
  CHECK_THAT(table, Catch::Contains("51d"));
  CHECK_THAT(view::capacity_table({}, {}), Catch::Contains("nothing is known yet"));
}
