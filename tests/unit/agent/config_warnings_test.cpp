// Early warnings of an SLOPolicy: read, shown, and exported.
#include <algorithm>
#include <catch2/catch.hpp>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "config/templates.hpp"
#include "config_support.hpp"
#include "nines/slo/changes.hpp"
#include "nines/slo/engine.hpp"
#include "snapshot_fixture.hpp"
#include "view/explain.hpp"
#include "view/status_json.hpp"

using namespace nines;
using namespace nines::agent;
using test::all_text;
using test::ConfigFolder;

namespace {

const std::string kSlo = R"(apiVersion: openslo/v1
kind: SLO
metadata: {name: shop-answers, labels: {tier: "2"}}
spec:
  service: shop
  budgetingMethod: Occurrences
  timeWindow: [{duration: 30d, isRolling: true}]
  indicator:
    spec:
      ratioMetric:
        good: {metricSource: {type: nines.log, spec: {where: "status < 500"}}}
        total: {metricSource: {type: nines.log, spec: {paths: [/l]}}}
  objectives: [{target: 0.999}]
)";

Loaded with_policy(const std::string& keys) {
  const ConfigFolder folder;
  return folder.load_slos(kSlo + "---\napiVersion: nines/v1alpha1\nkind: SLOPolicy\n" +
                          "metadata: {name: p}\nspec:\n  sloRef: shop-answers\n" + keys);
}

std::vector<slo::AlertRule> of_kind(const slo::SloSpec& spec, slo::RuleKind kind) {
  std::vector<slo::AlertRule> out;
  std::copy_if(spec.alerts.rules.begin(), spec.alerts.rules.end(), std::back_inserter(out),
               [&](const auto& rule) { return rule.kind == kind; });
  return out;
}

// 0.69 % bad in the last five minutes, 1 % in those of five minutes before.
slo::RuleState early_rule() {
  slo::RuleState r;
  r.rule = {"early", "warning", 300, 300, *Decimal::parse("0.995"), slo::RuleKind::threshold, 300};
  r.long_window = {300, {9931, 69, 300, test::at(test::kNow - 300), test::at(test::kNow)}, 6.9};
  r.short_window = {
      300, {990, 10, 300, test::at(test::kNow - 600), test::at(test::kNow - 300)}, 10.0};
  r.firing = true;
  r.since = test::at(test::kNow);
  return r;
}

// What stands between the fence that is followed by a policy and the next one.
std::string policy_of_readme() {
  std::ifstream file(std::string(NINES_SOURCE_DIR) + "/README.md");
  std::stringstream text;
  text << file.rdbuf();
  const std::string all = text.str();
  const std::string fence = "```yaml\napiVersion: nines/v1alpha1\nkind: SLOPolicy\n";
  const size_t from = all.find(fence);
  REQUIRE(from != std::string::npos);
  REQUIRE(all.find(fence, from + 1) == std::string::npos);
  const size_t start = from + std::string("```yaml\n").size();
  return all.substr(start, all.find("```", start) - start);
}

}  // namespace

TEST_CASE("Early warnings are read as threshold rules, with a name of their share", "[config]") {
  const Loaded loaded = with_policy(R"(  earlyWarnings:
    - {below: "0.995", window: 5m, severity: warning, for: 5m}
    - {below: "0.95", window: 1h, severity: page, name: broken}
  lowTraffic: {highValue: true}
)");
  CHECK(all_text(loaded.diagnostics) == "");
  REQUIRE(loaded.slos.size() == 1);
  const slo::SloSpec& spec = loaded.slos[0];
  const auto rules = of_kind(spec, slo::RuleKind::threshold);
  REQUIRE(rules.size() == 2);
  CHECK(rules[0].name == "early-99.5");
  CHECK(rules[0].factor == *Decimal::parse("0.995"));
  CHECK(rules[0].long_s == 300);
  CHECK(rules[0].short_s == 300);
  CHECK(rules[0].for_s == 300);
  CHECK(rules[0].severity == "warning");
  CHECK(rules[1].name == "broken");
  CHECK(rules[1].for_s == 0);
  CHECK(rules[1].long_s == 3600);
  CHECK(spec.alerts.high_value);
  // Beside the burn alerts that are there anyway.
  CHECK(of_kind(spec, slo::RuleKind::burn).size() == 4);
  slo::SloEngine engine;
  CHECK(engine.add(spec).ok());
}

