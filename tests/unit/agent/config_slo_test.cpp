// OpenSLO and SLOPolicy documents that are good: what becomes of them.
#include <catch2/catch.hpp>
#include <string>

#include "config_support.hpp"

using namespace nines;
using namespace nines::agent;
using nines::agent::test::all_text;
using nines::agent::test::ConfigFolder;

namespace {

// The three examples of the recommended configuration, as they stand there.
const char* const kDashboard = R"(
apiVersion: openslo/v1
kind: DataSource
metadata: {name: dashboard-access}
spec:
  type: nines.log
  connectionDetails: {format: nginx-combined, kubernetes: {namespace: auditflow, container: event-audit-dashboard}}
---
apiVersion: openslo/v1
kind: SLO
metadata: {name: dashboard-availability, labels: {tier: "1", owner: [platform]}}
spec:
  service: event-audit-dashboard
  description: 99.9 % of user requests answered 2xx over a 30-day rolling window
  budgetingMethod: Occurrences
  timeWindow: [{duration: 30d, isRolling: true}]
  indicator:
    metadata: {name: dashboard-success}
    spec:
      ratioMetric:
        counter: false
        good:  {metricSource: {metricSourceRef: dashboard-access, type: nines.log, spec: {where: "status >= 200 AND status < 300"}}}
        total: {metricSource: {metricSourceRef: dashboard-access, type: nines.log, spec: {where: "path NOT LIKE '/healthz%'"}}}
  objectives: [{displayName: available, target: 0.999}]
)";
const char* const kLatency = R"(
apiVersion: openslo/v1
kind: SLO
metadata: {name: event-processing-latency, labels: {tier: "2"}}
spec:
  service: audit-log-analysis
  description: 99 % of events stored within 500 ms of publishing, over 1 hour
  budgetingMethod: Occurrences
  timeWindow: [{duration: 1h, isRolling: true}]
  indicator:
    metadata: {name: publish-to-stored}
    spec:
      thresholdMetric:
        metricSource:
          type: nines.log
          spec:
            format: json
            kubernetes: {namespace: auditflow, container: audit-log-analysis}
            where: "msg = 'event stored'"
            value: "stored_at - published_at"   # or a field: latency_ms
            unit: ms
            onMissing: skip                     # skip | bad ; malformed lines counted apart
  objectives: [{displayName: fast enough, op: lt, value: 500, target: 0.99}]
)";
const char* const kPolicy = R"(
apiVersion: nines/v1alpha1
kind: SLOPolicy
metadata: {name: default-30d}
spec:
  sloRef: dashboard-availability          # or selector: {tier: "1"}
  burnAlerts:                             # factor = budget% * window / long, validated <= 1/(1-target)
    - {name: fast,   severity: page,   long: 1h,  short: 5m,  budgetPercent: 2}    # 14.4
    - {name: medium, severity: page,   long: 6h,  short: 30m, budgetPercent: 5}    # 6
    - {name: slow,   severity: ticket, long: 24h, short: 2h,  budgetPercent: 10}   # 3
    - {name: drift,  severity: ticket, long: 3d,  short: 6h,  budgetPercent: 10}   # 1
  budgetAlerts: [{consumedPercent: 50, severity: warning, for: 5m}, {consumedPercent: 90, severity: critical, for: 1m}]
  lowTraffic: {minBad: 2, significance: "0.01"}
  resolve: {ratio: "0.9", evaluations: 2, cooldown: 15m}
  data: {lateHorizon: 10m, maxFutureSkew: 60s, minCoverage: "0.9", staleAfter: 2m, onNoData: freeze}
  exclusions:
    - {name: db-migration, from: "2026-03-01T22:00:00Z", to: "2026-03-01T23:30:00Z", reason: planned, effect: drop}
    - {name: weekly, rrule: "FREQ=WEEKLY;BYDAY=SU", start: "03:00", duration: 30m, timeZone: Europe/Berlin, effect: drop}
  gate:
    composite: {5m: "0.40", 1h: "0.35", 24h: "0.25"}
    levels: {observe: "1.0", danger: "1.5", freezeAbove: "2.0"}
    budget: {reduceBelow: "0.50", freezeBelow: "0.10"}
    requireSpent: "0"                     # seed-exact by default; 0.01 recommended against 2-second blips
    holdDown: 10m
    onNoData: observe
    override: {ttl: 4h, requireReason: true, audit: true}
  forecast: {method: regression+expiry, history: 24h, minPoints: 12, horizon: 30d}
)";

