#include "view/alerts_view.hpp"

#include <algorithm>

#include "nines/base/bytes_text.hpp"
#include "nines/base/fnv1a.hpp"
#include "view/status_json.hpp"
#include "view/text.hpp"

namespace nines::agent::view {
namespace {

using slo::AlertEvent;

const char* name_of(AlertEvent::Kind kind) {
  switch (kind) {
    case AlertEvent::Kind::fired: return "fired";
    case AlertEvent::Kind::resolved: return "resolved";
    case AlertEvent::Kind::rows: return "rows";
  }
  return "";
}

AlertEvent left_firing(const slo::SloStatus& s, const slo::RuleState& rule) {
  AlertEvent out;
  out.slo = s.slo;
  out.service = s.service;
  out.rule = rule.rule.name;
  out.severity = rule.rule.severity;
  out.at = out.since = rule.since;
  out.summary = rule_summary(s, rule);
  out.priority = slo::priority_of(rule.rule.severity, s.tier);
  return out;
}

}  // namespace

std::string AlertLine::key() const { return id + "." + name_of(event.kind); }

std::string alert_id(const AlertEvent& event) {
  const std::string named =
      event.slo + '\n' + event.rule + '\n' + std::to_string(event.since.ns / kNsPerMs);
  return hex_of(fnv1a64(named));
}

std::vector<AlertLine> alerts_of(const Snapshot& snapshot) {
  std::vector<AlertLine> out;
  const auto add = [&](const AlertEvent& event, bool firing) {
    AlertLine line{event, firing, alert_id(event), "", {}, ""};
    if (const std::string* incident = event.detail("incident")) line.incident = *incident;
    out.push_back(std::move(line));
  };
  for (const AlertShown& shown : snapshot.recent_alerts) add(shown.event, shown.firing);
  for (const slo::SloStatus& s : snapshot.slos) {
    for (const slo::RuleState& rule : s.rules) {
      if (!rule.firing) continue;
      const AlertEvent event = left_firing(s, rule);
      const bool known = std::any_of(out.begin(), out.end(), [&](const AlertLine& line) {
        return line.event.slo == event.slo && line.event.rule == event.rule &&
               line.event.kind == AlertEvent::Kind::fired && line.event.since == event.since;
      });
      if (!known) add(event, true);
    }
  }
  std::stable_sort(out.begin(), out.end(),
                   [](const AlertLine& a, const AlertLine& b) { return a.event.at > b.event.at; });
  return out;
}

void write_alert_line(JsonWriter& json, const AlertLine& alert) {
  const AlertEvent& e = alert.event;
  json.begin_object().member("id", alert.id).member("sequence", e.sequence);
  json.member("kind", name_of(e.kind)).member("firing", alert.firing);
  json.member("slo", e.slo).member("service", e.service).member("rule", e.rule);
  json.member("severity", e.severity).member("priority", priority_name(e.priority));
  json.member("since", e.since).member("at", e.at).member("summary", e.summary);
  json.key("incident");
  if (alert.incident.empty()) {
    json.null();
  } else {
    json.value(alert.incident);
  }
  json.member("acknowledged", alert.acknowledged);
  json.member("acknowledged_by", alert.acknowledged_by).end_object();
}

}  // namespace nines::agent::view