TEST_CASE("Without a wish there is neither an early warning nor high value", "[config]") {
  const Loaded loaded = with_policy("  lowTraffic: {minBad: 5}\n");
  REQUIRE(loaded.slos.size() == 1);
  CHECK(of_kind(loaded.slos[0], slo::RuleKind::threshold).empty());
  CHECK_FALSE(loaded.slos[0].alerts.high_value);
}

TEST_CASE("The policy of the README has every key and loads without a word", "[config]") {
  const std::string policy = policy_of_readme();
  for (const char* key :
       {"burnAlerts", "budgetAlerts", "earlyWarnings", "lowTraffic", "highValue", "resolve", "data",
        "gate", "errorBudgetPolicy", "exclusions", "reservedBudget", "forecast"}) {
    INFO(key);
    CHECK(policy.find(std::string(key) + ":") != std::string::npos);
  }
  const ConfigFolder folder;
  const Loaded loaded = folder.load_slos(kSlo + "---\n" + policy);
  CHECK(all_text(loaded.diagnostics) == "");
  REQUIRE(loaded.slos.size() == 1);
  const slo::SloSpec& spec = loaded.slos[0];
  CHECK(of_kind(spec, slo::RuleKind::threshold).size() == 1);
  CHECK(of_kind(spec, slo::RuleKind::budget).size() == 2);
  CHECK(spec.gate.steps.size() == 2);
  CHECK(spec.exclusions.size() == 2);
  slo::SloEngine engine;
  CHECK(engine.add(spec).ok());
  // And what is exported of it is the same.
  const std::string out = to_openslo_yaml(loaded.slos);
  const Loaded again = folder.load_slos(out);
  INFO(out << all_text(again.diagnostics));
  REQUIRE(again.slos.size() == 1);
  CHECK(to_openslo_yaml(again.slos) == out);
  CHECK(slo::describe_spec(again.slos[0]) == slo::describe_spec(spec));
  CHECK(again.slos[0].gate.steps == spec.gate.steps);
}

TEST_CASE("The templates warn early where their sources do", "[templates]") {
  const auto warnings = [](const char* name, const char* slo) {
    const auto rendered = config::render_template(name, {});
    REQUIRE(rendered.ok());
    for (const slo::SloSpec& spec : rendered->slos) {
      if (spec.name == slo) return of_kind(spec, slo::RuleKind::threshold);
    }
    return std::vector<slo::AlertRule>();
  };
  const auto availability = warnings("api-availability", "api-availability");
  REQUIRE(availability.size() == 1);
  CHECK(availability[0].factor == *Decimal::parse("0.995"));
  for (const auto& [name, slo] :
       {std::pair{"api-latency", "api-latency-p95"}, std::pair{"db-latency", "db-latency-p99"}}) {
    INFO(name);
    const auto latency = warnings(name, slo);
    REQUIRE(latency.size() == 1);
    CHECK(latency[0].severity == "warning");
    CHECK(latency[0].long_s == 300);
  }
}

TEST_CASE("An early warning is explained by its own share and its two windows", "[view]") {
  slo::SloStatus s = test::burning_slo();
  s.rules = {early_rule()};
  const std::string text = view::explain_text(s);
  INFO(text);
  CHECK_THAT(text, Catch::Contains("early (warning, P3), less than 99.5% good over 5m for 5m\n"));
  CHECK_THAT(text, Catch::Contains("bad 69 > 0.005 * 10000 = 50 ? yes\n"));
  CHECK_THAT(text, Catch::Contains("bad 10 > 0.005 * 1000 = 5 ? yes\n"));
}

TEST_CASE("An early warning in the status leaves the windows of the same length alone", "[view]") {
  Snapshot snapshot = test::snapshot();
  slo::SloStatus s = test::burning_slo();
  s.rules = {early_rule()};
  s.rules[0].rule.long_s = s.rules[0].rule.short_s = 600;
  s.rules[0].long_window.window_s = s.rules[0].short_window.window_s = 600;
  snapshot.slos = {s};
  const auto json = nlohmann::json::parse(view::slos_json(snapshot))[0];
  CHECK(json["windows"]["10m"]["bad"] == 69);
  CHECK(json["windows"]["5m"]["bad"] == 5);
  CHECK(json["alerts"][0]["priority"] == "P3");
  CHECK(json["alerts"][0]["summary"] ==
        "api-availability: 99.31 % (69 bad of 10000) good over 10m, 5m ago 99 % (10 bad of 1000); "
        "rule early fires when both are below 99.5%");
}