const std::string kRatio = R"(
  indicator:
    spec:
      ratioMetric:
        good: {metricSource: {type: nines.log, spec: {where: "status < 500"}}}
        total: {metricSource: {type: nines.log, spec: {paths: [/l]}}}
)";
std::string api_slo(const std::string& rest) {
  return "apiVersion: openslo/v1\nkind: SLO\nmetadata: {name: api}\nspec:\n  service: s" + kRatio +
         rest;
}
const std::string kObjective = "  objectives: [{target: 0.999}]\n";

// Loads and expects no error.
Loaded load(const std::string& text) {
  const ConfigFolder folder;
  Loaded loaded = folder.load_slos(text, "sources: [{name: web, paths: [/w], format: nginx}]");
  INFO(all_text(loaded.diagnostics));
  REQUIRE(loaded.ok());
  return loaded;
}

std::string warnings(const Loaded& loaded) { return all_text(loaded.diagnostics); }

}  // namespace

TEST_CASE("The dashboard example with its policy loads; parts not used yet are told", "[config]") {
  const Loaded loaded = load(std::string(kDashboard) + "---" + kPolicy);
  REQUIRE(loaded.slos.size() == 1);
  const slo::SloSpec& spec = loaded.slos[0];
  CHECK(spec.name == "dashboard-availability");
  CHECK(spec.tier == 1);
  CHECK(spec.owner == "platform");
  CHECK(spec.service == "event-audit-dashboard");
  CHECK(spec.target == Decimal{999, -3});
  CHECK(spec.window_s == 30 * 86400);
  CHECK(spec.indicator.name == "dashboard-success");
  CHECK(spec.indicator.total.source == spec.indicator.part.source);
  CHECK(spec.indicator.total.source.format == "nginx");
  CHECK(spec.indicator.total.source.k8s_namespace == "auditflow");
  CHECK(spec.indicator.part.where == "status >= 200 AND status < 300");
  CHECK_FALSE(spec.indicator.part_is_bad);
  REQUIRE(spec.alerts.rules.size() == 6);
  CHECK(spec.alerts.rules[0].factor == Decimal{144, -1});
  CHECK(spec.alerts.rules[1].factor == Decimal{6, 0});
  CHECK(spec.alerts.rules[2].factor == Decimal{3, 0});
  CHECK(spec.alerts.rules[3].factor == Decimal{1, 0});
  CHECK(spec.alerts.rules[3].short_s == 6 * 3600);
  const slo::AlertRule& gone = spec.alerts.rules[5];
  CHECK(gone.kind == slo::RuleKind::budget);
  CHECK(gone.name == "budget-90");
  CHECK(gone.severity == "critical");
  CHECK(gone.factor == Decimal{9, -1});
  CHECK(gone.for_s == 60);
  CHECK(gone.long_s == spec.window_s);
  CHECK(warnings(loaded).empty());
  slo::ForecastPolicy forecast = slo::default_forecast(30 * 86400);
  forecast.use = slo::ForecastPolicy::Use::regression;
  CHECK(spec.forecast == forecast);
  CHECK(spec.gate.composite == slo::CompositeWeights{});
  CHECK(spec.gate.danger == Decimal{15, -1});
  CHECK(spec.gate.hold_down_s == 600);
  CHECK(spec.gate.on_no_data == slo::OnNoData::observe);
  CHECK(spec.gate.override_ttl_s == 4 * 3600);
  CHECK(spec.gate.override_needs_reason);
  CHECK_THAT(spec.origin, Catch::EndsWith("slo.yaml:9"));
}

