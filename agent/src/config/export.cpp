// SloSpecs back to OpenSLO v1 documents, with an SLOPolicy where alerts or data handling differ
// from the defaults.
#include <algorithm>
#include <cstdio>
#include <sstream>
#include <string>
#include <string_view>

#include "config/config.hpp"
#include "config/yaml_text.hpp"
#include "nines/base/time.hpp"

namespace nines::agent {
namespace {

using config::quoted;
using slo::SloSpec;

std::string list_of(const std::vector<std::string>& texts) {
  std::string out = "[";
  for (const auto& text : texts) out += (out.size() > 1 ? ", " : "") + quoted(text);
  return out + "]";
}

std::string offset_text(int32_t seconds) {
  const int32_t minutes = (seconds < 0 ? -seconds : seconds) / 60;
  std::string out = seconds < 0 ? "-" : "+";
  for (const int32_t part : {minutes / 60, minutes % 60}) {
    out += static_cast<char>('0' + part / 10);
    out += static_cast<char>('0' + part % 10);
  }
  return out;
}

class Writer {
 public:
  void line(int depth, const std::string& text) {
    out_.append(static_cast<size_t>(depth) * 2, ' ').append(text).append("\n");
  }
  void field(int depth, const std::string& key, const std::string& value) {
    if (!value.empty()) line(depth, key + ": " + value);
  }
  void text(int depth, const std::string& key, std::string_view value) {
    if (!value.empty()) line(depth, key + ": " + quoted(value));
  }
  void slo(const SloSpec& spec);
  // A composite with its parts, in its own order.
  void composite(const SloSpec& spec, std::span<const SloSpec> all);
  std::string take() { return std::move(out_); }

 private:
  void selector(int depth, const slo::SourceSelector& s);
  void input(int depth, const slo::SourceSelector& s);
  void rate_limit(int depth, const slo::SourceSelector& s);
  void metric(int depth, const slo::MetricSpec& metric, const slo::IndicatorSpec* threshold,
              const std::string& count = {}, bool independent = false);
  void extras(int depth, const slo::IndicatorSpec& indicator);
  void join(int depth, const slo::IndicatorSpec& indicator);
  void head(const SloSpec& spec);
  void indicator(int depth, const SloSpec& spec);
  void objective(const SloSpec& spec);
  void gate(const slo::GatePolicy& policy);
  void budget_policy(const std::vector<slo::BudgetStep>& steps);
  void time_window(const SloSpec& spec);
  void exclusions(const SloSpec& spec);
  void alert_rules(const std::vector<slo::AlertRule>& rules);
  void forecast_policy(const slo::ForecastPolicy& f);
  // `forced`: also when it says nothing, so that no policy of wider scope applies.
  bool policy(const SloSpec& spec, bool forced = false);

