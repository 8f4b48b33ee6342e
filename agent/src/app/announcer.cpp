#include "app/announcer.hpp"

#include "nines/base/json_writer.hpp"
#include "view/changes_view.hpp"
#include "view/text.hpp"

namespace nines::agent {
namespace {

void write_or_null(JsonWriter& json, const char* key, const std::string& text) {
  json.key(key);
  if (text.empty()) {
    json.null();
  } else {
    json.value(text);
  }
}

void write_names(JsonWriter& json, const std::vector<std::string>& names) {
  json.key("alerts").begin_array();
  for (const std::string& name : names) json.value(name);
  json.end_array();
}

}  // namespace

void Announcer::look(const Seen& seen) {
  look_at_slos(seen.slos);
  look_at_incidents(seen.incidents);
  look_at_nodes(seen.nodes);
  look_at_remedies(seen.remedies);
  looked_ = true;
  if (seen.now.ns - ticked_.ns < kTickEveryS * kNsPerSecond && seen.now >= ticked_) return;
  ticked_ = seen.now;
  std::string data;
  JsonWriter(data)
      .begin_object()
      .member("now", seen.now)
      .member("watermark", seen.watermark)
      .end_object();
  hub_.tick(data);
}

void Announcer::look_at_slos(const std::vector<slo::SloStatus>& slos) {
  std::map<std::string, SloSeen> now;
  for (const slo::SloStatus& s : slos) {
    SloSeen is{s.service,
               std::string(slo::state_name(s.state)),
               std::string(slo::risk_name(s.risk)),
               std::string(slo::release_name(s.gate.decision)),
               {}};
    for (const slo::RuleState& rule : s.rules) {
      if (rule.firing) is.alerts.push_back(rule.rule.name);
    }
    if (s.forecast.warning) is.alerts.emplace_back("forecast");
    const auto was = slos_.find(s.slo);
    const bool news = was == slos_.end();
    if (looked_ && (news || !(was->second == is))) tell_slo(s, is, news ? nullptr : &was->second);
    now[s.slo] = std::move(is);
  }
  for (const auto& [name, was] : slos_) {
    if (now.contains(name)) continue;
    std::string data;
    JsonWriter json(data);
    json.begin_object().member("slo", name).member("service", was.service).member("gone", true);
    json.end_object();
    hub_.publish("slo", data);
  }
  slos_ = std::move(now);
}

void Announcer::tell_slo(const slo::SloStatus& s, const SloSeen& is, const SloSeen* was) {
  std::string data;
  JsonWriter json(data);
  json.begin_object().member("slo", s.slo).member("service", s.service);
  json.member("state", is.state).member("risk_level", is.risk).member("release", is.release);
  write_names(json, is.alerts);
  json.member("error_budget_remaining", s.error_budget_remaining);
  json.member("composite_burn_rate", s.composite_burn_rate).key("was");
  if (was == nullptr) {
    json.null();
  } else {
    json.begin_object().member("state", was->state).member("risk_level", was->risk);
    json.member("release", was->release);
    write_names(json, was->alerts);
    json.end_object();
  }
  json.member("timestamp", s.timestamp).end_object();
  hub_.publish("slo", data);
}

void Announcer::look_at_incidents(const std::vector<OpenIncident>& open) {
  std::map<std::string, IncidentSeen> now;
  for (const OpenIncident& one : open) {
    IncidentSeen is{one.state, one.title, one.service, one.suspect, one.severity, one.since};
    const auto was = incidents_.find(one.id);
    const bool news = was == incidents_.end();
    if (looked_ && (news || !(was->second == is)))
      tell_incident(one.id, news ? "opened" : "changed", is);
    now[one.id] = std::move(is);
  }
  for (const auto& [id, was] : incidents_) {
    if (now.contains(id)) continue;
    IncidentSeen is = was;
    is.state = "resolved";
    tell_incident(id, "resolved", is);
  }
  incidents_ = std::move(now);
}

void Announcer::tell_incident(const std::string& id, const char* change, const IncidentSeen& is) {
  std::string data;
  JsonWriter json(data);
  json.begin_object().member("id", id).member("change", change).member("state", is.state);
  json.member("severity", view::priority_name(is.severity)).member("title", is.title);
  json.member("service", is.service).member("since", is.since);
  write_or_null(json, "suspect", is.suspect);
  json.end_object();
  hub_.publish("incident", data);
}

void Announcer::look_at_nodes(const std::vector<std::pair<std::string, std::string>>& nodes) {
  std::map<std::string, std::string> now;
  for (const auto& [node, state] : nodes) {
    const auto was = nodes_.find(node);
    const std::string before = was == nodes_.end() ? std::string() : was->second;
    if (looked_ && before != state) tell_node(node, state, before);
    now[node] = state;
  }
  for (const auto& [node, was] : nodes_) {
    if (!now.contains(node)) tell_node(node, "left", was);
  }
  nodes_ = std::move(now);
}

void Announcer::tell_node(const std::string& node, const std::string& state,
                          const std::string& was) {
  std::string data;
  JsonWriter json(data);
  json.begin_object().member("node", node).member("state", state);
  write_or_null(json, "was", was);
  json.end_object();
  hub_.publish("fleet", data);
}

void Announcer::look_at_remedies(const Remedies& remedies) {
  if (looked_ && !(remedies == remedies_)) {
    std::string data;
    JsonWriter json(data);
    json.begin_object().member("enabled", remedies.enabled).member("stopped", remedies.stopped);
    json.member("waiting", remedies.waiting).member("acts", remedies.acts).end_object();
    hub_.publish("remedy", data);
  }
  remedies_ = remedies;
}

void Announcer::alert(const view::AlertLine& alert) {
  std::string data;
  JsonWriter json(data);
  view::write_alert_line(json, alert);
  hub_.publish("alert", data);
}

void Announcer::change(const slo::Change& change) {
  std::string data;
  JsonWriter json(data);
  view::write_change(json, change);
  hub_.publish("change", data);
}

}  // namespace nines::agent
