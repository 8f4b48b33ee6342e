#include "config/alerting.hpp"

#include <algorithm>
#include <cstdio>
#include <utility>

#include "nines/base/time.hpp"

namespace nines::agent::config {
namespace {

constexpr int64_t kSlot = 10;
constexpr int64_t kMaxLookback = 92 * 86400;

// 1 / budget for people: "10", "666.667".
std::string quotient(Decimal budget) {
  char buffer[32];
  std::snprintf(buffer, sizeof buffer, "%.6g", 1.0 / budget.to_double());
  return buffer;
}

struct Condition {
  std::optional<slo::AlertRule> rule;  // none: cannot be mapped, which has been told
};

// The words teams use for what wakes somebody up; the rest becomes a ticket.
std::string severity_of(std::string_view text) {
  constexpr std::string_view kPages[] = {"page", "critical", "high",   "sev1",     "sev-1",
                                         "p0",   "p1",       "urgent", "emergency"};
  std::string word(text);
  for (char& c : word) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  const bool page = std::find(std::begin(kPages), std::end(kPages), word) != std::end(kPages);
  return page ? "page" : "ticket";
}

// "The condition must hold for alertAfter" becomes the short window of a multi-window rule, which
// has the same purpose (and resolves faster); without it the Workbook's long / 12.
int64_t short_window(int64_t long_s, int64_t alert_after_s) {
  if (alert_after_s >= kSlot && alert_after_s < long_s) return alert_after_s / kSlot * kSlot;
  return std::max(kSlot, long_s / 12 / kSlot * kSlot);
}

Condition read_burn_rate(const YamlNode& node, const std::string& name, const std::string& severity,
                         Reporter& report) {
  const std::string title = "condition of AlertCondition '" + name + "'";
  MapReader reader(node, title, report);
  const YamlNode* kind = reader.find("kind");
  const YamlNode* op = reader.require("op");
  const YamlNode* threshold = reader.require("threshold");
  const YamlNode* lookback = reader.require("lookbackWindow");
  const YamlNode* after = reader.find("alertAfter");
  reader.finish();
  if (kind != nullptr && kind->text != "burnrate" && kind->text != "BurnRate") {
    report.warning(*kind,
                   "AlertCondition '" + name + "' of kind " + describe(*kind) + " is not used",
                   "Nines knows kind burnrate");
    return {};
  }
  if (op == nullptr || threshold == nullptr || lookback == nullptr) return {};
  const auto word = read_choice(*op, "op of " + title, {"lte", "gte", "lt", "gt"}, report);
  const auto factor = read_decimal(*threshold, "threshold of " + title, report);
  const auto long_s =
      read_duration_s(*lookback, "lookbackWindow of " + title, 0, kMaxLookback, report);
  const auto after_s =
      after == nullptr ? std::optional<int64_t>(0)
                       : read_duration_s(*after, "alertAfter of " + title, 0, kMaxLookback, report);
  if (!word || !factor || !long_s || !after_s) return {};
  if (word->starts_with("lt")) {
    report.warning(*op,
                   "AlertCondition '" + name + "' alerts while the burn rate is low (op: " + *word +
                       "): not used",
                   "op: gt alerts when the budget burns too fast");
    return {};
  }
  if (*factor <= Decimal{0, 0} || *long_s < 2 * kSlot || *long_s % kSlot != 0) {
    report.warning(node, "AlertCondition '" + name +
                             "' is not used: it needs a threshold above 0 " +
                             "and a lookbackWindow of whole 10s, at least 20s");
    return {};
  }
  const int64_t short_s = short_window(*long_s, *after_s);
  if (*after_s > 0) {
    report.warning(*after,
                   "alertAfter of AlertCondition '" + name + "' is taken as the short window: " +
                       "the alert fires when the burn rate is above " + factor->to_string() +
                       " over both " + format_duration_s(*long_s) + " and " +
                       format_duration_s(short_s),
                   "write an SLOPolicy to choose both windows");
  }
  return {slo::AlertRule{name, severity, *long_s, short_s, *factor}};
}

// `spec` of an AlertCondition.
Condition read_condition(const YamlNode& spec, const std::string& name, Reporter& report) {
  MapReader reader(spec, "spec of AlertCondition '" + name + "'", report);
  check_description(reader, report);
  const YamlNode* severity = reader.require("severity", "severity: page or severity: ticket");
  const YamlNode* condition = reader.require("condition");
  reader.finish();
  if (severity == nullptr || condition == nullptr) return {};
  const auto word = read_text(*severity, "severity", report);
  return read_burn_rate(*condition, name, severity_of(word.value_or("")), report);
}

Condition read_condition_item(const YamlNode& item, const std::string& title,
                              const Documents& documents, Reporter& report) {
  MapReader reader(item, "a condition of " + title, report);
  if (const YamlNode* ref = reader.find("conditionRef")) {
    reader.finish();
    const Document* found = documents.find("AlertCondition", ref->text);
    if (found != nullptr) {
      // Its problems are told by check_alert_documents.
      std::vector<Diagnostic> told;
      Reporter quiet(told);
      return read_condition(*found->spec, found->meta.name, quiet);
    }
    report.error(*ref,
                 title + " refers to AlertCondition " + describe(*ref) + ", which does not exist",
                 documents.hint_for("AlertCondition", ref->text));
    return {};
  }
  skip_envelope(reader);
  const YamlNode* meta = reader.require("metadata", "or conditionRef: NAME");
  const YamlNode* spec = reader.require("spec");
  reader.finish();
  if (meta == nullptr || spec == nullptr) return {};
  const Metadata metadata = read_metadata(*meta, "a condition of " + title, report);
  return read_condition(*spec, metadata.name, report);
}

// A target that Nines can't tell is a note: the alert itself is still told.
void note_target(const YamlNode& at, const std::string& name, const std::string& title,
                 const Documents& documents, Reporter& report) {
  const auto& known = documents.notifiers();
  if (std::find(known.begin(), known.end(), name) != known.end()) return;
  report.warning(at,
                 title + " notifies '" + name + "', but nines.yaml has no webhook of that name: " +
                     "its alerts go to the log and to every webhook",
                 "webhooks: [{name: " + name + ", url: \"https://...\"}]");
}

void check_target_item(const YamlNode& item, const std::string& title, const Documents& documents,
                       Reporter& report) {
  MapReader reader(item, "a notification target of " + title, report);
  const YamlNode* ref = reader.find("targetRef");
  if (ref != nullptr) {
    reader.finish();
    if (documents.find("AlertNotificationTarget", ref->text) != nullptr) {
      note_target(*ref, ref->text, title, documents, report);
      return;
    }
    report.warning(
        *ref,
        title + " refers to AlertNotificationTarget " + describe(*ref) + ", which does not exist",
        documents.hint_for("AlertNotificationTarget", ref->text));
    return;
  }
  skip_envelope(reader);
  const YamlNode* meta = reader.require("metadata", "or targetRef: NAME");
  const YamlNode* spec = reader.require("spec");
  reader.finish();
  if (meta == nullptr || spec == nullptr) return;
  const Metadata metadata = read_metadata(*meta, "a notification target of " + title, report);
  MapReader inner(*spec, "spec of a notification target of " + title, report);
  check_description(inner, report);
  inner.require("target");
  inner.finish();
  note_target(*meta, metadata.name, title, documents, report);
}

void warn_about_switches(MapReader& reader, const std::string& title, bool& enabled,
                         Reporter& report) {
  if (const YamlNode* node = reader.find("alertWhenBreaching")) {
    enabled = read_bool(*node, "alertWhenBreaching", report).value_or(true);
    if (!enabled)
      report.warning(*node, title + " does not alert when breaching: its rule is not used");
  }
  if (const YamlNode* node = reader.find("alertWhenResolved")) {
    read_bool(*node, "alertWhenResolved", report);  // resolutions are always told
  }
  if (const YamlNode* node = reader.find("alertWhenNoData")) {
    if (read_bool(*node, "alertWhenNoData", report).value_or(false)) {
      report.warning(*node, "alertWhenNoData of " + title +
                                " is not used yet: NO_DATA is shown in " +
                                "the status and freezes alerts");
    }
  }
}

// `spec` of an AlertPolicy.
std::vector<slo::AlertRule> read_policy(const YamlNode& spec, const std::string& title,
                                        const Documents& documents, Reporter& report) {
  MapReader reader(spec, "spec of " + title, report);
  check_description(reader, report);
  bool enabled = true;
  warn_about_switches(reader, title, enabled, report);
  const YamlNode* conditions = reader.require("conditions");
  const YamlNode* targets = reader.find("notificationTargets");
  reader.finish();
  if (targets != nullptr) {
    for (const YamlNode* item : read_list(*targets, "notificationTargets of " + title, report)) {
      check_target_item(*item, title, documents, report);
    }
  }
  std::vector<slo::AlertRule> rules;
  if (conditions == nullptr) return rules;
  for (const YamlNode* item : read_list(*conditions, "conditions of " + title, report)) {
    auto condition = read_condition_item(*item, title, documents, report);
    if (condition.rule && enabled) rules.push_back(std::move(*condition.rule));
  }
  return rules;
}

std::vector<slo::AlertRule> read_policy_item(const YamlNode& item, const std::string& title,
                                             const Documents& documents, Reporter& report) {
  const YamlNode* ref = &item;  // a bare name is common in the wild
  if (item.kind != YamlNode::Kind::scalar) {
    MapReader reader(item, "an alert policy of " + title, report);
    ref = reader.find("alertPolicyRef");
    if (ref == nullptr) {
      skip_envelope(reader);
      const YamlNode* meta = reader.require("metadata", "or alertPolicyRef: NAME");
      const YamlNode* spec = reader.require("spec");
      reader.finish();
      if (meta == nullptr || spec == nullptr) return {};
      const Metadata metadata = read_metadata(*meta, "an alert policy of " + title, report);
      return read_policy(*spec, "AlertPolicy '" + metadata.name + "'", documents, report);
    }
    reader.finish();
  }
  const Document* found = documents.find("AlertPolicy", ref->text);
  if (found == nullptr) {
    report.error(*ref,
                 title + " refers to AlertPolicy " + describe(*ref) + ", which does not exist",
                 documents.hint_for("AlertPolicy", ref->text));
    return {};
  }
  std::vector<Diagnostic> told;
  Reporter quiet(told);
  return read_policy(*found->spec, found->title(), documents, quiet);
}

}  // namespace

void check_alert_documents(const Documents& documents, Reporter& report) {
  for (const Document* document : documents.all("AlertCondition")) {
    read_condition(*document->spec, document->meta.name, report);
  }
  for (const Document* document : documents.all("AlertPolicy")) {
    read_policy(*document->spec, document->title(), documents, report);
  }
  for (const Document* document : documents.all("AlertNotificationTarget")) {
    MapReader reader(*document->spec, "spec of " + document->title(), report);
    check_description(reader, report);
    reader.require("target");
    reader.finish();
  }
  for (const Document* document : documents.all("Service")) {
    MapReader reader(*document->spec, "spec of " + document->title(), report);
    check_description(reader, report);
    reader.finish();
  }
}

std::vector<slo::AlertRule> read_alert_policies(const YamlNode& node, const std::string& title,
                                                const Documents& documents, Reporter& report) {
  std::vector<slo::AlertRule> rules;
  const auto items = read_list(node, "alertPolicies of " + title, report);
  for (const YamlNode* item : items) {
    auto more = read_policy_item(*item, title, documents, report);
    rules.insert(rules.end(), more.begin(), more.end());
  }
  if (!items.empty() && rules.empty()) {
    report.warning(node,
                   title + " has alert policies, but none that can be used: the default burn " +
                       "alerts apply",
                   "write a nines/v1alpha1 SLOPolicy with burnAlerts");
  }
  return rules;
}

void check_rule(const slo::SloSpec& spec, const slo::AlertRule& rule, const YamlNode& at,
                Reporter& report) {
  const bool budget_rule = rule.kind == slo::RuleKind::budget;
  const std::string who = std::string(budget_rule ? "budget" : "burn") + " alert '" + rule.name +
                          "' of SLO '" + spec.name + "'";
  if (rule.long_s > spec.window_s) {
    report.error(at,
                 who + " looks back " + format_duration_s(rule.long_s) +
                     ", longer than the window " + format_duration_s(spec.window_s),
                 "choose shorter windows, in an SLOPolicy of its own with sloRef: " + spec.name);
    return;
  }
  // Burn is bad/total / (1 - target): with everything bad it is 1 / (1 - target), and no more.
  const auto budget = subtract({1, 0}, spec.target);
  const auto product = budget ? multiply(rule.factor, *budget) : std::nullopt;
  if (product && *product < Decimal{1, 0}) return;
  const std::string arithmetic = "1/(1 - " + spec.target.to_string() + ") = " + quotient(*budget) +
                                 ", the burn rate when every event is bad";
  const std::string hint =
      "lower the factor (budgetPercent), lengthen the long window, or raise the target";
  if (product && *product == Decimal{1, 0}) {
    report.warning(at,
                   who + " fires above its factor " + rule.factor.to_string() + ", but that is " +
                       arithmetic + ": it can never fire",
                   hint);
  } else {
    report.error(
        at,
        who + " can never fire: its factor " + rule.factor.to_string() + " is above " + arithmetic,
        hint);
  }
}

void check_rules(const slo::SloSpec& spec, const YamlNode& at, Reporter& report) {
  for (const auto& rule : spec.alerts.rules) check_rule(spec, rule, at, report);
}

}  // namespace nines::agent::config
