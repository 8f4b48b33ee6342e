// Prometheus rules: names, windows and numbers. That Prometheus understands them: tests/e2e.
#include "config/export_rules.hpp"

#include <catch2/catch.hpp>

#include "nines/upstream/sloth.hpp"

using namespace nines;
using namespace nines::agent;
using upstream::prometheus_duration;

namespace {

Decimal dec(const char* text) { return *Decimal::parse(text); }

slo::SloSpec spec_of(const std::string& name, const std::string& service) {
  slo::SloSpec spec;
  spec.name = name;
  spec.service = service;
  spec.target = dec("0.999");
  return spec;
}

std::string rules_of(const std::vector<slo::SloSpec>& specs) {
  return to_prometheus_rules(specs, "1.2.3");
}

bool holds(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

size_t count(const std::string& text, const std::string& part) {
  size_t n = 0;
  for (size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++n;
  return n;
}

}  // namespace

TEST_CASE("Durations are printed as Prometheus prints them", "[rules]") {
  CHECK(prometheus_duration(0) == "0s");
  CHECK(prometheus_duration(10) == "10s");
  CHECK(prometheus_duration(300) == "5m");
  CHECK(prometheus_duration(5400) == "1h30m");
  CHECK(prometheus_duration(86400) == "1d");
  CHECK(prometheus_duration(90000) == "25h");
  CHECK(prometheus_duration(7 * 86400) == "1w");
  CHECK(prometheus_duration(28 * 86400) == "4w");
  CHECK(prometheus_duration(30 * 86400) == "30d");
}

TEST_CASE("An SLO has a ratio for Sloth's windows, those of its rules and its period", "[rules]") {
  slo::SloSpec spec = spec_of("web", "shop");
  spec.alerts.rules = {{"odd", "page", 5400, 600, dec("14.4")}};
  const std::string text = rules_of({spec});
  for (const char* window : {"5m", "30m", "1h", "2h", "6h", "1d", "3d", "30d", "1h30m", "10m"}) {
    INFO(window);
    CHECK(count(text, std::string("- record: slo:sli_error:ratio_rate") + window + "\n") == 1);
    CHECK(count(text, std::string("sloth_window: \"") + window + "\"") == 1);
  }
  CHECK(count(text, "- record: slo:sli_error") == 10);
  CHECK(
      holds(text,
            "sum(rate(nines_slo_events_total{slo=\"web\", service=\"shop\", result=\"bad\"}[5m])) "
            "/ (sum(rate(nines_slo_events_total{slo=\"web\", service=\"shop\"}[5m])) > 0)"));
  CHECK_FALSE(holds(text, "avg"));
  CHECK_FALSE(holds(text, "sum_over_time"));
}

TEST_CASE("Objective, budget, period and limits are exact decimals", "[rules]") {
  slo::SloSpec spec = spec_of("web", "shop");
  spec.target = dec("0.9995");
  spec.window_s = 3600;
  spec.alerts.rules = {{"fast", "page", 600, 60, dec("3")},
                       {"half", "ticket", 3600, 3600, dec("0.5"), slo::RuleKind::budget, 300}};
  const std::string text = rules_of({spec});
  CHECK(holds(text, "vector(0.9995)"));
  CHECK(holds(text, "vector(0.0005)"));
  CHECK(holds(text, "vector(0.04166667)"));
  CHECK(holds(text, "sloth_objective: \"99.95\""));
  CHECK(holds(text, "sloth_version: \"1.2.3\""));
  CHECK(holds(
      text,
      "max(slo:sli_error:ratio_rate1m{sloth_id=\"shop-web\", sloth_service=\"shop\", "
      "sloth_slo=\"web\"} > 0.0015) without (sloth_window) and max(slo:sli_error:ratio_rate10m"));
  CHECK(holds(text,
              "slo:period_burn_rate:ratio{sloth_id=\"shop-web\", sloth_service=\"shop\", "
              "sloth_slo=\"web\"} > 0.5\n        for: 5m\n"));
  CHECK(holds(text, "has spent more than 50 % of its error budget"));
}

TEST_CASE("An early warning compares its window now and as long ago as it asks for", "[rules]") {
  slo::SloSpec spec = spec_of("web", "shop");
  spec.alerts.rules = {{"early", "warning", 600, 600, dec("0.995"), slo::RuleKind::threshold, 300},
                       {"now", "ticket", 300, 300, dec("0.95"), slo::RuleKind::threshold, 0}};
  const std::string text = rules_of({spec});
  const std::string id = "{sloth_id=\"shop-web\", sloth_service=\"shop\", sloth_slo=\"web\"}";
  CHECK(count(text, "- alert: SLIBelowThreshold\n") == 2);
  CHECK(holds(text, "max(slo:sli_error:ratio_rate10m" + id +
                        " > 0.005) without (sloth_window) and max(slo:sli_error:ratio_rate10m" +
                        id + " offset 5m > 0.005) without (sloth_window)\n"));
  CHECK(holds(text, "max(slo:sli_error:ratio_rate5m" + id + " > 0.05) without (sloth_window)\n"));
  CHECK(count(text, "- record: slo:sli_error:ratio_rate10m\n") == 1);
  CHECK(holds(text, "SLO web is below 99.5 % over 10m"));
}

TEST_CASE("An SLO without rules has no group of alerts", "[rules]") {
  CHECK_FALSE(holds(rules_of({spec_of("web", "shop")}), "- alert:"));
}

TEST_CASE("An SLO that bears its service in its name has Sloth's identity, unless another has it",
          "[rules]") {
  const std::string own = rules_of({spec_of("shop-web", "shop")});
  CHECK(holds(own, "sloth_id: \"shop-web\""));
  CHECK(holds(own, "sloth_slo: \"web\""));
  CHECK(holds(own, "nines_slo_events_total{slo=\"shop-web\", service=\"shop\""));
  const std::string both = rules_of({spec_of("shop-web", "shop"), spec_of("web", "shop")});
  CHECK(holds(both, "sloth_id: \"shop-shop-web\""));
  CHECK(holds(both, "sloth_id: \"shop-web\""));
}

TEST_CASE("Texts cannot leave their quotes", "[rules]") {
  const std::string text = rules_of({spec_of("web", "a\"} or \\ b\n")});
  CHECK(holds(text, R"(service="a\"} or \\ b\x0a")"));
  CHECK(holds(text, R"(sloth_service: "a\"} or \\ b\n")"));
}

TEST_CASE("A composite is the weighted mean of its parts' series", "[rules]") {
  slo::SloSpec whole = spec_of("journey", "shop");
  whole.target = {};
  whole.composite.parts = {{"journey-pay", dec("2")}, {"journey-find", dec("0.5")}};
  slo::SloSpec pay = spec_of("journey-pay", "shop");
  slo::SloSpec find = spec_of("journey-find", "shop");
  pay.part_of = find.part_of = "journey";
  const std::string text = rules_of({pay, find, whole});
  // One group: what builds on each other is evaluated in order.
  CHECK(count(text, "- name:") == 1);
  CHECK(text.find("slo=\"journey-find\"") < text.find("or vector(0)"));
  CHECK(holds(text,
              "(2 * (sum(slo:current_burn_rate:ratio{sloth_id=\"shop-journey-pay\", "
              "sloth_service=\"shop\", sloth_slo=\"journey-pay\"}) or vector(0)) + 0.5 * "));
  CHECK(holds(text, ") / (2 + 0.5)"));
  CHECK(count(text, "- record: slo:objective:ratio") == 2);
  CHECK(count(text, "- record: slo:period_error_budget_remaining:ratio") == 3);
}

TEST_CASE("What the rules of an SLO cannot say is told, slices of time are left out", "[rules]") {
  slo::SloSpec slices = spec_of("slices", "shop");
  slices.budgeting = slo::Budgeting::timeslices;
  slo::SloSpec excluded = spec_of("excluded", "shop");
  excluded.reserve = dec("0.2");
  const std::string text = rules_of({slices, excluded});
  CHECK(holds(text, "# SLO \"slices\": left out, its budget counts slices of time"));
  CHECK_FALSE(holds(text, "sloth_slo: \"slices\""));
  CHECK(holds(text, "# SLO \"excluded\": exclusions and the reserved budget are not taken"));
  CHECK(holds(text, "sloth_slo: \"excluded\""));
}