TEST_CASE("Levels, weights, hold-down, override and budget steps of a policy are read",
          "[config]") {
  const Loaded loaded = load(api_slo("  objectives: [{target: 0.999}]\n") + R"(---
apiVersion: nines/v1alpha1
kind: SLOPolicy
metadata: {name: p}
spec:
  sloRef: api
  gate:
    composite: {5m: "0.2", 1h: "0.3", 24h: "0.5"}
    levels: {observe: "0.8", danger: "1.2", freezeAbove: "1.8"}
    holdDown: 15m
    onNoData: freeze
    override: {ttl: 30m, requireReason: false}
  errorBudgetPolicy:
    - {remainingBelow: "0.5", name: slow, actions: [pause], severity: ticket}
    - {remainingBelow: "0.1", name: stop, actions: [freeze, "all hands"]}
)");
  REQUIRE(loaded.slos.size() == 1);
  const slo::GatePolicy& gate = loaded.slos[0].gate;
  CHECK(gate.composite.parts == std::array<uint64_t, 3>{200'000'000, 300'000'000, 500'000'000});
  CHECK(gate.observe == Decimal{8, -1});
  CHECK(gate.danger == Decimal{12, -1});
  CHECK(gate.freeze_above == Decimal{18, -1});
  CHECK(gate.hold_down_s == 900);
  CHECK(gate.on_no_data == slo::OnNoData::freeze);
  CHECK(gate.override_ttl_s == 1800);
  CHECK_FALSE(gate.override_needs_reason);
  REQUIRE(gate.steps.size() == 2);
  CHECK(gate.steps[0].name == "stop");  // smallest share first
  CHECK(gate.steps[0].actions == std::vector<std::string>{"freeze", "all hands"});
  CHECK(gate.steps[1].severity == "ticket");
}

namespace {
// The policy of the dashboard's SLO with another forecast.
Loaded with_forecast(const std::string& forecast) {
  const ConfigFolder folder;
  return folder.load_slos(std::string(kDashboard) +
                              "---\napiVersion: nines/v1alpha1\nkind: SLOPolicy\n"
                              "metadata: {name: p}\nspec:\n  sloRef: dashboard-availability\n"
                              "  forecast: " +
                              forecast + "\n",
                          "");
}
}  // namespace

TEST_CASE("A policy says how an SLO is forecast and when it warns", "[config]") {
  const Loaded loaded = with_forecast(
      "{method: seasonal+expiry, history: 2d, minPoints: 20, horizon: 60d,"
      " warning: {within: 2d, minBad: 5, severity: warning}}");
  INFO(all_text(loaded.diagnostics));
  REQUIRE(loaded.ok());
  const slo::ForecastPolicy& f = loaded.slos[0].forecast;
  CHECK(f.use == slo::ForecastPolicy::Use::seasonal);
  CHECK(f.history_s == 2 * 86400);
  CHECK(f.min_points == 20);
  CHECK(f.horizon_s == 60 * 86400);
  CHECK(f.warn_within_s == 2 * 86400);
  CHECK(f.warn_min_bad == 5);
  CHECK(f.warn_severity == "warning");
  CHECK(with_forecast("{warning: {within: 0s}}").slos[0].forecast.warn_within_s == 0);
  CHECK(with_forecast("{method: auto}").slos[0].forecast == slo::default_forecast(30 * 86400));
}

TEST_CASE("A forecast that cannot be made is refused with its place", "[config]") {
  const auto refused = [](const std::string& forecast) {
    const Loaded loaded = with_forecast(forecast);
    CHECK_FALSE(loaded.ok());
    return all_text(loaded.diagnostics);
  };
  CHECK_THAT(refused("{method: crystal}"), Catch::Contains("crystal"));
  CHECK_THAT(refused("{history: 6h}"),
             Catch::Contains("needs 12 points") && Catch::Contains("has only 6"));
  CHECK_THAT(refused("{horizon: 1h}"), Catch::Contains("looks no further"));
  CHECK_THAT(refused("{warning: {severity: page}}"), Catch::Contains("page"));
  CHECK_THAT(refused("{warning: {beyond: 1h}}"), Catch::Contains("beyond"));
  CHECK_THAT(refused("{minPoints: 2}"), Catch::Contains("minPoints"));
  CHECK_THAT(refused("tomorrow"), Catch::Contains("forecast of SLOPolicy"));
}

