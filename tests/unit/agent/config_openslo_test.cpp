// OpenSLO documents in all the forms that the specification and its SDK use: lists, JSON, v1alpha,
// composites. The documents are written here after those forms.
#include <algorithm>
#include <catch2/catch.hpp>
#include <string>

#include "config_support.hpp"

using namespace nines;
using namespace nines::agent;
using nines::agent::test::all_text;
using nines::agent::test::ConfigFolder;

namespace {

const char* const kWeb = "sources:\n  - {name: web, paths: [/var/log/web.log], format: json}\n";

Decimal dec(const char* text) { return *Decimal::parse(text); }

size_t warnings(const Loaded& loaded, const std::string& words) {
  return static_cast<size_t>(
      std::count_if(loaded.diagnostics.begin(), loaded.diagnostics.end(), [&](const auto& d) {
        return d.severity == Diagnostic::Severity::warning &&
               d.message.find(words) != std::string::npos;
      }));
}

const char* const kComposite = R"(
apiVersion: openslo/v1
kind: SLI
metadata: {name: pay-ok}
spec:
  ratioMetric:
    bad:   {metricSource: {type: nines.log, spec: {source: web, where: "status >= 500"}}}
    total: {metricSource: {type: nines.log, spec: {source: web, where: "path = '/pay'"}}}
---
apiVersion: openslo/v1
kind: SLO
metadata: {name: journey, labels: {tier: "1"}}
spec:
  service: shop
  budgetingMethod: Occurrences
  timeWindow: [{duration: 7d, isRolling: true}]
  objectives:
    - displayName: Search is fast
      target: 0.95
      op: lte
      value: 300
      compositeWeight: 0.5
      indicator:
        metadata: {name: search-latency}
        spec:
          thresholdMetric:
            metricSource: {type: nines.log, spec: {source: web, where: "path = '/search'", value: ms}}
    - {target: 0.999, indicatorRef: pay-ok}
)";

}  // namespace

TEST_CASE("Objectives with indicators of their own make a composite and an SLO for each part",
          "[config]") {
  const Loaded loaded = ConfigFolder().load_slos(kComposite, kWeb);
  INFO(all_text(loaded.diagnostics));
  REQUIRE(loaded.ok());
  REQUIRE(loaded.slos.size() == 3);
  const slo::SloSpec& search = loaded.slos[0];
  CHECK(search.name == "journey-search-is-fast");
  CHECK(search.part_of == "journey");
  CHECK(search.target == dec("0.95"));
  CHECK(search.window_s == 7 * 86400);
  CHECK(search.indicator.value == "ms");
  CHECK(search.threshold == dec("300"));
  CHECK_FALSE(search.alerts.rules.empty());
  const slo::SloSpec& pay = loaded.slos[1];
  CHECK(pay.name == "journey-pay-ok");  // named by its SLI
  CHECK(pay.indicator.part_is_bad);
  const slo::SloSpec& whole = loaded.slos[2];
  CHECK(whole.name == "journey");
  CHECK(whole.tier == 1);
  CHECK(whole.alerts.rules.empty());
  REQUIRE(whole.composite.parts.size() == 2);
  CHECK(whole.composite.parts[0] == slo::CompositePart{"journey-search-is-fast", dec("0.5")});
  CHECK(whole.composite.parts[1] == slo::CompositePart{"journey-pay-ok", dec("1")});
}

TEST_CASE("A policy for a composite gives its rules to the parts and its gate to all", "[config]") {
  const std::string policy = std::string(kComposite) +
                             "---\napiVersion: nines/v1alpha1\nkind: SLOPolicy\n"
                             "metadata: {name: p}\nspec:\n  sloRef: journey\n"
                             "  burnAlerts: [{name: fast, severity: page, long: 1h, short: 5m, "
                             "factor: 10}]\n  gate: {requireSpent: 0.25}\n";
  const Loaded loaded = ConfigFolder().load_slos(policy, kWeb);
  INFO(all_text(loaded.diagnostics));
  REQUIRE(loaded.ok());
  REQUIRE(loaded.slos.size() == 3);
  for (size_t i = 0; i < 2; ++i) {
    REQUIRE(loaded.slos[i].alerts.rules.size() == 1);
    CHECK(loaded.slos[i].alerts.rules[0].factor == dec("10"));
  }
  CHECK(loaded.slos[2].alerts.rules.empty());
  for (const auto& spec : loaded.slos) CHECK(spec.gate.require_spent == dec("0.25"));
}

