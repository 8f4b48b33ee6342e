// to_openslo_yaml: whatever specs go out come back the same.
#include <rapidcheck.h>

#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "../../unit/agent/config_support.hpp"

using namespace nines;
using namespace nines::agent;
using nines::agent::test::all_text;
using nines::agent::test::ConfigFolder;

namespace {

// Texts that YAML would take for something else, beside plain ones.
rc::Gen<std::string> texts() {
  return rc::gen::element<std::string>(
      "a", "true", "null", "1e3", "- x", "a: b", "# c", "it's \"so\"", "\xC3\xA4\xE2\x82\xAC",
      "tab\there", "two\nlines", "{x}", "*", "&a", " lead", "trail ", "\\d+", "%", "\x01");
}
rc::Gen<std::string> maybe(rc::Gen<std::string> gen) {
  return rc::gen::oneOf(rc::gen::just(std::string()), std::move(gen));
}
rc::Gen<std::string> expressions() {
  return rc::gen::element<std::string>("status >= 500", "path NOT LIKE '/healthz%'",
                                       "message REGEXP 'a\\.b|\"c\"'", "\"odd name\" = 'it''s'",
                                       "level >= 'ERROR'\n  AND status IN (1, 2)");
}

slo::SourceSelector selector() {
  slo::SourceSelector s;
  s.paths = *rc::gen::container<std::vector<std::string>>(2, texts());
  s.exclude =
      *rc::gen::container<std::vector<std::string>>(*rc::gen::inRange<size_t>(0, 2), texts());
  s.format =
      *rc::gen::element<std::string>("auto", "nginx", "json", "logfmt", "syslog", "plain", "regex");
  if (s.format == "regex") s.pattern = "^(?P<ts>\\S+) (?P<message>.*)$";
  s.k8s_namespace = *maybe(texts());
  s.k8s_pod = *maybe(texts());
  s.k8s_container = *maybe(texts());
  s.utc_offset_s = *rc::gen::inRange(-840, 841) * 60;
  return s;
}

slo::IndicatorSpec indicator() {
  slo::IndicatorSpec i;
  i.name = *rc::gen::element<std::string>("", "ok", "fast-enough");
  i.total = {selector(), *maybe(expressions())};
  if (*rc::gen::arbitrary<bool>()) {
    i.part = {*rc::gen::arbitrary<bool>() ? i.total.source : selector(), *maybe(expressions())};
    i.part_is_bad = *rc::gen::arbitrary<bool>();
    i.independent = *rc::gen::arbitrary<bool>();
    i.count = *rc::gen::element<std::string>("", "delta");
    return i;
  }
  i.kind = slo::SliKind::threshold;
  i.value = *rc::gen::element<std::string>("duration_ms", "stored_at - published_at");
  i.unit = *maybe(texts());
  i.on_missing = *rc::gen::element(slo::OnMissing::skip, slo::OnMissing::bad);
  return i;
}

std::vector<slo::AlertRule> rules(int64_t window_s) {
  std::vector<slo::AlertRule> out;
  const auto count = *rc::gen::inRange(0, 4);
  for (int k = 0; k < count; ++k) {
    const int64_t long_s = *rc::gen::inRange<int64_t>(2, window_s / 10 + 1) * 10;
    const int64_t short_s = *rc::gen::inRange<int64_t>(1, long_s / 10) * 10;
    // Below 1/(1 - 0.5): can fire at every target made here.
    out.push_back({"rule-" + std::to_string(k), *rc::gen::element<std::string>("page", "ticket"),
                   long_s, short_s, Decimal{*rc::gen::inRange<int64_t>(1, 19'999), -4}});
  }
  const auto shares = *rc::gen::inRange(0, 3);
  for (int k = 0; k < shares; ++k) {
    const auto* severity = *rc::gen::element("critical", "page", "ticket", "warning");
    out.push_back({"share-" + std::to_string(k), severity, window_s, window_s,
                   Decimal{*rc::gen::inRange<int64_t>(1, 19'999), -4}, slo::RuleKind::budget,
                   *rc::gen::inRange<int64_t>(0, 721) * 10});
  }
  const auto levels = *rc::gen::inRange(0, 3);
  for (int k = 0; k < levels; ++k) {
    const auto* severity = *rc::gen::element("critical", "page", "ticket", "warning");
    const int64_t length_s = *rc::gen::inRange<int64_t>(1, window_s / 10 + 1) * 10;
    out.push_back({"level-" + std::to_string(k), severity, length_s, length_s,
                   Decimal{*rc::gen::inRange<int64_t>(1, 1'000'000'000), -9},
                   slo::RuleKind::threshold, *rc::gen::inRange<int64_t>(0, 721) * 10});
  }
  return out;
}

slo::GatePolicy gate() {
  slo::GatePolicy g;
  g.freeze_below = Decimal{*rc::gen::inRange<int64_t>(1, 50), -2};
  g.reduce_below = Decimal{*rc::gen::inRange<int64_t>(50, 100), -2};
  g.require_spent = Decimal{*rc::gen::inRange<int64_t>(0, 101), -2};
  if (*rc::gen::arbitrary<bool>()) {
    g.observe = Decimal{*rc::gen::inRange<int64_t>(1, 1000), -3};
    g.danger = Decimal{*rc::gen::inRange<int64_t>(1000, 2000), -3};
    g.freeze_above = Decimal{*rc::gen::inRange<int64_t>(2000, 1'000'001), -3};
  }
  if (*rc::gen::arbitrary<bool>()) {
    const auto first = *rc::gen::inRange<uint64_t>(0, 500'000'001);
    const auto second = *rc::gen::inRange<uint64_t>(0, 500'000'000);
    g.composite.whole = 1'000'000'000;
    g.composite.parts = {first, second, g.composite.whole - first - second};
  }
  g.hold_down_s = *rc::gen::inRange(0, 86401);
  g.on_no_data = *rc::gen::element(slo::OnNoData::go, slo::OnNoData::observe, slo::OnNoData::hold,
                                   slo::OnNoData::freeze);
  g.override_ttl_s = *rc::gen::inRange(60, 7 * 86400 + 1);
  g.override_needs_reason = *rc::gen::arbitrary<bool>();
  const auto steps = *rc::gen::inRange(0, 4);
  for (int k = 0; k < steps; ++k) {
    g.steps.push_back(
        {"step-" + std::to_string(k),
         Decimal{*rc::gen::inRange<int64_t>(k * 100 + 1, k * 100 + 101), -3},
         *rc::gen::container<std::vector<std::string>>(*rc::gen::inRange<size_t>(1, 3), texts()),
         *rc::gen::element<std::string>("", "critical", "page", "ticket", "warning")});
  }
  return g;
}

slo::SloSpec spec(int number) {
  slo::SloSpec s;
  s.name = "slo-" + std::to_string(number);
  s.service = *texts();
  s.description = *maybe(texts());
  s.tier = *rc::gen::inRange(1, 4);
  s.owner = *maybe(texts());
  s.target = Decimal{*rc::gen::inRange<int64_t>(500'000'000, 1'000'000'000), -9};
  s.window_s = *rc::gen::inRange<int64_t>(6, 92 * 8640 + 1) * 10;
  s.indicator = indicator();
  if (s.indicator.kind == slo::SliKind::threshold) {
    s.op = *rc::gen::element(slo::CompareOp::lt, slo::CompareOp::lte, slo::CompareOp::gt,
                             slo::CompareOp::gte);
    s.threshold = Decimal{*rc::gen::inRange<int64_t>(-100'000, 100'000), *rc::gen::inRange(-6, 4)};
  }
  s.alerts = slo::default_policy(s.window_s, s.target);
  s.forecast = slo::default_forecast(s.window_s);
  if (*rc::gen::arbitrary<bool>()) s.alerts.rules = rules(s.window_s);
  if (*rc::gen::arbitrary<bool>()) {
    s.alerts.min_bad = *rc::gen::inRange(0, 100);
    s.alerts.significance = Decimal{*rc::gen::inRange<int64_t>(1, 1001), -3};
    s.alerts.resolve_ratio = Decimal{*rc::gen::inRange<int64_t>(1, 101), -2};
    s.alerts.resolve_evaluations = *rc::gen::inRange(1, 1001);
    s.alerts.cooldown_s = *rc::gen::inRange(0, 7 * 86400 + 1);
    s.alerts.high_value = *rc::gen::arbitrary<bool>();
  }
  if (*rc::gen::arbitrary<bool>()) {
    s.data.late_horizon_s = *rc::gen::inRange(0, 86401);
    s.forecast.history_s = *rc::gen::inRange(1, 31) * 86400;
    s.forecast.min_points = *rc::gen::inRange<size_t>(3, 20);
    s.forecast.horizon_s = *rc::gen::inRange(30, 93) * 86400;
    s.forecast.use =
        *rc::gen::element(slo::ForecastPolicy::Use::better, slo::ForecastPolicy::Use::regression,
                          slo::ForecastPolicy::Use::seasonal);
    s.forecast.warn_within_s = *rc::gen::inRange(0, 30 * 86400);
    s.forecast.warn_min_bad = *rc::gen::inRange(1, 100);
    s.forecast.warn_severity = *rc::gen::element<std::string>("ticket", "warning");
    s.data.max_future_skew_s = *rc::gen::inRange(0, 86401);
    s.data.min_coverage = Decimal{*rc::gen::inRange<int64_t>(0, 101), -2};
    s.data.stale_after_s = *rc::gen::inRange(10, 86401);
  }
  if (*rc::gen::arbitrary<bool>()) s.gate = gate();
  s.draft = *rc::gen::arbitrary<bool>();
  return s;
}

// A composite with its parts before it, as reading gives them.
std::vector<slo::SloSpec> composite() {
  std::vector<slo::SloSpec> out;
  slo::SloSpec whole = spec(0);
  whole.name = "journey";
  whole.indicator = {};
  whole.alerts = {};
  whole.forecast = {};
  whole.data = {};
  whole.target = {};
  whole.op = slo::CompareOp::lte;
  whole.threshold = {};
  const auto parts = *rc::gen::inRange(1, 5);
  for (int k = 0; k < parts; ++k) {
    slo::SloSpec part = spec(k);
    part.name = "journey-part-" + std::to_string(k);
    part.part_of = whole.name;
    // What the document says once.
    part.service = whole.service;
    part.description = whole.description;
    part.tier = whole.tier;
    part.owner = whole.owner;
    part.window_s = whole.window_s;
    part.alerts = slo::default_policy(part.window_s, part.target);
    part.forecast = slo::default_forecast(part.window_s);
    part.alerts.min_bad = *rc::gen::inRange(0, 5);
    whole.composite.parts.push_back(
        {part.name, Decimal{*rc::gen::inRange<int64_t>(1, 1'000'000'000), -6}});
    out.push_back(std::move(part));
  }
  out.push_back(std::move(whole));
  return out;
}

void expect_same_rules(const slo::AlertPolicy& a, const slo::AlertPolicy& b) {
  RC_ASSERT(a.rules.size() == b.rules.size());
  for (size_t k = 0; k < a.rules.size(); ++k) {
    RC_ASSERT(a.rules[k].name == b.rules[k].name);
    RC_ASSERT(a.rules[k].severity == b.rules[k].severity);
    RC_ASSERT(a.rules[k].long_s == b.rules[k].long_s);
    RC_ASSERT(a.rules[k].short_s == b.rules[k].short_s);
    RC_ASSERT(a.rules[k].factor == b.rules[k].factor);
    RC_ASSERT(a.rules[k].kind == b.rules[k].kind);
    RC_ASSERT(a.rules[k].for_s == b.rules[k].for_s);
  }
  RC_ASSERT(a.min_bad == b.min_bad);
  RC_ASSERT(a.significance == b.significance);
  RC_ASSERT(a.resolve_ratio == b.resolve_ratio);
  RC_ASSERT(a.resolve_evaluations == b.resolve_evaluations);
  RC_ASSERT(a.cooldown_s == b.cooldown_s);
  RC_ASSERT(a.high_value == b.high_value);
}

void expect_same_gate(const slo::GatePolicy& a, const slo::GatePolicy& b) {
  RC_ASSERT(a.reduce_below == b.reduce_below);
  RC_ASSERT(a.freeze_below == b.freeze_below);
  RC_ASSERT(a.require_spent == b.require_spent);
  RC_ASSERT(a.observe == b.observe);
  RC_ASSERT(a.danger == b.danger);
  RC_ASSERT(a.freeze_above == b.freeze_above);
  RC_ASSERT((a.composite == b.composite));
  RC_ASSERT(a.hold_down_s == b.hold_down_s);
  RC_ASSERT((a.on_no_data == b.on_no_data));
  RC_ASSERT(a.override_ttl_s == b.override_ttl_s);
  RC_ASSERT(a.override_needs_reason == b.override_needs_reason);
  RC_ASSERT((a.steps == b.steps));
}

// All but draft and origin, which say where a spec came from.
void expect_same(const slo::SloSpec& a, const slo::SloSpec& b) {
  RC_ASSERT(a.name == b.name);
  RC_ASSERT(a.service == b.service);
  RC_ASSERT(a.description == b.description);
  RC_ASSERT(a.tier == b.tier);
  RC_ASSERT(a.owner == b.owner);
  RC_ASSERT(a.target == b.target);
  RC_ASSERT(a.window_s == b.window_s);
  RC_ASSERT(a.indicator.name == b.indicator.name);
  RC_ASSERT((a.indicator.kind == b.indicator.kind));
  RC_ASSERT((a.indicator.total == b.indicator.total));
  RC_ASSERT((a.indicator.part == b.indicator.part));
  RC_ASSERT(a.indicator.part_is_bad == b.indicator.part_is_bad);
  RC_ASSERT(a.indicator.value == b.indicator.value);
  RC_ASSERT(a.indicator.unit == b.indicator.unit);
  RC_ASSERT((a.indicator.on_missing == b.indicator.on_missing));
  RC_ASSERT((a.op == b.op));
  RC_ASSERT(a.threshold == b.threshold);
  RC_ASSERT(a.generation() == b.generation());
  RC_ASSERT(a.indicator.count == b.indicator.count);
  RC_ASSERT(a.indicator.independent == b.indicator.independent);
  RC_ASSERT((a.composite == b.composite));
  RC_ASSERT(a.part_of == b.part_of);
  expect_same_gate(a.gate, b.gate);
  expect_same_rules(a.alerts, b.alerts);
  RC_ASSERT(a.forecast == b.forecast);
  RC_ASSERT(a.data.late_horizon_s == b.data.late_horizon_s);
  RC_ASSERT(a.data.max_future_skew_s == b.data.max_future_skew_s);
  RC_ASSERT(a.data.min_coverage == b.data.min_coverage);
  RC_ASSERT(a.data.stale_after_s == b.data.stale_after_s);
}

}  // namespace

TEST_CASE("Specs written as OpenSLO load back the same", "[config][property]") {
  const ConfigFolder folder;
  CHECK(rc::check([&] {
    const std::vector<slo::SloSpec> out = {spec(1), spec(2)};
    const std::string yaml = to_openslo_yaml(out);
    const Loaded in = folder.load_slos(yaml);
    RC_LOG() << yaml << all_text(in.diagnostics);
    RC_ASSERT(in.ok());
    RC_ASSERT(in.slos.size() == 2U);
    for (size_t k = 0; k < 2; ++k) expect_same(out[k], in.slos[k]);
  }));
}

TEST_CASE("Composites written as OpenSLO load back the same", "[config][property]") {
  const ConfigFolder folder;
  CHECK(rc::check([&] {
    const std::vector<slo::SloSpec> out = composite();
    const std::string yaml = to_openslo_yaml(out);
    const Loaded in = folder.load_slos(yaml);
    RC_LOG() << yaml << all_text(in.diagnostics);
    RC_ASSERT(in.ok());
    RC_ASSERT(in.slos.size() == out.size());
    for (size_t k = 0; k < out.size(); ++k) expect_same(out[k], in.slos[k]);
  }));
}

TEST_CASE("Whatever bytes a configuration holds, loading it ends with a verdict",
          "[config][property]") {
  const ConfigFolder folder;
  CHECK(rc::check([&] {
    std::string yaml = to_openslo_yaml(std::vector<slo::SloSpec>{spec(1)});
    const auto edits = *rc::gen::inRange(1, 6);
    for (int k = 0; k < edits; ++k) {
      const auto at = *rc::gen::inRange<size_t>(0, yaml.size());
      yaml[at] = static_cast<char>(*rc::gen::element<int>('{', '}', '[', ']', ':', '"', '\'', '\n',
                                                          ' ', '-', '&', '*', '|', '>', '\t', 'x',
                                                          0xFF, 0, '9'));
    }
    const Loaded in = folder.load_slos(yaml);
    for (const auto& d : in.diagnostics) RC_ASSERT(!d.message.empty());
    RC_ASSERT(in.slos.size() <= 1U);
  }));
}
