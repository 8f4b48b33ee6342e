#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>
#include <sstream>

#include "snapshot_fixture.hpp"
#include "view/alerts_view.hpp"
#include "view/metrics_text.hpp"
#include "view/status_json.hpp"

using namespace nines;
using namespace nines::agent;
using nlohmann::ordered_json;

TEST_CASE("The status document has the promised keys in their order", "[view]") {
  const ordered_json slos = ordered_json::parse(view::slos_json(test::snapshot()));
  REQUIRE(slos.size() == 3);
  std::string keys;
  for (const auto& [key, value] : slos[0].items()) keys += key + " ";
  CHECK(keys ==
        "slo service tier target window budgeting_method good bad total sli burn_rate_5m "
        "burn_rate_1h "
        "burn_rate_24h composite_burn_rate error_budget_consumed error_budget_remaining risk_level "
        "state coverage window_start window_end alerts timestamp release budget_policy forecast "
        "draft p50 p95 "
        "p99 unit windows ");
}

TEST_CASE("The status document carries the numbers exactly", "[view]") {
  const std::string text = view::slos_json(test::snapshot());
  const ordered_json s = ordered_json::parse(text)[0];
  CHECK(s["total"] == 1000000);
  CHECK(s["bad"] == 600);
  CHECK(s["risk_level"] == "FREEZE");
  CHECK(s["state"] == "DEGRADING");
  CHECK(s["window"] == "30d");
  CHECK(s["window_start"] == "2026-01-30T22:00:00Z");
  CHECK(s["window_end"] == "2026-03-01T22:00:00Z");
  CHECK(text.find("\"coverage\": 0.9645061728395061,") != std::string::npos);
  CHECK(text.find("\"target\": 0.999,") != std::string::npos);
  CHECK(s["windows"]["1h"]["bad"] == 60);
  CHECK(s["windows"]["2h"]["total"] == 4000);
  CHECK(s["windows"]["24h"]["burn_rate"] == 2.5);
  CHECK(s["windows"]["5m"]["start"] == "2026-03-01T21:55:00Z");
}

TEST_CASE("Only firing rules are listed as alerts, with what they come from", "[view]") {
  const ordered_json alerts = ordered_json::parse(view::slos_json(test::snapshot()))[0]["alerts"];
  REQUIRE(alerts.size() == 1);
  CHECK(alerts[0]["rule"] == "fast");
  CHECK(alerts[0]["severity"] == "page");
  CHECK(alerts[0]["priority"] == "P0");  // of tier 1
  CHECK(alerts[0]["since"] == "2026-03-01T21:58:00Z");
  CHECK(
      alerts[0]["summary"] ==
      "api-availability: burn rate 30 over 1h (60 bad of 2000) and 25 over 5m (5 bad of 200); rule "
      "fast fires when both exceed 14.4");
}

TEST_CASE("Undefined ratios are null, also where a NaN slipped in", "[view]") {
  const std::string text = view::slos_json(test::snapshot());
  const ordered_json s = ordered_json::parse(text)[1];
  for (const char* key :
       {"sli", "burn_rate_5m", "burn_rate_1h", "burn_rate_24h", "composite_burn_rate",
        "error_budget_consumed", "error_budget_remaining"}) {
    CAPTURE(key);
    CHECK(s[key].is_null());
  }
  CHECK(s["draft"] == true);
  CHECK_FALSE(s.contains("p50"));
  CHECK(text.find("nan") == std::string::npos);
}

TEST_CASE("NDJSON has one valid object a line", "[view]") {
  std::istringstream lines(view::slos_ndjson(test::snapshot()));
  std::string line;
  int count = 0;
  for (; std::getline(lines, line); ++count) CHECK(ordered_json::parse(line).contains("slo"));
  CHECK(count == 3);
}

TEST_CASE("CSV quotes what needs it and leaves undefined ratios empty", "[view]") {
  const std::string csv = view::slos_csv(test::snapshot());
  CHECK(csv.starts_with("slo,service,tier,target,window,budgeting_method,good,bad,total,sli,"));
  CHECK(csv.find("api-availability,api,1,0.999,30d,Occurrences,999400,600,1000000,0.9994,25,30,2.5,"
                 "21.125,0.6,0.4,FREEZE,DEGRADING,0.9645061728395061,2026-01-30T22:00:00Z,"
                 "2026-03-01T22:00:00Z,fast,2026-03-01T22:00:00Z,false,12.5,80,210.25,ms\n") !=
        std::string::npos);
  CHECK(csv.find("Occurrences,0,0,0,,,,,,,,SAFE,NO_DATA,") != std::string::npos);
  CHECK(csv.find("\"checkout \"\"latency\"\"\\p99\n") != std::string::npos);
}

TEST_CASE("Alerts and the agent's own status are valid JSON whatever the logs held", "[view]") {
  std::string text;
  JsonWriter json(text);
  const auto lines = view::alerts_of(test::snapshot());
  REQUIRE_FALSE(lines.empty());
  view::write_alert_line(json, lines.front());
  const ordered_json alert = ordered_json::parse(text);
  CHECK(alert["kind"] == "fired");
  CHECK(alert["sequence"] == 7);
  CHECK(alert["id"] == view::alert_id(lines.front().event));
  CHECK(alert["incident"].is_null());
  const ordered_json agent = ordered_json::parse(view::agent_json(test::snapshot()));
  CHECK(agent["sources"][0]["malformed"]["no_match"] == 4);
  CHECK(agent["sources"][0]["first_malformed"] ==
        "/var/log/nginx/access.log:17: \"GET \xEF\xBF\xBD");
  CHECK(agent["node"] == "node-1");
  Snapshot bare;
  bare.brokers.push_back({"hub", "nats", "a \"quoted\" trouble"});
  bare.brokers.back().denied = {"NATS forbids\nit"};
  const ordered_json brokers = ordered_json::parse(view::agent_json(bare))["brokers"];
  CHECK(brokers[0]["trouble"] == "a \"quoted\" trouble");
  CHECK(brokers[0]["denied"] == ordered_json::array({"NATS forbids\nit"}));
  CHECK(ordered_json::parse(view::agent_json(bare))["store"].is_null());
  CHECK(view::slos_json(bare) == "[]\n");
}

TEST_CASE("A composite shows its parts; what it has not is null, absent or a dash", "[view]") {
  Snapshot snapshot = test::snapshot();
  snapshot.slos = {test::composite_slo()};
  const ordered_json s = ordered_json::parse(view::slos_json(snapshot))[0];
  CHECK(s["target"].is_null());
  CHECK(s["sli"].is_null());
  REQUIRE(s["parts"].size() == 2);
  CHECK(s["parts"][0]["slo"] == "journey-search");
  CHECK(s["parts"][0]["weight"] == 2);
  CHECK(s["parts"][0]["bad"] == 600);
  CHECK(s["parts"][0]["state"] == "DEGRADING");
  CHECK(s["parts"][1]["weight"] == 0.5);
  CHECK(view::slos_csv(snapshot).find("journey,shop,1,,30d,Occurrences,") != std::string::npos);
  const std::string metrics = view::metrics_text(snapshot);
  CHECK(metrics.find("nines_slo_target_ratio{slo=\"journey\"") == std::string::npos);
  CHECK(metrics.find("nines_slo_events_total{slo=\"journey\"") == std::string::npos);
  CHECK(metrics.find("nines_slo_burn_rate{slo=\"journey\"") != std::string::npos);
}