  std::string out_;
};

void Writer::selector(int depth, const slo::SourceSelector& s) {
  if (!s.name.empty()) {
    text(depth, "source", s.name);
    return;
  }
  if (!s.paths.empty()) line(depth, "paths: " + list_of(s.paths));
  if (!s.exclude.empty()) line(depth, "exclude: " + list_of(s.exclude));
  if (!s.k8s_namespace.empty() || !s.k8s_pod.empty() || !s.k8s_container.empty() ||
      !s.k8s_labels.empty()) {
    line(depth, "kubernetes:");
    text(depth + 1, "namespace", s.k8s_namespace);
    text(depth + 1, "pod", s.k8s_pod);
    text(depth + 1, "container", s.k8s_container);
    if (!s.k8s_labels.empty()) line(depth + 1, "labels: " + list_of(s.k8s_labels));
  }
  input(depth, s);
  if (s.format != "auto") field(depth, "format", s.format);
  text(depth, "pattern", s.pattern);
  if (s.multiline != "auto") text(depth, "multiline", s.multiline);
  if (s.start != "beginning") text(depth, "start", s.start);
  if (s.ignore_older_s > 0) field(depth, "ignore_older", format_duration_s(s.ignore_older_s));
  if (s.newest_first) field(depth, "catch_up", "newest_first");
  rate_limit(depth, s);
  if (s.utc_offset_s != 0) text(depth, "timezone", offset_text(s.utc_offset_s));
}

void Writer::input(int depth, const slo::SourceSelector& s) {
  switch (s.input) {
    case slo::InputKind::files: break;
    case slo::InputKind::journal: line(depth, "journal: {units: " + list_of(s.units) + "}"); break;
    case slo::InputKind::syslog: line(depth, "syslog: {listen: " + list_of(s.listen) + "}"); break;
    case slo::InputKind::standard_input: line(depth, "stdin: true"); break;
    case slo::InputKind::kmsg: line(depth, "kmsg: true"); break;
    case slo::InputKind::scrape:
      line(depth, "scrape:");
      text(depth + 1, "url", s.url);
      field(depth + 1, "every", format_duration_s(s.scrape_every_s));
      text(depth + 1, "token_file", s.token_file);
      break;
    case slo::InputKind::vitals:
      line(depth, "vitals: {every: " + format_duration_s(s.vitals_every_s) + "}");
      break;
  }
}

void Writer::rate_limit(int depth, const slo::SourceSelector& s) {
  if (s.max_lines_per_s == 0 && s.max_bytes_per_s == 0) return;
  line(depth, "rate_limit:");
  if (s.max_lines_per_s > 0) field(depth + 1, "lines", std::to_string(s.max_lines_per_s));
  if (s.max_bytes_per_s > 0) field(depth + 1, "bytes", std::to_string(s.max_bytes_per_s));
  if (s.excess == slo::Excess::drop) field(depth + 1, "excess", "drop");
}

// What reads a source and is not one of its records.
void Writer::extras(int depth, const slo::IndicatorSpec& indicator) {
  if (const auto& wish = indicator.slices) {
    if (wish->floor > 0) {
      text(depth, "floor",
           std::to_string(wish->floor) + "/" + format_duration_s(wish->floor_per_s));
    }
    if (wish->heartbeat_s > 0) {
      line(depth, "heartbeat: {every: " + format_duration_s(wish->heartbeat_s) + "}");
    } else if (wish->on_empty) {
      constexpr const char* kWords[] = {"good", "bad", "skip"};
      field(depth, "onEmpty", kWords[static_cast<size_t>(*wish->on_empty)]);
    }
  }
  if (!indicator.group) return;
  const slo::GroupSpec& g = *indicator.group;
  line(depth, "groupBy: {field: " + quoted(g.by) + ", max: " + std::to_string(g.max) +
                  (g.alerts ? ", alerts: true}" : "}"));
}

void Writer::join(int depth, const slo::IndicatorSpec& indicator) {
  const slo::JoinSpec& j = *indicator.join;
  line(depth, "value:");
  const auto side = [&](const char* name, const slo::MetricSpec& metric, const std::string& key) {
    line(depth + 1, std::string(name) + ":");
    selector(depth + 2, metric.source);
    text(depth + 2, "where", metric.where);
    text(depth + 2, "key", key);
  };
  side("start", indicator.total, j.start_key);
  side("end", indicator.part, j.end_key);
  field(depth + 1, "timeout", format_duration_s(j.timeout_s));
  field(depth + 1, "grace", format_duration_s(j.grace_s));
  field(depth + 1, "maxPending", std::to_string(j.max_pending));
  if (j.on_timeout == slo::OnTimeout::skip) line(depth + 1, "onTimeout: skip");
  if (j.unique_keys) line(depth + 1, "uniqueKeys: true");
}

void Writer::metric(int depth, const slo::MetricSpec& metric, const slo::IndicatorSpec* threshold,
                    const std::string& count, bool independent) {
  line(depth, "metricSource:");
  line(depth + 1, "type: nines.log");
  line(depth + 1, "spec:");
  if (threshold == nullptr || !threshold->join) {
    selector(depth + 2, metric.source);
    text(depth + 2, "where", metric.where);
  }
  if (threshold == nullptr) {
    text(depth + 2, "count", count);
    if (independent) line(depth + 2, "independent: true");
    return;
  }
  if (threshold->join) {
    join(depth + 2, *threshold);
  } else {
    text(depth + 2, "value", threshold->value);
  }
  text(depth + 2, "unit", threshold->unit);
  if (threshold->on_missing == slo::OnMissing::bad) line(depth + 2, "onMissing: bad");
}

void Writer::indicator(int depth, const SloSpec& spec) {
  line(depth, "indicator:");
  if (!spec.indicator.name.empty()) {
    line(depth + 1, "metadata:");
    text(depth + 2, "name", spec.indicator.name);
  }
  line(depth + 1, "spec:");
  if (spec.indicator.kind == slo::SliKind::threshold) {
    line(depth + 2, "thresholdMetric:");
    metric(depth + 3, spec.indicator.total, &spec.indicator);
    extras(depth + 5, spec.indicator);
    return;
  }
  line(depth + 2, "ratioMetric:");
  line(depth + 3, "counter: false");
  line(depth + 3, spec.indicator.part_is_bad ? "bad:" : "good:");
  metric(depth + 4, spec.indicator.part, nullptr, spec.indicator.count, spec.indicator.independent);
  line(depth + 3, "total:");
  metric(depth + 4, spec.indicator.total, nullptr, spec.indicator.count);
  extras(depth + 6, spec.indicator);
}

void Writer::objective(const SloSpec& spec) {
  constexpr const char* kOps[] = {"lt", "lte", "gt", "gte"};  // in the order of CompareOp
  line(2, "- target: " + spec.target.to_string());
  if (spec.budgeting != slo::Budgeting::occurrences) {
    line(3, "timeSliceWindow: " + format_duration_s(spec.slices.slice_s));
  }
  if (spec.budgeting == slo::Budgeting::timeslices) {
    line(3, "timeSliceTarget: " + spec.slices.target.to_string());
  }
  if (spec.indicator.kind != slo::SliKind::threshold) return;
  line(3, std::string("op: ") + kOps[static_cast<size_t>(spec.op)]);
  line(3, "value: " + spec.threshold.to_string());
}

bool same_rules(const slo::AlertPolicy& a, const slo::AlertPolicy& b) {
  if (a.rules.size() != b.rules.size()) return false;
  for (size_t i = 0; i < a.rules.size(); ++i) {
    const auto& x = a.rules[i];
    const auto& y = b.rules[i];
    if (x.name != y.name || x.severity != y.severity || x.long_s != y.long_s ||
        x.short_s != y.short_s || x.factor != y.factor || x.kind != y.kind || x.for_s != y.for_s) {
      return false;
    }
  }
  return true;
}

bool same_guards(const slo::AlertPolicy& a, const slo::AlertPolicy& b) {
  return a.min_bad == b.min_bad && a.significance == b.significance &&
         a.resolve_ratio == b.resolve_ratio && a.resolve_evaluations == b.resolve_evaluations &&
         a.cooldown_s == b.cooldown_s && a.high_value == b.high_value;
}

bool same_data(const slo::DataPolicy& a, const slo::DataPolicy& b) {
  return a.late_horizon_s == b.late_horizon_s && a.max_future_skew_s == b.max_future_skew_s &&
         a.min_coverage == b.min_coverage && a.stale_after_s == b.stale_after_s;
}

std::string rule_head(const slo::AlertRule& rule) {
  return "- {name: " + quoted(rule.name) + ", severity: " + rule.severity;
}

void Writer::alert_rules(const std::vector<slo::AlertRule>& rules) {
  const auto section = [&](slo::RuleKind kind, const char* key, const auto& rest_of) {
    bool first = true;
    for (const auto& rule : rules) {
      if (rule.kind != kind) continue;
      if (first) line(1, std::string(key) + ":");
      first = false;
      line(2, rule_head(rule) + rest_of(rule) + "}");
    }
    return !first;
  };
  const bool burns = section(slo::RuleKind::burn, "burnAlerts", [](const auto& rule) {
    return ", long: " + format_duration_s(rule.long_s) +
           ", short: " + format_duration_s(rule.short_s) + ", factor: " + rule.factor.to_string();
  });
  if (!burns) line(1, "burnAlerts: []");
  section(slo::RuleKind::budget, "budgetAlerts", [](const auto& rule) {
    const Decimal percent{rule.factor.mantissa, rule.factor.exponent + 2};
    return ", consumedPercent: " + percent.to_string() + ", for: " + format_duration_s(rule.for_s);
  });
  section(slo::RuleKind::threshold, "earlyWarnings", [](const auto& rule) {
    return ", below: " + quoted(rule.factor.to_string()) +
           ", window: " + format_duration_s(rule.long_s) +
           ", for: " + format_duration_s(rule.for_s);
  });
}

void Writer::forecast_policy(const slo::ForecastPolicy& f) {
  using Use = slo::ForecastPolicy::Use;
  const std::string method = f.use == Use::better       ? "auto"
                             : f.use == Use::regression ? "regression+expiry"
                                                        : "seasonal+expiry";
  line(1, "forecast:");
  line(2, "method: " + method);
  line(2, "history: " + format_duration_s(f.history_s));
  line(2, "minPoints: " + std::to_string(f.min_points));
  line(2, "horizon: " + format_duration_s(f.horizon_s));
  line(2, "warning: {within: " + format_duration_s(f.warn_within_s) + ", minBad: " +
              std::to_string(f.warn_min_bad) + ", severity: " + f.warn_severity + "}");
}

bool same_gate(const slo::GatePolicy& a, const slo::GatePolicy& b) {
  return a.reduce_below == b.reduce_below && a.freeze_below == b.freeze_below &&
         a.require_spent == b.require_spent && a.composite == b.composite &&
         a.observe == b.observe && a.danger == b.danger && a.freeze_above == b.freeze_above &&
         a.hold_down_s == b.hold_down_s && a.on_no_data == b.on_no_data &&
         a.override_ttl_s == b.override_ttl_s &&
         a.override_needs_reason == b.override_needs_reason && a.steps == b.steps;
}

void Writer::gate(const slo::GatePolicy& policy) {
  line(1, "gate:");
  line(2, "budget: {reduceBelow: " + policy.reduce_below.to_string() +
              ", freezeBelow: " + policy.freeze_below.to_string() + "}");
  line(2, "requireSpent: " + policy.require_spent.to_string());
  line(2, "levels: {observe: " + policy.observe.to_string() +
              ", danger: " + policy.danger.to_string() +
              ", freezeAbove: " + policy.freeze_above.to_string() + "}");
  const slo::CompositeWeights& w = policy.composite;
  const auto share = [&](size_t i) {
    return Decimal{static_cast<int64_t>(w.parts[i]), w.whole == 100 ? -2 : -9}.to_string();
  };
  line(2, "composite: {5m: " + share(0) + ", 1h: " + share(1) + ", 24h: " + share(2) + "}");
  line(2, "holdDown: " + format_duration_s(policy.hold_down_s));
  line(2, "onNoData: " + std::string(slo::on_no_data_name(policy.on_no_data)));
  line(2, "override: {ttl: " + format_duration_s(policy.override_ttl_s) +
              ", requireReason: " + (policy.override_needs_reason ? "true}" : "false}"));
}

void Writer::budget_policy(const std::vector<slo::BudgetStep>& steps) {
  if (steps.empty()) return;
  line(1, "errorBudgetPolicy:");
  for (const slo::BudgetStep& step : steps) {
    line(2, "- remainingBelow: " + step.remaining_below.to_string());
    text(3, "name", step.name);
    text(3, "severity", step.severity);
    line(3, "actions: " + list_of(step.actions));
  }
}

bool Writer::policy(const SloSpec& spec, bool forced) {
  slo::AlertPolicy usual = slo::default_policy(spec.window_s, spec.target);
  if (spec.composite.used()) usual = spec.alerts;  // those of its parts
  const bool rules = !same_rules(spec.alerts, usual);
  const bool guards = !same_guards(spec.alerts, usual);
  const bool data = !same_data(spec.data, slo::DataPolicy());
  const bool own_gate = !same_gate(spec.gate, slo::GatePolicy());
  const bool forecast =
      !spec.composite.used() && spec.forecast != slo::default_forecast(spec.window_s);
  const bool excluded = !spec.exclusions.empty() || spec.reserve.mantissa != 0;
  if (!rules && !guards && !data && !own_gate && !forecast && !excluded && !forced) return false;
  line(0, "---");
  line(0, "apiVersion: nines/v1alpha1");
  line(0, "kind: SLOPolicy");
  line(0, "metadata:");
  text(1, "name", spec.name);
  line(0, "spec:");
  text(1, "sloRef", spec.name);
  if (rules) alert_rules(spec.alerts.rules);
  if (guards) {
    const auto& a = spec.alerts;
    line(1, "lowTraffic: {minBad: " + std::to_string(a.min_bad) + ", significance: " +
                a.significance.to_string() + (a.high_value ? ", highValue: true}" : "}"));
    line(1, "resolve: {ratio: " + a.resolve_ratio.to_string() +
                ", evaluations: " + std::to_string(a.resolve_evaluations) +
                ", cooldown: " + format_duration_s(a.cooldown_s) + "}");
  }
  if (data) {
    line(1, "data: {lateHorizon: " + format_duration_s(spec.data.late_horizon_s) +
                ", maxFutureSkew: " + format_duration_s(spec.data.max_future_skew_s) +
                ", minCoverage: " + spec.data.min_coverage.to_string() +
                ", staleAfter: " + format_duration_s(spec.data.stale_after_s) + "}");
  }
  if (forecast) forecast_policy(spec.forecast);
  if (own_gate) {
    gate(spec.gate);
    budget_policy(spec.gate.steps);
  }
  if (excluded) exclusions(spec);
  return true;
}

std::string local_time(int64_t civil_s) {
  constexpr int64_t kDay = 86400;
  const CivilDate date = civil_from_days(civil_s / kDay);
  const int64_t second = civil_s % kDay;
  char text[64];
  const int n = std::snprintf(text, sizeof text, "%04d-%02d-%02d %02d:%02d:%02d",
                              static_cast<int>(date.year), static_cast<int>(date.month),
                              static_cast<int>(date.day), static_cast<int>(second / 3600),
                              static_cast<int>(second / 60 % 60), static_cast<int>(second % 60));
  return {text, static_cast<size_t>(n)};
}

void Writer::time_window(const SloSpec& spec) {
  line(1, "timeWindow:");
  if (spec.calendar == nullptr) {
    line(2, "- duration: " + format_duration_s(spec.window_s));
    line(3, "isRolling: true");
    return;
  }
  constexpr char kUnits[] = {'d', 'w', 'M'};  // in the order of Calendar::Unit
  line(2, "- duration: " + std::to_string(spec.calendar->count()) +
              kUnits[static_cast<size_t>(spec.calendar->unit())]);
  line(3, "isRolling: false");
  line(3, "calendar: {startTime: " + quoted(local_time(spec.calendar->anchor_s())) +
              ", timeZone: " + quoted(spec.calendar->zone().name()) + "}");
}

// The text of an exclusion is "FROM/TO", or "RRULE START ZONE for DURATION[ from FIRST]".
void Writer::exclusions(const SloSpec& spec) {
  if (spec.reserve.mantissa != 0) text(1, "reservedBudget", spec.reserve.to_string());
  if (spec.exclusions.empty()) return;
  line(1, "exclusions:");
  for (const slo::ExclusionSpec& one : spec.exclusions) {
    std::string out = "- {name: " + quoted(one.name) + ", ";
    if (one.rule == nullptr) {
      const size_t slash = one.text.find('/');
      out += "from: " + quoted(one.text.substr(0, slash)) +
             ", to: " + quoted(one.text.substr(slash + 1));
    } else {
      std::istringstream words(one.text);
      std::string rule, start, zone, duration, first, word;
      words >> rule >> start >> zone >> word >> duration >> word;
      std::getline(words >> std::ws, first);
      out += "rrule: " + quoted(rule) + ", start: " + quoted(start) +
             ", timeZone: " + quoted(zone) + ", duration: " + duration;
      if (!first.empty()) out += ", from: " + quoted(first);
    }
    if (!one.reason.empty()) out += ", reason: " + quoted(one.reason);
    line(2, out + ", effect: " + std::string(slo::effect_name(one.effect)) + "}");
  }
}

// Everything but what is measured.
void Writer::head(const SloSpec& spec) {
  if (!out_.empty()) line(0, "---");
  if (spec.draft) {
    line(0, "# A draft, made from what the logs show: check the target and what counts as good,");
    line(0, "# then keep it in a folder of SLO documents (slos: in nines.yaml, or --slo).");
  }
  line(0, "apiVersion: openslo/v1");
  line(0, "kind: SLO");
  line(0, "metadata:");
  text(1, "name", spec.name);
  line(1, "labels:");
  line(2, "tier: \"" + std::to_string(spec.tier) + "\"");
  text(2, "owner", spec.owner);
  line(0, "spec:");
  text(1, "description", spec.description);
  text(1, "service", spec.service);
  line(1, "budgetingMethod: " + std::string(slo::budgeting_name(spec.budgeting)));
  time_window(spec);
}

void Writer::slo(const SloSpec& spec) {
  head(spec);
  indicator(1, spec);
  line(1, "objectives:");
  objective(spec);
  policy(spec);
}

const SloSpec* find(std::span<const SloSpec> all, const std::string& name) {
  const auto found =
      std::find_if(all.begin(), all.end(), [&](const SloSpec& spec) { return spec.name == name; });
  return found == all.end() ? nullptr : &*found;
}

void Writer::composite(const SloSpec& spec, std::span<const SloSpec> all) {
  head(spec);
  line(1, "objectives:");
  for (const auto& part : spec.composite.parts) {
    const SloSpec* const counted = find(all, part.slo);
    if (counted == nullptr) continue;
    objective(*counted);
    text(3, "displayName", std::string_view(part.slo).substr(spec.name.size() + 1));
    line(3, "compositeWeight: " + part.weight.to_string());
    indicator(3, *counted);
  }
  const bool own = policy(spec);  // applies to parts that have none
  for (const auto& part : spec.composite.parts) {
    if (const SloSpec* const counted = find(all, part.slo)) policy(*counted, own);
  }
}

}  // namespace

std::string to_openslo_yaml(std::span<const SloSpec> slos) {
  Writer writer;
  for (const auto& spec : slos) {
    if (spec.composite.used()) {
      writer.composite(spec, slos);
    } else if (spec.part_of.empty() || find(slos, spec.part_of) == nullptr) {
      writer.slo(spec);
    }
  }
  return writer.take();
}

}  // namespace nines::agent
