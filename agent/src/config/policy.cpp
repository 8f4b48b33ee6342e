#include "config/policy.hpp"

#include <algorithm>
#include <set>
#include <utility>

#include "config/alerting.hpp"
#include "config/exclusion_reader.hpp"
#include "config/policy_forecast.hpp"
#include "config/policy_gate.hpp"
#include "config/policy_warnings.hpp"
#include "nines/base/int128.hpp"
#include "nines/base/time.hpp"

namespace nines::agent::config {
namespace {

constexpr int64_t kSlot = 10;
constexpr int64_t kDay = 86400;
constexpr size_t kMaxRules = 8;

struct RuleDraft {
  slo::AlertRule rule;
  std::optional<Decimal> percent;  // of the budget over `long`; else rule.factor is given
  const YamlNode* at = nullptr;    // factor or budgetPercent
};

struct Policy {
  const Document* document = nullptr;
  const YamlNode* ref = nullptr;
  std::set<int> tiers;
  std::optional<std::vector<RuleDraft>> rules, budget_rules;
  std::optional<std::vector<EarlyWarning>> warnings;
  std::optional<bool> high_value;
  std::optional<int64_t> min_bad, evaluations, cooldown_s, late_horizon_s, max_future_skew_s,
      stale_after_s;
  std::optional<Decimal> significance, resolve_ratio, min_coverage;
  std::optional<std::vector<slo::ExclusionSpec>> exclusions;
  std::optional<Decimal> reserve;
  ForecastDraft forecast;
  GateDraft gate;
};

// percent/100 * window / long, exact where it has an end, else rounded to 6 places.
Decimal factor_of(Decimal percent, int64_t window_s, int64_t long_s) {
  constexpr int kPlaces = 6;
  const auto whole = multiply(percent, {window_s, -2});
  if (!whole) return percent;  // 18 digits times a window: check_rule refuses it as too large
  Int128 numerator = whole->mantissa;
  int exponent = whole->exponent;
  for (; exponent > -kPlaces; --exponent) numerator *= 10;
  Int128 denominator = long_s;
  for (int e = exponent; e < -kPlaces; ++e) denominator *= 10;
  const Int128 rounded = (2 * numerator + denominator) / (2 * denominator);
  return {static_cast<int64_t>(rounded), -kPlaces};
}

class PolicyReader {
 public:
  PolicyReader(const Document& document, Reporter& report)
      : document_(document), report_(report), title_(document.title()) {}
  Policy read();

 private:
  void read_scope(MapReader& reader, Policy& policy);
  template <class Draft>
  using ReadRule = std::optional<Draft> (PolicyReader::*)(const YamlNode& node);
  template <class Draft>
  std::vector<Draft> read_rules(const YamlNode& node, std::string_view key, ReadRule<Draft> one);
  std::optional<RuleDraft> read_rule(const YamlNode& node);
  std::optional<RuleDraft> read_budget_rule(const YamlNode& node);
  std::optional<EarlyWarning> read_warning(const YamlNode& node) {
    return read_early_warning(node, title_, report_);
  }
  bool read_windows(MapReader& reader, slo::AlertRule& rule);
  bool read_factor(MapReader& reader, RuleDraft& out);
  void read_guards(MapReader& reader, Policy& policy);
  void read_data(MapReader& reader, Policy& policy);
  void read_gate(MapReader& reader, Policy& policy);
  void read_excluded(MapReader& reader, Policy& policy);
  // A share within (0, 1], or [0, 1].
  std::optional<Decimal> read_share(MapReader& reader, std::string_view key, bool zero_allowed);
  std::optional<int64_t> read_duration(MapReader& reader, std::string_view key, int64_t min_s,
                                       int64_t max_s);
  std::optional<int64_t> read_count(MapReader& reader, std::string_view key, int64_t min,
                                    int64_t max);
  void not_used_yet(MapReader& reader, std::string_view key);