TEST_CASE("A composite written as OpenSLO loads back the same", "[config]") {
  const ConfigFolder folder;
  const Loaded first = folder.load_slos(kComposite, kWeb);
  REQUIRE(first.ok());
  const std::string yaml = to_openslo_yaml(first.slos);
  INFO(yaml);
  const Loaded second = folder.load_slos(yaml, kWeb);
  INFO(all_text(second.diagnostics));
  REQUIRE(second.ok());
  REQUIRE(second.slos.size() == first.slos.size());
  for (size_t i = 0; i < first.slos.size(); ++i) {
    CHECK(second.slos[i].name == first.slos[i].name);
    CHECK(second.slos[i].part_of == first.slos[i].part_of);
    CHECK(second.slos[i].target == first.slos[i].target);
    CHECK(second.slos[i].generation() == first.slos[i].generation());
    CHECK(second.slos[i].composite == first.slos[i].composite);
  }
  CHECK(to_openslo_yaml(second.slos) == yaml);
}

TEST_CASE("Documents come as a list, as items of a List, as JSON, one or several in a file",
          "[config]") {
  const std::string service = R"({"apiVersion": "openslo/v1", "kind": "Service",
    "metadata": {"name": "shop", "labels": {"env": ["prod"]}}, "spec": {"description": "x"}})";
  const std::string slo = R"({"apiVersion": "openslo/v1", "kind": "SLO",
    "metadata": {"name": "up", "annotations": {"openslo.com/folder": "./x"}},
    "spec": {"service": "shop", "budgetingMethod": "Occurrences",
      "timeWindow": [{"duration": "4w", "isRolling": true}],
      "indicator": {"metadata": {"name": "ok"}, "spec": {"ratioMetric": {"counter": true,
        "good": {"metricSource": {"type": "nines.log", "spec": {"source": "web", "where": "status < 500"}}},
        "total": {"metricSource": {"type": "nines.log", "spec": {"source": "web"}}}}}},
      "objectives": [{"displayName": "Good", "target": 0.995}]}})";
  const std::string forms[] = {
      slo, "[" + service + ",\n" + slo + "]", "- " + service + "\n- " + slo + "\n",
      service + "\n---\n" + slo,
      R"({"apiVersion": "v1", "kind": "List", "items": [)" + service + ", " + slo + "]}"};
  for (const std::string& form : forms) {
    const ConfigFolder folder;
    const std::string config = folder.write("nines.yaml", kWeb);
    for (const char* name : {"slos/a.yaml", "slos/a.json"}) {
      const ConfigFolder documents;
      const std::vector<std::string> paths = {
          documents.write(name, form).substr(0, documents.path().size() + 5)};
      const Loaded loaded = load_config(config, paths);
      INFO(name << "\n" << form << "\n" << all_text(loaded.diagnostics));
      REQUIRE(loaded.ok());
      CHECK(loaded.diagnostics.empty());
      REQUIRE(loaded.slos.size() == 1);
      CHECK(loaded.slos[0].name == "up");
      CHECK(loaded.slos[0].window_s == 28 * 86400);
    }
  }
}

