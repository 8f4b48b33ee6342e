#include "config/export_rules.hpp"

#include <algorithm>
#include <set>

#include "config/yaml_text.hpp"
#include "nines/base/time.hpp"
#include "nines/upstream/sloth.hpp"

namespace nines::agent {
namespace {

using config::quoted;
using slo::AlertRule;
using slo::SloSpec;
using upstream::prometheus_duration;

constexpr int64_t kDay = 86400;
constexpr int64_t kUsual[] = {300, 1800, 3600, 2 * 3600, 6 * 3600, kDay, 3 * kDay};

// A text between the quotes of a PromQL string.
std::string escaped(std::string_view text) {
  constexpr char kHex[] = "0123456789abcdef";
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      (out += '\\') += c;
    } else if (byte < 0x20 || byte == 0x7F) {
      out += "\\x";
      (out += kHex[byte >> 4U]) += kHex[byte & 15U];
    } else {
      out += c;
    }
  }
  return out;
}

std::string ratio_name(int64_t window_s) {
  return "slo:sli_error:ratio_rate" + prometheus_duration(window_s);
}

class Rules {
 public:
  Rules(std::span<const SloSpec> all, std::string_view version) : all_(all), version_(version) {
    out_ =
        "# Recording and alert rules of what Nines counts, under the series names of Sloth.\n"
        "# Written by nines slo export-rules; Prometheus needs to keep the longest period.\n"
        "groups:\n";
  }
  void slo(const SloSpec& spec);
  // Part of one of the SLOs: its rules stand in the group of that.
  bool in_composite(const SloSpec& spec) const {
    return !spec.part_of.empty() &&
           std::any_of(all_.begin(), all_.end(), [&](const SloSpec& other) {
             return other.composite.used() && other.name == spec.part_of;
           });
  }
  void composite(const SloSpec& spec);
  // Tells as comments what the rules of this SLO cannot say.
  void differences(const SloSpec& spec);
  std::string take() { return std::move(out_); }

 private:
  struct Id : upstream::SlothIdentity {
    std::string selector() const {
      return "{sloth_id=\"" + escaped(id) + "\", sloth_service=\"" + escaped(service) +
             "\", sloth_slo=\"" + escaped(slo) + "\"}";
    }
  };
  Id id_of(const SloSpec& spec) const;

  void line(int depth, const std::string& text) {
    out_.append(static_cast<size_t>(depth) * 2, ' ').append(text).append("\n");
  }
  // Rules of one group are evaluated in their order, groups in any: all that builds on each other
  // stands in one.
  void group(const Id& id) {
    line(1, "- name: " + quoted("nines-slo-" + id.id));
    line(2, "rules:");
  }
  void labels(const Id& id) {
    line(4, "labels:");
    line(5, "sloth_id: " + quoted(id.id));
    line(5, "sloth_service: " + quoted(id.service));
    line(5, "sloth_slo: " + quoted(id.slo));
  }
  void expression(const std::string& text) {
    line(4, "expr: |");
    line(5, text);
  }
  void record(const Id& id, const std::string& name, const std::string& text) {
    line(3, "- record: " + name);
    expression(text);
    labels(id);
  }
  void ratio(const Id& id, const SloSpec& spec, int64_t window_s);
  void meta(const Id& id, const SloSpec& spec);
  void period(const Id& id, int64_t window_s);
  void info(const Id& id, const std::string& objective);
  std::string condition(const Id& id, const SloSpec& spec, const AlertRule& rule) const;
  void alert(const Id& id, const SloSpec& spec, const AlertRule& rule);

  std::string out_;
  std::span<const SloSpec> all_;
  std::string version_;
};

Rules::Id Rules::id_of(const SloSpec& spec) const {
  return {upstream::sloth_identity(spec, [&](const std::string& name) {
    return std::any_of(all_.begin(), all_.end(), [&](const SloSpec& other) {
      return other.service == spec.service && other.name == name;
    });
  })};
}