  const Document& document_;
  Reporter& report_;
  std::string title_;
};

void PolicyReader::not_used_yet(MapReader& reader, std::string_view key) {
  if (const YamlNode* node = reader.find(key)) {
    report_.warning(*node, "'" + std::string(key) + "' of " + title_ + " is not used yet",
                    "see packaging/examples for what is");
  }
}

std::optional<Decimal> PolicyReader::read_share(MapReader& reader, std::string_view key,
                                                bool zero_allowed) {
  const YamlNode* node = reader.find(key);
  if (node == nullptr) return std::nullopt;
  const std::string what = "'" + std::string(key) + "' of " + reader.what();
  const auto share = read_decimal(*node, what, report_);
  if (!share) return std::nullopt;
  const bool low = zero_allowed ? *share < Decimal{0, 0} : *share <= Decimal{0, 0};
  if (!low && *share <= Decimal{1, 0}) return share;
  report_.error(*node, what + " must be " +
                           (zero_allowed ? "within 0..1" : "above 0 and at most 1") + ", found " +
                           describe(*node));
  return std::nullopt;
}

std::optional<int64_t> PolicyReader::read_duration(MapReader& reader, std::string_view key,
                                                   int64_t min_s, int64_t max_s) {
  const YamlNode* node = reader.find(key);
  if (node == nullptr) return std::nullopt;
  return read_duration_s(*node, "'" + std::string(key) + "' of " + reader.what(), min_s, max_s,
                         report_);
}

std::optional<int64_t> PolicyReader::read_count(MapReader& reader, std::string_view key,
                                                int64_t min, int64_t max) {
  const YamlNode* node = reader.find(key);
  if (node == nullptr) return std::nullopt;
  return read_integer(*node, "'" + std::string(key) + "' of " + reader.what(), min, max, report_);
}

void PolicyReader::read_scope(MapReader& reader, Policy& policy) {
  policy.ref = reader.find("sloRef");
  const YamlNode* selector = reader.find("selector");
  if ((policy.ref == nullptr) == (selector == nullptr)) {
    report_.error(policy.ref != nullptr ? *selector : *document_.spec,
                  title_ + (policy.ref != nullptr ? " has both sloRef and selector"
                                                  : " has neither sloRef nor selector"),
                  "sloRef: NAME for one SLO, selector: {tier: \"1\"} for all of a tier");
    policy.ref = nullptr;
    return;
  }
  if (policy.ref != nullptr) {
    if (!read_text(*policy.ref, "sloRef of " + title_, report_)) policy.ref = nullptr;
    return;
  }
  MapReader inner(*selector, "selector of " + title_, report_);
  const YamlNode* tier = inner.require("tier", "selector: {tier: \"1\"}");
  inner.finish();
  if (tier == nullptr) return;
  const auto texts = read_texts(*tier, "tier", report_);
  if (!texts) return;
  for (const auto& text : *texts) {
    if (text == "1" || text == "2" || text == "3") {
      policy.tiers.insert(text[0] - '0');
    } else {
      report_.error(
          *tier, "tier in the selector of " + title_ + " must be 1, 2 or 3, found '" + text + "'");
    }
  }
}

bool PolicyReader::read_windows(MapReader& reader, slo::AlertRule& rule) {
  constexpr int64_t kMaxLong = 92 * kDay;
  const YamlNode* const long_node = reader.require("long", "long: 1h");
  const YamlNode* const short_node = reader.require("short", "a twelfth of long, for example 5m");
  if (long_node == nullptr || short_node == nullptr) return false;
  const auto long_s =
      read_duration_s(*long_node, "'long' of " + reader.what(), 2 * kSlot, kMaxLong, report_);
  const auto short_s =
      read_duration_s(*short_node, "'short' of " + reader.what(), kSlot, kMaxLong, report_);
  if (!long_s || !short_s) return false;
  for (const YamlNode* node : {long_node, short_node}) {
    if ((node == long_node ? *long_s : *short_s) % kSlot == 0) continue;
    report_.error(*node, "windows of " + reader.what() + " must be multiples of 10s, found " +
                             describe(*node));
    return false;
  }
  if (*short_s >= *long_s) {
    report_.error(*short_node,
                  "'short' (" + format_duration_s(*short_s) + ") of " + reader.what() +
                      " must be shorter than 'long' (" + format_duration_s(*long_s) + ")",
                  "a twelfth is usual");
    return false;
  }
  rule.long_s = *long_s;
  rule.short_s = *short_s;
  return true;
}

bool PolicyReader::read_factor(MapReader& reader, RuleDraft& out) {
  const YamlNode* percent = reader.find("budgetPercent");
  const YamlNode* factor = reader.find("factor");
  if ((percent == nullptr) == (factor == nullptr)) {
    report_.error(percent != nullptr ? *factor : reader.node(),
                  reader.what() + (percent != nullptr ? " has both budgetPercent and factor"
                                                      : " has neither budgetPercent nor factor"),
                  "budgetPercent: 2 means: fire when 'long' burns 2 % of the budget");
    return false;
  }
  out.at = percent != nullptr ? percent : factor;
  const std::string what =
      std::string(percent != nullptr ? "'budgetPercent'" : "'factor'") + " of " + reader.what();
  const auto number = read_decimal(*out.at, what, report_);
  if (!number) return false;
  const Decimal most = percent != nullptr ? Decimal{100, 0} : Decimal{1, 9};
  const bool fine = multiply(*number, {1, 6}).has_value() && number->to_string().size() <= 18;
  if (*number <= Decimal{0, 0} || *number > most || !fine) {
    report_.error(*out.at, what + " must be above 0 and at most " + most.to_string() + ", found " +
                               describe(*out.at));
    return false;
  }
  if (percent != nullptr) {
    out.percent = number;
  } else {
    out.rule.factor = *number;
  }
  return true;
}

std::optional<RuleDraft> PolicyReader::read_rule(const YamlNode& node) {
  MapReader reader(node, "a burn alert of " + title_, report_);
  if (!reader.is_map()) return std::nullopt;
  RuleDraft out;
  const YamlNode* name = reader.require("name", "name: fast");
  if (name != nullptr)
    out.rule.name = read_text(*name, "'name' of " + reader.what(), report_).value_or("");
  const YamlNode* severity = reader.require("severity", "page or ticket");
  std::optional<std::string> word;
  if (severity != nullptr) {
    word = read_choice(*severity, "'severity' of " + reader.what(), {"page", "ticket"}, report_);
  }
  const bool windows = read_windows(reader, out.rule);
  const bool factor = read_factor(reader, out);
  reader.finish();
  if (name == nullptr || out.rule.name.empty() || !word || !windows || !factor) return std::nullopt;
  out.rule.severity = *word;
  return out;
}

// {consumedPercent: 50, severity: warning, for: 5m}; the name is budget-50 unless it has one.
std::optional<RuleDraft> PolicyReader::read_budget_rule(const YamlNode& node) {
  constexpr int64_t kMaxForS = 2 * 3600;
  MapReader reader(node, "a budget alert of " + title_, report_);
  if (!reader.is_map()) return std::nullopt;
  RuleDraft out;
  out.rule.kind = slo::RuleKind::budget;
  out.at = reader.require("consumedPercent", "consumedPercent: 50");
  const YamlNode* severity = reader.require("severity", "critical, page, ticket or warning");
  const YamlNode* name = reader.find("name");
  out.rule.for_s = read_duration(reader, "for", 0, kMaxForS).value_or(0);
  reader.finish();
  if (out.at == nullptr || severity == nullptr) return std::nullopt;
  const auto word = read_choice(*severity, "'severity' of " + reader.what(),
                                {"critical", "page", "ticket", "warning"}, report_);
  const std::string what = "'consumedPercent' of " + reader.what();
  const auto percent = read_decimal(*out.at, what, report_);
  if (!word || !percent) return std::nullopt;
  const bool fine = percent->to_string().size() <= 12;
  if (*percent <= Decimal{0, 0} || *percent > Decimal{1000, 0} || !fine) {
    report_.error(*out.at, what + " must be above 0 and at most 1000, found " + describe(*out.at));
    return std::nullopt;
  }
  if (out.rule.for_s % kSlot != 0) {
    report_.error(node, "'for' of " + reader.what() + " must be a multiple of 10s");
    return std::nullopt;
  }
  out.rule.factor = {percent->mantissa, percent->exponent - 2};
  out.rule.severity = *word;
  out.rule.name = "budget-" + percent->to_string();
  if (name != nullptr) {
    out.rule.name = read_text(*name, "'name' of " + reader.what(), report_).value_or("");
    if (out.rule.name.empty()) return std::nullopt;
  }
  return out;
}

template <class Draft>
std::vector<Draft> PolicyReader::read_rules(const YamlNode& node, std::string_view key,
                                            ReadRule<Draft> one) {
  std::vector<Draft> rules;
  std::set<std::string> names;
  const std::string what = std::string(key) + " of " + title_;
  const auto items = read_list(node, what, report_);
  if (items.size() > kMaxRules) {
    report_.error(node, what + " are more than 8");
    return rules;
  }
  for (const YamlNode* item : items) {
    auto rule = (this->*one)(*item);
    if (!rule) continue;
    if (!names.insert(rule->rule.name).second) {
      report_.error(*item, what + " has two named '" + rule->rule.name + "'");
      continue;
    }
    rules.push_back(std::move(*rule));
  }
  return rules;
}

void PolicyReader::read_guards(MapReader& reader, Policy& policy) {
  constexpr int64_t kMany = 1'000'000;
  if (const YamlNode* node = reader.find("lowTraffic")) {
    MapReader guard(*node, "lowTraffic of " + title_, report_);
    policy.min_bad = read_count(guard, "minBad", 0, kMany);
    policy.significance = read_share(guard, "significance", false);
    if (const YamlNode* value = guard.find("highValue")) {
      policy.high_value = read_bool(*value, "'highValue' of " + guard.what(), report_);
    }
    guard.finish();
  }
  if (const YamlNode* node = reader.find("resolve")) {
    MapReader resolve(*node, "resolve of " + title_, report_);
    policy.resolve_ratio = read_share(resolve, "ratio", false);
    policy.evaluations = read_count(resolve, "evaluations", 1, 1000);
    policy.cooldown_s = read_duration(resolve, "cooldown", 0, 7 * kDay);
    resolve.finish();
  }
}

void PolicyReader::read_data(MapReader& reader, Policy& policy) {
  const YamlNode* node = reader.find("data");
  if (node == nullptr) return;
  MapReader data(*node, "data of " + title_, report_);
  policy.late_horizon_s = read_duration(data, "lateHorizon", 0, kDay);
  policy.max_future_skew_s = read_duration(data, "maxFutureSkew", 0, kDay);
  policy.min_coverage = read_share(data, "minCoverage", true);
  policy.stale_after_s = read_duration(data, "staleAfter", kSlot, kDay);
  // freeze is what NO_DATA does in this version: nothing to warn about.
  const YamlNode* no_data = data.find("onNoData");
  if (no_data != nullptr && no_data->text != "freeze") not_used_yet(data, "onNoData");
  data.finish();
}

void PolicyReader::read_gate(MapReader& reader, Policy& policy) {
  if (const YamlNode* gate = reader.find("gate")) {
    read_gate_policy(*gate, title_, policy.gate, report_);
  }
  if (const YamlNode* steps = reader.find("errorBudgetPolicy")) {
    read_budget_policy(*steps, title_, policy.gate, report_);
  }
}

void PolicyReader::read_excluded(MapReader& reader, Policy& policy) {
  const YamlNode* share = reader.find("reservedBudget");
  policy.reserve = read_share(reader, "reservedBudget", false);
  if (policy.reserve && *policy.reserve == Decimal{1, 0}) {
    report_.error(*share, "'reservedBudget' of " + title_ + " must leave something of the budget");
  }
  const YamlNode* node = reader.find("exclusions");
  if (node == nullptr) return;
  policy.exclusions = read_exclusions(*node, title_, report_);
  if (!policy.exclusions || share != nullptr) return;
  for (const slo::ExclusionSpec& one : *policy.exclusions) {
    if (one.effect != slo::ExclusionEffect::reserve) continue;
    report_.error(*node,
                  "exclusion '" + one.name + "' of " + title_ +
                      " has the effect 'reserve', but nothing is reserved",
                  "reservedBudget: \"0.2\" sets 20 % of the budget aside");
    return;
  }
}

Policy PolicyReader::read() {
  Policy policy;
  policy.document = &document_;
  MapReader reader(*document_.spec, "spec of " + title_, report_);
  if (!reader.is_map()) return policy;
  check_description(reader, report_);
  read_scope(reader, policy);
  if (const YamlNode* rules = reader.find("burnAlerts")) {
    policy.rules = read_rules(*rules, "burnAlerts", &PolicyReader::read_rule);
  }
  if (const YamlNode* rules = reader.find("budgetAlerts")) {
    policy.budget_rules = read_rules(*rules, "budgetAlerts", &PolicyReader::read_budget_rule);
  }
  if (const YamlNode* rules = reader.find("earlyWarnings")) {
    policy.warnings = read_rules(*rules, "earlyWarnings", &PolicyReader::read_warning);
  }
  read_guards(reader, policy);
  read_data(reader, policy);
  read_gate(reader, policy);
  read_excluded(reader, policy);
  if (const YamlNode* node = reader.find("forecast")) {
    policy.forecast = read_forecast(*node, title_, report_);
  }
  not_used_yet(reader, "onNoData");
  reader.finish();
  return policy;
}

template <class To, class From>
void override_with(To& to, const std::optional<From>& from) {
  if (from) to = static_cast<To>(*from);
}

void drop(slo::AlertPolicy& alerts, slo::RuleKind kind) {
  std::erase_if(alerts.rules, [&](const slo::AlertRule& rule) { return rule.kind == kind; });
}

void apply_burn_rules(const std::vector<RuleDraft>& drafts, slo::SloSpec& spec, Reporter& report) {
  drop(spec.alerts, slo::RuleKind::burn);
  for (const auto& draft : drafts) {
    slo::AlertRule rule = draft.rule;
    if (draft.percent) rule.factor = factor_of(*draft.percent, spec.window_s, rule.long_s);
    check_rule(spec, rule, *draft.at, report);
    spec.alerts.rules.push_back(std::move(rule));
  }
}

void apply_budget_rules(const std::vector<RuleDraft>& drafts, slo::SloSpec& spec,
                        Reporter& report) {
  std::vector<slo::AlertRule>& rules = spec.alerts.rules;
  drop(spec.alerts, slo::RuleKind::budget);
  for (const auto& draft : drafts) {
    slo::AlertRule rule = draft.rule;
    rule.long_s = rule.short_s = spec.window_s;
    const bool named = std::any_of(rules.begin(), rules.end(),
                                   [&](const auto& other) { return other.name == rule.name; });
    if (named) {
      report.error(*draft.at, "a budget alert of SLO '" + spec.name +
                                  "' is called like a burn alert: '" + rule.name + "'");
      continue;
    }
    check_rule(spec, rule, *draft.at, report);
    rules.push_back(std::move(rule));
  }
}

// Those of a composite are of its parts.
void apply_rules(const Policy& policy, slo::SloSpec& spec, Reporter& report) {
  if (spec.composite.used()) return;
  if (policy.rules) apply_burn_rules(*policy.rules, spec, report);
  if (policy.budget_rules) apply_budget_rules(*policy.budget_rules, spec, report);
  if (!policy.warnings) return;
  drop(spec.alerts, slo::RuleKind::threshold);
  for (const auto& warning : *policy.warnings) {
    if (fits_early_warning(spec, warning, report)) spec.alerts.rules.push_back(warning.rule);
  }
}

void apply(const Policy& policy, slo::SloSpec& spec, Reporter& report) {
  slo::AlertPolicy& alerts = spec.alerts;
  apply_rules(policy, spec, report);
  override_with(alerts.high_value, policy.high_value);
  override_with(alerts.min_bad, policy.min_bad);
  override_with(alerts.significance, policy.significance);
  override_with(alerts.resolve_ratio, policy.resolve_ratio);
  override_with(alerts.resolve_evaluations, policy.evaluations);
  override_with(alerts.cooldown_s, policy.cooldown_s);
  override_with(spec.exclusions, policy.exclusions);
  override_with(spec.reserve, policy.reserve);
  apply_gate(policy.gate, spec.gate);
  override_with(spec.data.late_horizon_s, policy.late_horizon_s);
  override_with(spec.data.max_future_skew_s, policy.max_future_skew_s);
  override_with(spec.data.min_coverage, policy.min_coverage);
  override_with(spec.data.stale_after_s, policy.stale_after_s);
  apply_forecast(policy.forecast, spec, report);
}

bool refers_to(const Policy& policy, const DraftSlo& slo) {
  return policy.ref != nullptr &&
         (policy.ref->text == slo.spec.name || policy.ref->text == slo.document->meta.name);
}

// The policy with the best right to `slo`; two with the same right are reported.
const Policy* choose(const std::vector<Policy>& policies, const DraftSlo& slo, Reporter& report) {
  const Policy* best = nullptr;
  int best_rank = 0;
  for (const auto& policy : policies) {
    const bool named = policy.ref != nullptr && policy.ref->text == slo.spec.name;
    const int rank = named                                  ? 3
                     : refers_to(policy, slo)               ? 2
                     : policy.tiers.contains(slo.spec.tier) ? 1
                                                            : 0;
    if (rank != 0 && rank == best_rank) {
      report.error(*policy.document->spec,
                   policy.document->title() + " and " + best->document->title() +
                       " both apply to SLO '" + slo.spec.name + "'",
                   "let one of them name it with sloRef");
    }
    if (rank > best_rank) {
      best = &policy;
      best_rank = rank;
    }
  }
  return best;
}

// A policy that no SLO answers to. SLOs with errors are not among `slos`, but do exist.
void check_used(const Policy& policy, const Documents& documents, const std::vector<DraftSlo>& slos,
                Reporter& report) {
  const bool used = std::any_of(slos.begin(), slos.end(), [&](const DraftSlo& slo) {
    return refers_to(policy, slo) || policy.tiers.contains(slo.spec.tier);
  });
  if (used) return;
  if (policy.ref != nullptr && documents.find("SLO", policy.ref->text) == nullptr) {
    report.error(*policy.ref,
                 policy.document->title() + " refers to SLO " + describe(*policy.ref) +
                     ", which does not exist",
                 documents.hint_for("SLO", policy.ref->text));
  } else if (!policy.tiers.empty()) {
    report.warning(*policy.document->spec, policy.document->title() + " applies to no SLO");
  }
}

}  // namespace

void apply_policies(const Documents& documents, std::vector<DraftSlo>& slos, Reporter& report) {
  std::vector<Policy> policies;
  for (const Document* document : documents.all("SLOPolicy")) {
    policies.push_back(PolicyReader(*document, report).read());
  }
  for (auto& slo : slos) {
    const Policy* policy = choose(policies, slo, report);
    if (policy == nullptr) continue;
    if (slo.has_own_rules && policy->rules) {
      report.warning(
          *policy->document->spec,
          policy->document->title() + " replaces the alertPolicies of SLO '" + slo.spec.name + "'");
    }
    apply(*policy, slo.spec, report);
  }
  for (const auto& policy : policies) check_used(policy, documents, slos, report);
}

}  // namespace nines::agent::config