TEST_CASE("A v1alpha SLO is read as the v1 SLO that it means, with a warning", "[config]") {
  const Loaded loaded = ConfigFolder().load_slos(R"(
apiVersion: openslo/v1alpha
kind: SLO
metadata: {name: web, displayName: Web}
spec:
  service: shop
  description: most requests work
  budgetingMethod: Occurrences
  timeWindows: [{unit: Week, count: 2}]
  objectives:
    - displayName: Works
      target: 0.99
      ratioMetrics:
        incremental: true
        good: {source: web, queryType: where, query: status < 500}
        total: {source: web, queryType: where, query: ""}
    - displayName: Well
      target: 0.9
      ratioMetrics:
        good: {source: web, queryType: where, query: status < 400}
        total: {source: web, queryType: where, query: ""}
---
apiVersion: openslo/v1alpha
kind: SLO
metadata: {name: fast}
spec:
  service: shop
  timeWindows: [{unit: Day, count: 30, isRolling: true}]
  indicator: {thresholdMetric: {source: web, queryType: where, query: "path = '/'"}}
  objectives: [{displayName: Good, value: 200.0, op: lt, target: 0.98}]
---
apiVersion: openslo/v1alpha
kind: Service
metadata: {name: shop, displayName: Shop}
spec: {description: x}
)",
                                                 kWeb);
  INFO(all_text(loaded.diagnostics));
  CHECK(warnings(loaded, "openslo/v1alpha is read as the openslo/v1") == 3);
  // A v1alpha threshold has no place for what is measured: the one error says so.
  CHECK_FALSE(loaded.ok());
  CHECK(all_text(loaded.diagnostics).find("thresholdMetric of SLO 'fast' has no 'value'") !=
        std::string::npos);
  REQUIRE(loaded.slos.size() == 2);
  CHECK(loaded.slos[0].name == "web-works");
  CHECK(loaded.slos[0].window_s == 14 * 86400);
  CHECK(loaded.slos[0].indicator.part.where == "status < 500");
  CHECK(loaded.slos[0].indicator.total.source.name == "web");
  CHECK(loaded.slos[1].name == "web-well");
  CHECK(loaded.slos[1].target == dec("0.9"));
}

TEST_CASE("A notification target is a note unless a webhook has its name", "[config]") {
  const std::string documents = R"(
apiVersion: openslo/v1
kind: AlertNotificationTarget
metadata: {name: on-call}
spec: {target: pagerduty, description: wakes somebody}
---
apiVersion: openslo/v1
kind: AlertPolicy
metadata: {name: page}
spec:
  alertWhenBreaching: true
  conditions:
    - kind: AlertCondition
      metadata: {name: burn}
      spec: {severity: page, condition: {kind: burnrate, op: gt, threshold: 2, lookbackWindow: 1h}}
  notificationTargets:
    - {targetRef: on-call}
    - kind: AlertNotificationTarget
      metadata: {name: chat}
      spec: {target: slack}
)";
  const ConfigFolder folder;
  const Loaded none = folder.load_slos(documents);
  CHECK(none.ok());
  CHECK(warnings(none, "notifies 'on-call', but nines.yaml has no webhook") == 1);
  CHECK(warnings(none, "notifies 'chat', but nines.yaml has no webhook") == 1);
  const Loaded one =
      folder.load_slos(documents, "webhooks: [{name: on-call, url: \"https://x.example\"}]\n");
  INFO(all_text(one.diagnostics));
  CHECK(warnings(one, "notifies 'on-call'") == 0);
  CHECK(warnings(one, "notifies 'chat'") == 1);
}

TEST_CASE("What OpenSLO's SDK shows of foreign systems is refused by name, not misread",
          "[config]") {
  const Loaded loaded = ConfigFolder().load_slos(R"(
- apiVersion: openslo/v1
  kind: DataSource
  metadata: {name: metrics}
  spec: {type: Prometheus, connectionDetails: [{url: "http://prometheus.example.com"}]}
- apiVersion: openslo/v1
  kind: SLI
  metadata: {name: lag}
  spec:
    thresholdMetric:
      metricSource: {metricSourceRef: metrics, type: Prometheus, spec: {query: "avg_lag"
}
}
- apiVersion: openslo/v1
  kind: SLI
  metadata: {name: ready-made}
  spec:
    ratioMetric: {rawType: success, raw: {metricSource: {type: Prometheus, spec: {query: x}}}}
)");
  const std::string text = all_text(loaded.diagnostics);
  INFO(text);
  CHECK(warnings(loaded, "DataSource 'metrics' of type 'Prometheus' is not used") == 1);
  CHECK(text.find("thresholdMetric of SLI 'lag' has metricSource type 'Prometheus'") !=
        std::string::npos);
  CHECK(text.find("a ready-made ratio has no events to count") != std::string::npos);
}