TEST_CASE("The processing latency example loads", "[config]") {
  const Loaded loaded = load(kLatency);
  CHECK(loaded.diagnostics.empty());
  REQUIRE(loaded.slos.size() == 1);
  const slo::SloSpec& spec = loaded.slos[0];
  CHECK(spec.indicator.kind == slo::SliKind::threshold);
  CHECK(spec.indicator.value == "stored_at - published_at");
  CHECK(spec.indicator.unit == "ms");
  CHECK(spec.indicator.on_missing == slo::OnMissing::skip);
  CHECK(spec.op == slo::CompareOp::lt);
  CHECK(spec.threshold == Decimal{500, 0});
  CHECK(spec.window_s == 3600);
  const slo::AlertPolicy usual = slo::default_policy(3600, spec.target);
  CHECK(spec.alerts.rules.size() == usual.rules.size());
}

TEST_CASE("The shipped examples load without a word", "[config]") {
  const std::string folder = std::string(NINES_SOURCE_DIR) + "/packaging/examples";
  const Loaded loaded = load_config(folder + "/nines.yaml", {});
  INFO(all_text(loaded.diagnostics));
  CHECK(loaded.diagnostics.empty());
  CHECK(loaded.slos.size() == 5);
}

TEST_CASE("The same SLO in JSON is the same SLO", "[config]") {
  const ConfigFolder folder;
  const std::string file = folder.write("a.json", R"({
	"apiVersion": "openslo/v1", "kind": "SLO", "metadata": {"name": "api"},
	"spec": {"service": "s", "budgetingMethod": "Occurrences",
		"timeWindow": [{"duration": "7d", "isRolling": true}],
		"indicator": {"spec": {"ratioMetric": {
			"bad": {"metricSource": {"type": "nines.log", "spec": {"where": "path = \"a\/b\""}}},
			"total": {"metricSource": {"type": "nines.log", "spec": {"paths": ["\/l"]}}}}}},
		"objectives": [{"targetPercent": 99.5}]}})");
  const std::vector<std::string> paths = {file};
  const Loaded loaded = load_config(folder.write("nines.yaml", ""), paths);
  INFO(all_text(loaded.diagnostics));
  REQUIRE(loaded.ok());
  REQUIRE(loaded.slos.size() == 1);
  CHECK(loaded.slos[0].target == Decimal{995, -3});
  CHECK(loaded.slos[0].indicator.part_is_bad);
  CHECK(loaded.slos[0].indicator.part.where == "path = \"a/b\"");
  CHECK(loaded.slos[0].indicator.part.source.paths == std::vector<std::string>{"/l"});
}

TEST_CASE("Several objectives become one SLO each, named after their displayNames", "[config]") {
  const Loaded loaded =
      load(api_slo("  objectives:\n    - {displayName: Internal Objective, target: 0.995}\n"
                   "    - {displayName: SLA, targetPercent: 99}\n"));
  REQUIRE(loaded.slos.size() == 2);
  CHECK(loaded.slos[0].name == "api-internal-objective");
  CHECK(loaded.slos[1].name == "api-sla");
  CHECK(loaded.slos[0].generation() != "");
}

TEST_CASE("A source of nines.yaml is used by name", "[config]") {
  const Loaded loaded = load(R"(
apiVersion: openslo/v1
kind: SLI
metadata: {name: ok}
spec:
  ratioMetric:
    good: {metricSource: {type: nines.log, spec: {source: web, where: status < 500}}}
    total: {metricSource: {type: nines.log, spec: {source: web}}}
---
apiVersion: openslo/v1
kind: Service
metadata: {name: shop, displayName: The Shop}
---
apiVersion: openslo/v1
kind: SLO
metadata: {name: a}
spec: {service: shop, indicatorRef: ok, objectives: [{target: "0.99"}]}
)");
  CHECK(loaded.diagnostics.empty());
  REQUIRE(loaded.slos.size() == 1);
  CHECK(loaded.slos[0].indicator.name == "ok");
  CHECK(loaded.slos[0].indicator.total.source.name == "web");
  CHECK(loaded.slos[0].indicator.total.source.paths == std::vector<std::string>{"/w"});
  CHECK(loaded.slos[0].indicator.total.where.empty());
}

