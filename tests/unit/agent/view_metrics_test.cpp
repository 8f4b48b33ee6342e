#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <set>
#include <sstream>

#include "snapshot_fixture.hpp"
#include "view/metrics_text.hpp"
#include "view/queries_json.hpp"

using namespace nines;
using namespace nines::agent;

namespace {
bool has_line(const std::string& text, const std::string& line) {
  return ("\n" + text).find("\n" + line + "\n") != std::string::npos;
}
}  // namespace

TEST_CASE("Metrics carry counts, ratios, states and alerts of every SLO", "[view]") {
  const std::string text = view::metrics_text(test::snapshot());
  for (
      const char* line :
      {R"(nines_slo_events_total{slo="api-availability",service="api",result="good"} 1500000)",
       R"(nines_slo_events_total{slo="api-availability",service="api",result="bad"} 700)",
       R"(nines_slo_target_ratio{slo="api-availability",service="api"} 0.999)",
       R"(nines_slo_burn_rate{slo="api-availability",service="api",window="1h"} 30)",
       R"(nines_slo_error_budget_remaining_ratio{slo="api-availability",service="api"} 0.4)",
       R"(nines_slo_risk_level{slo="api-availability",service="api"} 3)",
       R"(nines_slo_state{slo="shop-errors",service="shop",state="NO_DATA"} 1)",
       R"(nines_slo_state{slo="shop-errors",service="shop",state="HEALTHY"} 0)",
       R"(nines_alerts_firing{slo="api-availability",service="api",rule="fast",severity="page",priority="P0"} 1)",
       R"(nines_source_malformed_total{source="/var/log/nginx/access.log",reason="no_match"} 4)",
       R"(nines_overflow_policy_total{limit="tailer_lines_cut"} 0)",
       R"(process_resident_memory_bytes 12582912)", R"(process_cpu_seconds_total 1.25)",
       R"(nines_build_info{version="0.1.0",node="node-1"} 1)"}) {
    CAPTURE(line);
    CHECK(has_line(text, line));
  }
}

TEST_CASE("Metrics leave undefined ratios out and escape label values", "[view]") {
  const std::string text = view::metrics_text(test::snapshot());
  CHECK(text.find("nines_slo_sli_ratio{slo=\"shop-errors\"") == std::string::npos);
  CHECK(text.find(R"(slo="checkout \"latency\"\\p99\n)") != std::string::npos);
  CHECK(text.find("null") == std::string::npos);
}

TEST_CASE("Every metric family is declared once, before its samples", "[view]") {
  std::istringstream lines(view::metrics_text(test::snapshot()));
  std::set<std::string> declared;
  std::string line, current;
  while (std::getline(lines, line)) {
    if (line.starts_with("# TYPE ")) {
      current = line.substr(7, line.find(' ', 7) - 7);
      CHECK(declared.insert(current).second);
    } else if (line[0] != '#') {
      CHECK(line.substr(0, line.find_first_of("{ ")) == current);
    }
  }
}

TEST_CASE("Sources of one name are one series, and of two formats two", "[view]") {
  auto snapshot = test::snapshot();
  SourceStatus first = snapshot.sources.front();
  first.name = "/l/web.log";
  first.format = "unknown";  // asked after the one that reads
  first.records = 0;
  first.malformed = {{"no_match", 1}};
  SourceStatus reads = first, other = first;
  reads.format = "combined";
  reads.records = 40;
  reads.malformed = {{"no_match", 2}, {"bad_time", 3}};
  other.format = "json";
  other.records = 2;
  other.malformed = {{"no_match", 4}};
  snapshot.sources = {first, reads, first, other};
  const std::string text = view::metrics_text(snapshot);
  CHECK(has_line(text, R"(nines_source_records_total{source="/l/web.log",format="combined"} 40)"));
  CHECK(has_line(text, R"(nines_source_records_total{source="/l/web.log",format="json"} 2)"));
  CHECK(text.find(R"(format="unknown")") == std::string::npos);
  CHECK(has_line(text, R"(nines_source_malformed_total{source="/l/web.log",reason="no_match"} 8)"));
  CHECK(has_line(text, R"(nines_source_malformed_total{source="/l/web.log",reason="bad_time"} 3)"));
  std::istringstream lines(text);
  std::set<std::string> series;
  for (std::string line; std::getline(lines, line);) {
    if (line.empty() || line[0] == '#') continue;
    CAPTURE(line);
    CHECK(series.insert(line.substr(0, line.rfind(' '))).second);
  }
}