TEST_CASE("Calendar windows, slices of time, exclusions and reserves are exported as they were",
          "[config]") {
  const ConfigFolder folder;
  const Loaded first = folder.load_slos(R"(
apiVersion: openslo/v1
kind: SLO
metadata: {name: up}
spec:
  service: shop
  budgetingMethod: Timeslices
  timeWindow:
    - duration: 1M
      isRolling: false
      calendar: {startTime: "2026-01-15 06:00:00", timeZone: UTC}
  indicator:
    spec:
      ratioMetric:
        good:  {metricSource: {type: nines.log, spec: {source: web, where: "status < 500"}}}
        total: {metricSource: {type: nines.log, spec: {source: web}}}
  objectives: [{target: 0.99, timeSliceTarget: 0.9, timeSliceWindow: 5m}]
---
apiVersion: nines/v1alpha1
kind: SLOPolicy
metadata: {name: p}
spec:
  sloRef: up
  reservedBudget: "0.2"
  exclusions:
    - {name: move, from: "2026-03-01T22:00:00Z", to: "2026-03-01T23:30:00Z", reason: "a: b", effect: reserve}
    - {name: weekly, rrule: "FREQ=WEEKLY;BYDAY=SU", start: "03:00", duration: 30m, timeZone: UTC}
    - {name: odd, rrule: "FREQ=DAILY;INTERVAL=2", start: "04:00", duration: 1h, from: "2026-01-01 00:00:00"}
)",
                                        kWeb);
  INFO(all_text(first.diagnostics));
  REQUIRE(first.ok());
  REQUIRE(first.slos.size() == 1);
  const std::string yaml = to_openslo_yaml(first.slos);
  INFO(yaml);
  const Loaded second = folder.load_slos(yaml, kWeb);
  INFO(all_text(second.diagnostics));
  REQUIRE(second.ok());
  const slo::SloSpec& a = first.slos[0];
  const slo::SloSpec& b = second.slos[0];
  CHECK(b.budgeting == slo::Budgeting::timeslices);
  CHECK(b.slices.slice_s == 300);
  CHECK(b.slices.target == dec("0.9"));
  CHECK(b.reserve == dec("0.2"));
  REQUIRE(b.calendar != nullptr);
  CHECK(b.calendar->anchor_s() == a.calendar->anchor_s());
  CHECK(b.calendar->unit() == a.calendar->unit());
  CHECK(b.calendar->zone().name() == a.calendar->zone().name());
  REQUIRE(b.exclusions.size() == 3);
  for (size_t i = 0; i < 3; ++i) {
    CHECK(b.exclusions[i].name == a.exclusions[i].name);
    CHECK(b.exclusions[i].text == a.exclusions[i].text);
    CHECK(b.exclusions[i].reason == a.exclusions[i].reason);
    CHECK(b.exclusions[i].effect == a.exclusions[i].effect);
  }
  CHECK(to_openslo_yaml(second.slos) == yaml);
}

TEST_CASE("Composites are summed by events only", "[config]") {
  std::string text = kComposite;
  text.replace(text.find("Occurrences"), 11, "RatioTimeslices");
  const Loaded loaded = ConfigFolder().load_slos(text, kWeb);
  CHECK_FALSE(loaded.ok());
  CHECK(all_text(loaded.diagnostics).find("only Occurrences can be summed by weight") !=
        std::string::npos);
}