void Rules::ratio(const Id& id, const SloSpec& spec, int64_t window_s) {
  const std::string window = prometheus_duration(window_s);
  const auto events = [&](const char* result) {
    return "sum(rate(nines_slo_events_total{slo=\"" + escaped(spec.name) + "\", service=\"" +
           escaped(spec.service) + "\"" + result + "}[" + window + "]))";
  };
  record(id, ratio_name(window_s), events(", result=\"bad\"") + " / (" + events("") + " > 0)");
  line(5, "sloth_window: " + quoted(window));
}

void Rules::period(const Id& id, int64_t window_s) {
  record(id, "slo:period_error_budget_remaining:ratio",
         "1 - slo:period_burn_rate:ratio" + id.selector());
  record(id, "slo:time_period:days", "vector(" + upstream::days_text(window_s) + ")");
}

void Rules::info(const Id& id, const std::string& objective) {
  record(id, "sloth_slo_info", "vector(1)");
  line(5, "sloth_mode: \"nines\"");
  line(5, "sloth_spec: \"openslo/v1\"");
  line(5, "sloth_version: " + quoted(version_));
  if (!objective.empty()) line(5, "sloth_objective: " + quoted(objective));
}

void Rules::meta(const Id& id, const SloSpec& spec) {
  const Decimal budget = subtract({1, 0}, spec.target).value_or(Decimal{});
  const std::string matching = " / on(sloth_id, sloth_slo, sloth_service) group_left ";
  record(id, "slo:objective:ratio", "vector(" + spec.target.to_string() + ")");
  record(id, "slo:error_budget:ratio", "vector(" + budget.to_string() + ")");
  record(
      id, "slo:current_burn_rate:ratio",
      ratio_name(kUsual[0]) + id.selector() + matching + "slo:error_budget:ratio" + id.selector());
  record(id, "slo:period_burn_rate:ratio",
         ratio_name(spec.window_s) + id.selector() + matching + "slo:error_budget:ratio" +
             id.selector());
  period(id, spec.window_s);
  info(id, Decimal{spec.target.mantissa, spec.target.exponent + 2}.to_string());
}

// Both windows of a burn rule; that of an early warning now and `for` ago, as Nines compares them.
std::string Rules::condition(const Id& id, const SloSpec& spec, const AlertRule& rule) const {
  if (rule.kind == slo::RuleKind::budget) {
    return "slo:period_burn_rate:ratio" + id.selector() + " > " + rule.factor.to_string();
  }
  const bool burn = rule.kind == slo::RuleKind::burn;
  const Decimal budget = subtract({1, 0}, burn ? spec.target : rule.factor).value_or(Decimal{});
  const auto limit = multiply(burn ? rule.factor : Decimal{1, 0}, budget);
  const std::string above =
      " > " + (limit ? limit->to_string()
                     : "(" + rule.factor.to_string() + " * " + budget.to_string() + ")");
  const auto side = [&](int64_t window_s, const std::string& offset) {
    return "max(" + ratio_name(window_s) + id.selector() + offset + above +
           ") without (sloth_window)";
  };
  std::string longer = side(rule.long_s, "");
  if (burn) return side(rule.short_s, "") + " and " + longer;
  if (rule.for_s == 0) return longer;
  return longer + " and " + side(rule.long_s, " offset " + prometheus_duration(rule.for_s));
}

std::string alert_name(slo::RuleKind kind) {
  constexpr const char* kNames[] = {"ErrorBudgetBurn", "ErrorBudgetSpent", "SLIBelowThreshold"};
  return kNames[static_cast<size_t>(kind)];
}

std::string percent_of(Decimal share) {
  return Decimal{share.mantissa, share.exponent + 2}.to_string() + " %";
}