TEST_CASE("An OpenSLO burn-rate condition becomes a multi-window rule", "[config]") {
  const Loaded loaded = load(api_slo(kObjective + R"(  alertPolicies:
    - alertPolicyRef: burn
---
apiVersion: openslo/v1
kind: AlertPolicy
metadata: {name: burn}
spec:
  alertWhenBreaching: true
  alertWhenResolved: false
  conditions: [{conditionRef: fast}]
  notificationTargets: [{targetRef: mail}]
---
apiVersion: openslo/v1
kind: AlertCondition
metadata: {name: fast}
spec:
  severity: critical
  condition: {kind: burnrate, op: gte, threshold: 14.4, lookbackWindow: 1h, alertAfter: 5m}
---
apiVersion: openslo/v1
kind: AlertNotificationTarget
metadata: {name: mail}
spec: {target: email}
)"));
  REQUIRE(loaded.slos.size() == 1);
  REQUIRE(loaded.slos[0].alerts.rules.size() == 1);
  const slo::AlertRule& rule = loaded.slos[0].alerts.rules[0];
  CHECK(rule.name == "fast");
  CHECK(rule.severity == "page");
  CHECK(rule.long_s == 3600);
  CHECK(rule.short_s == 300);
  CHECK(rule.factor == Decimal{144, -1});
  CHECK_THAT(warnings(loaded), Catch::Contains("is taken as the short window"));
  CHECK_THAT(warnings(loaded),
             Catch::Contains(
                 "AlertPolicy 'burn' notifies 'mail', but nines.yaml has no webhook of that name"));
}

TEST_CASE("OpenSLO's own inline alert policy loads; its op lte cannot be used and that is told",
          "[config]") {
  const Loaded loaded = load(api_slo(kObjective + R"(  alertPolicies:
    - apiVersion: openslo/v1
      kind: AlertPolicy
      metadata:
        name: AlertPolicy
        displayName: Alert Policy
      spec:
        description: Alert policy for cpu usage breaches, notifies on-call devops via email
        alertWhenBreaching: true
        alertWhenResolved: false
        conditions:
          - kind: AlertCondition
            metadata:
              name: cpu-usage-breach
              displayName: CPU Usage breaching
            spec:
              description: SLO burn rate for cpu-usage-breach exceeds 2
              severity: page
              condition:
                kind: burnrate
                op: lte
                threshold: 2
                lookbackWindow: 1h
                alertAfter: 5m
        notificationTargets:
          - targetRef: on-call-devops-mail-notification
)"));
  CHECK_THAT(warnings(loaded), Catch::Contains("alerts while the burn rate is low (op: lte)"));
  CHECK_THAT(warnings(loaded), Catch::Contains("the default burn alerts apply"));
  const auto usual = slo::default_policy(30 * 86400, Decimal{999, -3});
  CHECK(loaded.slos[0].alerts.rules.size() == usual.rules.size());
}

TEST_CASE("The example SLO of the OpenSLO README loads when its sources are logs", "[config]") {
  const Loaded loaded = load(R"(
apiVersion: openslo/v1
kind: SLO
metadata:
  name: foo-slo
  displayName: Foo SLO
  labels: {organization: "acme", team: ["identity", "rbac"], serviceTier: ["tier-1"]}
  annotations: {openslo.com/key1: value1}
spec:
  service: foo
  indicator:
    metadata:
      name: foo-error
      displayName: Foo Error
    spec:
      ratioMetric:
        counter: true
        good:
          metricSource:
            metricSourceRef: logs
            spec:
              where: status = 200
        total:
          metricSource:
            metricSourceRef: logs
  objectives:
    - displayName: Foo Total Errors
      target: 0.98
---
apiVersion: openslo/v1
kind: DataSource
metadata: {name: logs, displayName: Access logs}
spec: {description: all, type: nines.log, connectionDetails: {source: web}}
---
apiVersion: openslo/v1
kind: AlertNotificationTarget
metadata: {name: OnCallDevopsMailNotification}
spec: {description: Notifies by a mail message to the on-call devops mailing group, target: email}
)");
  REQUIRE(loaded.slos.size() == 1);
  CHECK(loaded.slos[0].name == "foo-slo");
  CHECK(loaded.slos[0].window_s == 30 * 86400);
  CHECK(loaded.slos[0].indicator.total.source.name == "web");
}

TEST_CASE("OpenSLO's latency example is refused only for its foreign metric source", "[config]") {
  const ConfigFolder folder;
  const Loaded loaded = folder.load_slos(R"(
apiVersion: openslo/v1
kind: SLO
metadata:
  name: search-slo
  displayName: Searching time
spec:
  description: Regardless of the number of paraller searches it never should be more than 500ms.
  service: web-shop
  indicator:
    metadata:
      name: search-latency
      displayName: Latency of user searches
    spec:
      thresholdMetric:
        metricSource:
          type: Any # Any service with needed metrics.
          spec: # Fields necessary to query service for the data.
            query: Any # 'query' is just an example field.
  timeWindow:
    - duration: 2w # Two weeks is a good choice in most cases.
      isRolling: true
  budgetingMethod: Occurrences
  objectives:
    - displayName: Good experience
      op: lt
      value: 500
      target: 0.99
  alertPolicies: # Doesn't matter in this example but you should have something in here.
)");
  REQUIRE(loaded.diagnostics.size() == 1);
  CHECK(loaded.diagnostics[0].line == 17);
  CHECK_THAT(loaded.diagnostics[0].message,
             Catch::Contains("type 'Any', which Nines does not read"));
}

TEST_CASE("A policy by tier applies to its tier; a policy by name wins", "[config]") {
  const std::string documents = std::string(kDashboard) + "---" + kLatency + R"(---
apiVersion: nines/v1alpha1
kind: SLOPolicy
metadata: {name: all}
spec:
  selector: {tier: ["1", "2"]}
  lowTraffic: {minBad: 5}
---
apiVersion: nines/v1alpha1
kind: SLOPolicy
metadata: {name: one}
spec:
  sloRef: event-processing-latency
  burnAlerts: [{name: f, severity: page, long: 30m, short: 5m, budgetPercent: 70}]
  data: {staleAfter: 5m}
)";
  const Loaded loaded = load(documents);
  CHECK(loaded.diagnostics.empty());
  REQUIRE(loaded.slos.size() == 2);
  CHECK(loaded.slos[0].alerts.min_bad == 5);
  CHECK(loaded.slos[0].alerts.rules.size() == 4);
  CHECK(loaded.slos[1].alerts.min_bad == 2);
  REQUIRE(loaded.slos[1].alerts.rules.size() == 1);
  CHECK(loaded.slos[1].alerts.rules[0].factor == Decimal{14, -1});
  CHECK(loaded.slos[1].data.stale_after_s == 300);
}

TEST_CASE("A factor without an end is rounded to six places", "[config]") {
  const Loaded loaded =
      load(api_slo("  timeWindow: [{duration: 28d, isRolling: true}]\n" + kObjective) +
           "---\napiVersion: nines/v1alpha1\nkind: SLOPolicy\nmetadata: {name: p}\n"
           "spec: {sloRef: api, burnAlerts: [{name: d, severity: ticket, long: 3d, "
           "short: 6h, budgetPercent: 10}]}\n");
  CHECK(loaded.slos[0].alerts.rules[0].factor == Decimal{933333, -6});
}

TEST_CASE("Folders give their documents in the order of names; files are read once", "[config]") {
  const ConfigFolder folder;
  const std::string first = folder.write("slos/a.yaml", api_slo(kObjective));
  folder.write("slos/b.yml", kLatency);
  folder.write("slos/notes.txt", "not: [a document");
  folder.write("slos/.hidden.yaml", "not: [a document");
  const std::string config = folder.write("nines.yaml", "");
  const std::vector<std::string> again = {folder.path() + "/slos", first};
  const Loaded loaded = load_config(config, again);
  INFO(all_text(loaded.diagnostics));
  CHECK(loaded.diagnostics.empty());
  REQUIRE(loaded.slos.size() == 2);
  CHECK(loaded.slos[0].name == "api");
  CHECK(loaded.node.slo_paths.size() == 1);
}

TEST_CASE("A missing --slo path is an error, an empty folder a warning", "[config]") {
  const ConfigFolder folder;
  const std::string config = folder.write("nines.yaml", "");
  const std::vector<std::string> missing = {folder.path() + "/none"};
  const Loaded failed = load_config(config, missing);
  CHECK_FALSE(failed.ok());
  CHECK_THAT(all_text(failed.diagnostics),
             Catch::Contains("No such file") && Catch::Contains("--slo"));
  folder.write("empty/readme.txt", "x");
  const std::vector<std::string> empty = {folder.path() + "/empty"};
  const Loaded warned = load_config(config, empty);
  CHECK(warned.ok());
  CHECK_THAT(all_text(warned.diagnostics), Catch::Contains("no SLO documents here"));
}

TEST_CASE("More SLOs than limits.slos are refused", "[config]") {
  const ConfigFolder folder;
  const Loaded loaded =
      folder.load_slos(std::string(kDashboard) + "---" + kLatency, "limits: {slos: 1}");
  CHECK_FALSE(loaded.ok());
  CHECK_THAT(all_text(loaded.diagnostics),
             Catch::Contains("there are 2 SLOs, but limits.slos is 1"));
}

TEST_CASE("An SLO with mistakes does not hide those of the next", "[config]") {
  const ConfigFolder folder;
  const Loaded loaded = folder.load_slos(
      "apiVersion: openslo/v1\nkind: SLO\nmetadata: {name: a}\nspec: {servce: s, objectives: "
      "[{target: 2}]}\n"
      "---\napiVersion: openslo/v1\nkind: SLO\nmetadata: {name: b}\nspec: {indicatorRef: x}\n");
  CHECK(loaded.slos.empty());
  CHECK(loaded.diagnostics.size() == 7);
}

TEST_CASE("A calendar month in its zone, sliced by minutes, loads", "[config]") {
  const Loaded loaded = load(R"(
apiVersion: openslo/v1
kind: SLO
metadata: {name: web}
spec:
  service: web
  budgetingMethod: Timeslices
  timeWindow:
    - duration: 1M
      isRolling: false
      calendar: {startTime: "2026-01-01 00:00:00", timeZone: UTC}
  indicator:
    spec:
      ratioMetric:
        good: {metricSource: {type: nines.log, spec: {source: web, where: "status < 500"}}}
        total: {metricSource: {type: nines.log, spec: {source: web}}}
  objectives: [{target: 0.99, timeSliceTarget: 0.95, timeSliceWindow: 5m}]
---
apiVersion: nines/v1alpha1
kind: SLOPolicy
metadata: {name: p}
spec:
  sloRef: web
  reservedBudget: "0.2"
  exclusions:
    - {name: db-migration, from: "2026-03-01T22:00:00Z", to: "2026-03-02T00:30:00+01:00", reason: planned}
    - {name: weekly, rrule: "FREQ=WEEKLY;BYDAY=SU", start: "03:00", duration: 30m, timeZone: UTC, effect: reserve}
)");
  CHECK(warnings(loaded).empty());
  REQUIRE(loaded.slos.size() == 1);
  const slo::SloSpec& spec = loaded.slos[0];
  CHECK(spec.budgeting == slo::Budgeting::timeslices);
  CHECK(spec.slices.slice_s == 300);
  CHECK(spec.slices.target == Decimal{95, -2});
  REQUIRE(spec.calendar != nullptr);
  CHECK(spec.calendar->start_of(1'772'402'400) == 1'772'323'200);  // 2026-03-01
  CHECK(spec.window_s == 30 * 86400);
  REQUIRE(spec.exclusions.size() == 2);
  CHECK(spec.exclusions[0].once == slo::Interval{1'772'402'400, 1'772'407'800});
  CHECK(spec.exclusions[0].reason == "planned");
  CHECK(spec.exclusions[1].effect == slo::ExclusionEffect::reserve);
  REQUIRE(spec.exclusions[1].rule != nullptr);
  CHECK(spec.exclusions[1].text == "FREQ=WEEKLY;BYDAY=SU 03:00 UTC for 30m");
  CHECK(spec.reserve == Decimal{2, -1});
}