TEST_CASE("promtool has nothing to say against the metrics", "[view]") {
  if (std::system("command -v promtool >/dev/null 2>&1") != 0) {
    std::cerr << "SKIPPED: promtool is not on PATH (Debian package prometheus)\n";
    return;
  }
  const auto file = std::filesystem::temp_directory_path() /
                    ("nines_metrics_" + std::to_string(::getpid()) + ".txt");
  std::ofstream(file) << view::metrics_text(test::snapshot());
  FILE* pipe = ::popen(("promtool check metrics < " + file.string() + " 2>&1").c_str(), "r");
  REQUIRE(pipe != nullptr);
  std::string said;
  char buffer[512];
  while (std::fgets(buffer, sizeof buffer, pipe)) said += buffer;
  const int status = ::pclose(pipe);
  std::filesystem::remove(file);
  CHECK(said == "");
  CHECK(WEXITSTATUS(status) == 0);
}

TEST_CASE("Joins and groups say on /metrics what they gave up", "[view]") {
  Snapshot snapshot = test::snapshot();
  CHECK(view::metrics_text(snapshot).find("nines_join") == std::string::npos);
  slo::EventJoin::Counters counters;
  counters.overflow = 3;
  counters.timed_out = 7;
  snapshot.joins.push_back({"lag", 12, counters});
  snapshot.groups.push_back({"jobs", 20, 5, 2});
  slo::SloStatus row = snapshot.slos.front();
  row.slo = "jobs{email}";
  row.service = "worker";
  row.group_of = "jobs";
  row.group = "email";
  row.good_total = 41;
  snapshot.slos.push_back(row);
  const std::string text = view::metrics_text(snapshot);
  for (const char* line :
       {"nines_join_pending{slo=\"lag\"} 12\n", "nines_join_overflow_total{slo=\"lag\"} 3\n",
        "nines_join_total{slo=\"lag\",kind=\"timed_out\"} 7\n",
        "nines_slo_groups{slo=\"jobs\"} 20\n",
        "nines_group_other_total{slo=\"jobs\",reason=\"overflow\"} 5\n",
        "nines_slo_events_total{slo=\"jobs{email}\",service=\"worker\",group=\"email\","
        "result=\"good\"} 41\n"}) {
    INFO(line);
    CHECK(text.find(line) != std::string::npos);
  }
}

TEST_CASE("What incidents let go for want of room is on /metrics", "[view]") {
  Snapshot snapshot = test::snapshot();
  snapshot.incidents.kept = true;
  snapshot.incidents.dropped = {{"happening", 36}, {"question", 0}};
  snapshot.incidents.fleet = {{"heard", 5}, {"refused", 2}};
  snapshot.incidents.thinning = 3;
  const std::string text = view::metrics_text(snapshot);
  for (const char* line : {"nines_incident_dropped_total{what=\"happening\"} 36\n",
                           "nines_incident_dropped_total{what=\"question\"} 0\n",
                           "nines_incident_fleet_events_total{outcome=\"refused\"} 2\n",
                           "nines_incident_request_thinning 3\n"}) {
    CHECK(text.find(line) != std::string::npos);
  }
}

TEST_CASE("Standing queries say on /metrics and in JSON what ran and what it found", "[view]") {
  Snapshot snapshot = test::snapshot();
  CHECK(view::metrics_text(snapshot).find("nines_query") == std::string::npos);
  QueryStatus query;
  query.name = "login-failures";
  query.sql = "SELECT \"x\"";
  query.every_s = 90;
  query.notify = {"ops"};
  query.runs = 7;
  query.rows = 5;
  query.omitted = 2;
  query.last_run = WallTime::from_s(1'772'323'200);
  query.last_duration_ns = 1'500'000'000;
  query.lag_bytes = 12;
  snapshot.queries = {query};
  const std::string text = view::metrics_text(snapshot);
  for (const char* line : {"nines_query_runs_total{query=\"login-failures\"} 7\n",
                           "nines_query_rows_total{query=\"login-failures\"} 5\n",
                           "nines_query_rows_omitted_total{query=\"login-failures\"} 2\n",
                           "nines_query_lag_bytes{query=\"login-failures\"} 12\n",
                           "nines_query_last_duration_seconds{query=\"login-failures\"} 1.5\n"}) {
    INFO(line);
    CHECK(text.find(line) != std::string::npos);
  }
  const std::string json = view::queries_json(snapshot.queries);
  for (const char* member : {R"("name": "login-failures")", R"("sql": "SELECT \"x\"")",
                             R"("last_run": "2026-03-01T00:00:00Z")", R"("error": null)",
                             R"("last_duration_ms": 1500)"}) {
    INFO(json);
    CHECK(json.find(member) != std::string::npos);
  }
}