std::string alert_summary(const AlertRule& rule) {
  switch (rule.kind) {
    case slo::RuleKind::burn:
      return "burns its error budget more than " + rule.factor.to_string() +
             " times too fast, over " + format_duration_s(rule.long_s) + " and " +
             format_duration_s(rule.short_s);
    case slo::RuleKind::budget:
      return "has spent more than " + percent_of(rule.factor) + " of its error budget";
    case slo::RuleKind::threshold:
      return "is below " + percent_of(rule.factor) + " over " + format_duration_s(rule.long_s);
  }
  return {};
}

void Rules::alert(const Id& id, const SloSpec& spec, const AlertRule& rule) {
  line(3, "- alert: " + alert_name(rule.kind));
  expression(condition(id, spec, rule));
  if (rule.kind == slo::RuleKind::budget && rule.for_s > 0) {
    line(4, "for: " + prometheus_duration(rule.for_s));
  }
  labels(id);
  line(5, "severity: " + quoted(rule.severity));
  line(5, "sloth_severity: " + quoted(rule.severity));
  line(5, "rule: " + quoted(rule.name));
  line(4, "annotations:");
  line(5, "summary: " + quoted("SLO " + spec.name + " " + alert_summary(rule)));
}

void Rules::slo(const SloSpec& spec) {
  const Id id = id_of(spec);
  if (!in_composite(spec)) group(id);
  std::set<int64_t> windows(std::begin(kUsual), std::end(kUsual));
  windows.insert(spec.window_s);
  for (const AlertRule& rule : spec.alerts.rules) {
    if (rule.kind != slo::RuleKind::budget) windows.insert({rule.short_s, rule.long_s});
  }
  for (const int64_t window_s : windows) ratio(id, spec, window_s);
  meta(id, spec);
  for (const AlertRule& rule : spec.alerts.rules) alert(id, spec, rule);
}

void Rules::differences(const SloSpec& spec) {
  const std::string who = "# SLO " + quoted(spec.name) + ": ";
  if (spec.budgeting != slo::Budgeting::occurrences) {
    line(1, who + "left out, its budget counts slices of time, not events");
    return;
  }
  if (spec.calendar != nullptr) {
    line(1, who + "its period is of the calendar, here it is a rolling one of " +
                format_duration_s(spec.window_s));
  }
  if (!spec.exclusions.empty() || spec.reserve.mantissa != 0) {
    line(1, who + "exclusions and the reserved budget are not taken into account here");
  }
}

// The weighted mean of the parts' burn rates; a part without events burns 0.
void Rules::composite(const SloSpec& spec) {
  const Id id = id_of(spec);
  group(id);
  for (const SloSpec& part : all_) {
    if (part.part_of == spec.name) slo(part);
  }
  for (const char* series : {"slo:current_burn_rate:ratio", "slo:period_burn_rate:ratio"}) {
    std::string sum;
    std::string weights;
    for (const auto& part : spec.composite.parts) {
      const auto found = std::find_if(all_.begin(), all_.end(),
                                      [&](const SloSpec& other) { return other.name == part.slo; });
      if (found == all_.end()) continue;
      const std::string plus = sum.empty() ? "" : " + ";
      sum += plus + part.weight.to_string() + " * (sum(" + series + id_of(*found).selector() +
             ") or vector(0))";
      weights += plus + part.weight.to_string();
    }
    record(id, series, "(" + sum + ") / (" + weights + ")");
  }
  period(id, spec.window_s);
  info(id, {});
}

}  // namespace

std::string to_prometheus_rules(std::span<const SloSpec> slos, std::string_view version) {
  Rules rules(slos, version);
  for (const SloSpec& spec : slos) {
    rules.differences(spec);
    if (spec.budgeting != slo::Budgeting::occurrences) continue;
    if (spec.composite.used()) {
      rules.composite(spec);
    } else if (!rules.in_composite(spec)) {
      rules.slo(spec);
    }
  }
  return rules.take();
}

}  // namespace nines::agent
