#include "view/services_view.hpp"

#include <algorithm>
#include <array>
#include <map>

#include "view/text.hpp"

namespace nines::agent::view {
namespace {

using slo::SloStatus;

constexpr size_t kWorst = 5;

// Healthy, not known, degrading, violated.
int badness(slo::State state) {
  switch (state) {
    case slo::State::healthy: return 0;
    case slo::State::no_data: return 1;
    case slo::State::degrading: return 2;
    case slo::State::violated: return 3;
  }
  return 0;
}

void take_higher(std::optional<double>& to, const std::optional<double>& from) {
  if (from && (!to || *from > *to)) to = from;
}

void add_slo(ServiceShown& service, const SloStatus& s) {
  if (service.slos.empty() || badness(s.state) > badness(service.state)) service.state = s.state;
  service.slos.push_back(&s);
  service.tier = std::min(service.tier, s.tier);
  service.risk = std::max(service.risk, s.risk);
  service.release = std::max(service.release, s.gate.decision);
  service.trend = std::max(service.trend, s.forecast.burn_rate_trend);
  if (s.error_budget_remaining &&
      (!service.remaining || *s.error_budget_remaining < *service.remaining)) {
    service.remaining = s.error_budget_remaining;
  }
  take_higher(service.burn_5m, s.burn_5m.burn);
  take_higher(service.burn_1h, s.burn_1h.burn);
  take_higher(service.burn_24h, s.burn_24h.burn);
  take_higher(service.composite, s.composite_burn_rate);
  service.alerts_firing += firing_rules(s);
  service.timestamp = std::max(service.timestamp, s.timestamp);
}

// What is known of its configuration.
void add_specs(ServiceShown& service, const SpecOf& specs) {
  for (const SloStatus* s : service.slos) {
    const slo::SloSpec* const spec = specs ? specs(s->slo) : nullptr;
    if (spec == nullptr) continue;
    if (service.owner.empty()) service.owner = spec->owner;
    if (service.description.empty()) service.description = spec->description;
  }
}

bool is_worse_service(const ServiceShown& a, const ServiceShown& b) {
  if (a.risk != b.risk) return a.risk > b.risk;
  const double left_a = a.remaining.value_or(2), left_b = b.remaining.value_or(2);
  if (left_a != left_b) return left_a < left_b;
  return a.name < b.name;
}

// The level that the burn of one window alone stands for; nullopt: nothing was counted in it.
std::optional<slo::Risk> risk_of_window(const SloStatus& s, const slo::BurnWindow& window) {
  if (!window.burn) return std::nullopt;
  const auto budget = slo::budget_of(s.target);
  const auto below = [&](Decimal level) {
    if (s.parts.empty() && budget && window.counts.total() > 0) {
      return slo::compare_burn({window.counts.bad, window.counts.total()}, *budget, level) < 0;
    }
    return *window.burn < level.to_double();
  };
  if (below(s.policy.observe)) return slo::Risk::safe;
  if (below(s.policy.danger)) return slo::Risk::observe;
  const bool above = s.parts.empty() && budget && window.counts.total() > 0
                         ? slo::compare_burn({window.counts.bad, window.counts.total()}, *budget,
                                             s.policy.freeze_above) > 0
                         : *window.burn > s.policy.freeze_above.to_double();
  return above ? slo::Risk::freeze : slo::Risk::danger;
}

struct Cell {
  std::optional<double> burn;
  std::optional<slo::Risk> risk;
  std::string_view slo;  // the worst there
};

void take_worse(Cell& cell, const SloStatus& s, const std::optional<double>& burn,
                std::optional<slo::Risk> risk) {
  if (!risk || (cell.risk && (*risk < *cell.risk || (*risk == *cell.risk && burn <= cell.burn))))
    return;
  cell = {burn, risk, s.slo};
}

void write_cell(JsonWriter& json, const char* window, const Cell& cell) {
  json.begin_object().member("window", window).member("burn_rate", cell.burn);
  json.key("risk_level");
  if (cell.risk) {
    json.value(slo::risk_name(*cell.risk));
  } else {
    json.null();
  }
  json.key("slo");
  if (cell.slo.empty()) {
    json.null();
  } else {
    json.value(cell.slo);
  }
  json.end_object();
}

void write_row(JsonWriter& json, const ServiceShown& service) {
  std::array<Cell, 4> cells;
  for (const SloStatus* s : service.slos) {
    take_worse(cells[0], *s, s->burn_5m.burn, risk_of_window(*s, s->burn_5m));
    take_worse(cells[1], *s, s->burn_1h.burn, risk_of_window(*s, s->burn_1h));
    take_worse(cells[2], *s, s->burn_24h.burn, risk_of_window(*s, s->burn_24h));
    if (s->composite_burn_rate) take_worse(cells[3], *s, s->composite_burn_rate, s->risk);
  }
  json.begin_object().member("service", service.name).member("tier", service.tier);
  json.member("risk_level", slo::risk_name(service.risk)).key("cells").begin_array();
  write_cell(json, "5m", cells[0]);
  write_cell(json, "1h", cells[1]);
  write_cell(json, "24h", cells[2]);
  write_cell(json, "all", cells[3]);
  json.end_array().end_object();
}

const char* kind_name(slo::RuleKind kind) {
  switch (kind) {
    case slo::RuleKind::burn: return "burn";
    case slo::RuleKind::budget: return "budget";
    case slo::RuleKind::threshold: return "threshold";
  }
  return "";
}

const char* indicator_name(const slo::SloSpec& spec) {
  if (spec.composite.used()) return "composite";
  return spec.indicator.kind == slo::SliKind::ratio ? "ratio" : "threshold";
}

template <class Names, class Of>
void write_counts(JsonWriter& json, const char* key, const Snapshot& snapshot, Names name, Of of,
                  int kinds) {
  std::array<size_t, 4> counts{};
  for (const SloStatus& s : snapshot.slos) {
    if (s.group_of.empty()) ++counts[static_cast<size_t>(of(s))];
  }
  json.key(key).begin_object();
  for (int i = 0; i < kinds; ++i) json.member(name(i), counts[static_cast<size_t>(i)]);
  json.end_object();
}

}  // namespace

size_t firing_rules(const SloStatus& status) {
  const auto fires = [](const slo::RuleState& rule) { return rule.firing; };
  return static_cast<size_t>(std::count_if(status.rules.begin(), status.rules.end(), fires)) +
         (status.forecast.warning ? 1 : 0);
}

bool is_worse(const SloStatus& a, const SloStatus& b) {
  if (a.risk != b.risk) return a.risk > b.risk;
  const double left_a = a.error_budget_remaining.value_or(2);
  const double left_b = b.error_budget_remaining.value_or(2);
  if (left_a != left_b) return left_a < left_b;
  return a.slo < b.slo;
}

std::vector<ServiceShown> services_of(const Snapshot& snapshot, const SpecOf& specs) {
  std::map<std::string_view, ServiceShown> by_name;
  for (const SloStatus& s : snapshot.slos) {
    if (s.group_of.empty()) add_slo(by_name[s.service], s);
  }
  for (const OpenIncident& one : snapshot.incidents.open) {
    const auto found = by_name.find(one.service);
    if (found != by_name.end()) ++found->second.incidents_open;
  }
  std::vector<ServiceShown> out;
  for (auto& [name, service] : by_name) {
    service.name = name;
    std::sort(service.slos.begin(), service.slos.end(),
              [](const SloStatus* a, const SloStatus* b) { return is_worse(*a, *b); });
    add_specs(service, specs);
    out.push_back(std::move(service));
  }
  std::sort(out.begin(), out.end(), is_worse_service);
  return out;
}

void write_service_members(JsonWriter& json, const ServiceShown& service) {
  json.member("name", service.name).member("tier", service.tier);
  json.member("owner", service.owner).member("description", service.description);
  json.key("slos").begin_array();
  for (const SloStatus* s : service.slos) json.value(s->slo);
  json.end_array().member("state", slo::state_name(service.state));
  json.member("risk_level", slo::risk_name(service.risk));
  json.member("release", slo::release_name(service.release));
  json.member("error_budget_remaining", service.remaining);
  json.member("burn_rate_5m", service.burn_5m).member("burn_rate_1h", service.burn_1h);
  json.member("burn_rate_24h", service.burn_24h);
  json.member("composite_burn_rate", service.composite);
  json.member("burn_rate_trend", slo::trend_name(service.trend));
  json.member("alerts_firing", service.alerts_firing);
  json.member("incidents_open", service.incidents_open);
  json.member("timestamp", service.timestamp);
}

std::vector<const SloStatus*> slos_of(const Snapshot& snapshot, std::string_view name) {
  std::vector<const SloStatus*> of_service;
  for (const SloStatus& s : snapshot.slos) {
    if (s.slo == name) return {&s};
    if (s.service == name && s.group_of.empty()) of_service.push_back(&s);
  }
  std::sort(of_service.begin(), of_service.end(),
            [](const SloStatus* a, const SloStatus* b) { return is_worse(*a, *b); });
  return of_service;
}

void write_target(JsonWriter& json, const slo::SloSpec& spec) {
  json.begin_object().member("slo", spec.name).member("service", spec.service);
  json.member("target", spec.target);
  json.member("window", format_duration_s(spec.window_s));
  json.member("budgeting_method", slo::budgeting_name(spec.budgeting));
  json.member("indicator", indicator_name(spec)).member("description", spec.description);
  json.member("owner", spec.owner).member("tier", spec.tier).key("threshold");
  if (spec.indicator.kind == slo::SliKind::threshold && !spec.composite.used()) {
    json.value(spec.threshold);
  } else {
    json.null();
  }
  json.member("unit", spec.indicator.unit).member("configured_in", spec.origin);
  json.key("rules").begin_array();
  for (const slo::AlertRule& rule : spec.alerts.rules) {
    json.begin_object().member("name", rule.name).member("severity", rule.severity);
    json.member("kind", kind_name(rule.kind)).member("factor", rule.factor);
    json.member("long_window", window_name(rule.long_s));
    json.member("short_window", window_name(rule.short_s)).end_object();
  }
  json.end_array().end_object();
}

std::string heatmap_json(const Snapshot& snapshot, const SpecOf& specs) {
  const auto services = services_of(snapshot, specs);
  WallTime newest{};
  for (const ServiceShown& one : services) newest = std::max(newest, one.timestamp);
  std::string out;
  JsonWriter json(out, 2);
  json.begin_object().member("timestamp", newest).key("windows").begin_array();
  for (const char* window : {"5m", "1h", "24h", "all"}) json.value(window);
  json.end_array().key("services").begin_array();
  for (const ServiceShown& one : services) write_row(json, one);
  json.end_array().end_object();
  return out += '\n';
}

std::string summary_json(const Snapshot& snapshot, const SpecOf& specs, const SummaryFacts& facts) {
  const auto services = services_of(snapshot, specs);
  WallTime newest{};
  size_t firing = 0, slos = 0;
  slo::Release release = slo::Release::go;
  for (const ServiceShown& one : services) {
    newest = std::max(newest, one.timestamp);
    firing += one.alerts_firing;
    slos += one.slos.size();
    release = std::max(release, one.release);
  }
  std::string out;
  JsonWriter json(out, 2);
  json.begin_object().member("node", snapshot.node).member("timestamp", newest);
  json.member("headline", facts.headline).member("services", services.size());
  json.member("slos", slos);
  write_counts(
      json, "by_risk", snapshot, [](int i) { return slo::risk_name(static_cast<slo::Risk>(i)); },
      [](const SloStatus& s) { return s.risk; }, 4);
  write_counts(
      json, "by_state", snapshot, [](int i) { return slo::state_name(static_cast<slo::State>(i)); },
      [](const SloStatus& s) { return s.state; }, 4);
  json.member("release", slo::release_name(release)).member("alerts_firing", firing);
  json.member("incidents_open", snapshot.incidents.open.size());
  json.key("nodes").begin_object().member("all", facts.nodes).member("alive", facts.nodes_alive);
  json.end_object().key("worst").begin_array();
  for (size_t i = 0; i < std::min(services.size(), kWorst); ++i) {
    json.begin_object();
    write_service_members(json, services[i]);
    json.end_object();
  }
  json.end_array().end_object();
  return out += '\n';
}

}  // namespace nines::agent::view
