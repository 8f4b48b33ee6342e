#include <algorithm>

#include "app/snapshot.hpp"
#include "view/exposition.hpp"
#include "view/metrics_parts.hpp"
#include "view/text.hpp"

namespace nines::agent::view {
namespace {

using slo::SloStatus;

void slo_counts(Exposition& out, const Snapshot& s) {
  out.counter("nines_slo_events_total", "Events counted for the SLO, by result.");
  for (const SloStatus& slo : s.slos) {
    if (!slo.parts.empty()) continue;  // those of its parts, which would count twice in a sum
    out.sample(
        {{"slo", slo.slo}, {"service", slo.service}, {"group", slo.group}, {"result", "good"}},
        slo.good_total);
    out.sample(
        {{"slo", slo.slo}, {"service", slo.service}, {"group", slo.group}, {"result", "bad"}},
        slo.bad_total);
  }
  out.gauge("nines_slo_window_events", "Events in the rolling SLO window, by result.");
  for (const SloStatus& slo : s.slos) {
    if (!slo.parts.empty()) continue;
    out.sample(
        {{"slo", slo.slo}, {"service", slo.service}, {"group", slo.group}, {"result", "good"}},
        slo.window.good);
    out.sample(
        {{"slo", slo.slo}, {"service", slo.service}, {"group", slo.group}, {"result", "bad"}},
        slo.window.bad);
  }
}

template <class Value>
void slo_gauge(Exposition& out, const Snapshot& s, std::string_view name, std::string_view help,
               Value value) {
  out.gauge(name, help);
  for (const SloStatus& slo : s.slos) {
    out.sample({{"slo", slo.slo}, {"service", slo.service}, {"group", slo.group}}, value(slo));
  }
}

void slo_ratios(Exposition& out, const Snapshot& s) {
  slo_gauge(out, s, "nines_slo_target_ratio", "Share of good events that the SLO asks for.",
            [](const SloStatus& x) {
              return x.parts.empty() ? std::optional(x.target.to_double()) : std::nullopt;
            });
  slo_gauge(out, s, "nines_slo_window_seconds", "Length of the rolling SLO window.",
            [](const SloStatus& x) { return x.window_s; });
  slo_gauge(out, s, "nines_slo_sli_ratio", "Share of good events in the SLO window.",
            [](const SloStatus& x) { return x.sli; });
  slo_gauge(out, s, "nines_slo_composite_burn_rate",
            "Weighted burn rate: 0.40 of 5m, 0.35 of 1h, 0.25 of 24h.",
            [](const SloStatus& x) { return x.composite_burn_rate; });
  slo_gauge(out, s, "nines_slo_error_budget_remaining_ratio",
            "Share of the error budget that is left; negative when overspent.",
            [](const SloStatus& x) { return x.error_budget_remaining; });
  slo_gauge(out, s, "nines_slo_coverage_ratio",
            "Share of the window in which the logs of the SLO were read.",
            [](const SloStatus& x) { return x.coverage; });
  slo_gauge(out, s, "nines_slo_risk_level", "Risk: 0 SAFE, 1 OBSERVE, 2 DANGER, 3 FREEZE.",
            [](const SloStatus& x) { return static_cast<int64_t>(x.risk); });
}

void slo_burn(Exposition& out, const Snapshot& s) {
  out.gauge("nines_slo_burn_rate",
            "Speed at which the error budget is spent; 1 spends it exactly.");
  for (const SloStatus& slo : s.slos) {
    const auto one = [&](std::string_view window, const slo::BurnWindow& w) {
      out.sample(
          {{"slo", slo.slo}, {"service", slo.service}, {"group", slo.group}, {"window", window}},
          w.burn);
    };
    one("5m", slo.burn_5m);
    one("1h", slo.burn_1h);
    one("24h", slo.burn_24h);
  }
}

void slo_state(Exposition& out, const Snapshot& s) {
  static constexpr slo::State kStates[] = {slo::State::healthy, slo::State::degrading,
                                           slo::State::violated, slo::State::no_data};
  out.gauge("nines_slo_state", "1 for the state that the SLO is in, 0 for the others.");
  for (const SloStatus& slo : s.slos) {
    for (const slo::State state : kStates) {
      out.sample({{"slo", slo.slo},
                  {"service", slo.service},
                  {"group", slo.group},
                  {"state", slo::state_name(state)}},
                 slo.state == state);
    }
  }
  out.gauge("nines_alerts_firing", "1 while the rule fires.");
  for (const SloStatus& slo : s.slos) {
    const auto rule_of = [&](const std::string& name, const std::string& severity, bool firing) {
      out.sample({{"slo", slo.slo},
                  {"service", slo.service},
                  {"rule", name},
                  {"severity", severity},
                  {"priority", priority_name(slo::priority_of(severity, slo.tier))}},
                 firing);
    };
    for (const slo::RuleState& rule : slo.rules) {
      rule_of(rule.rule.name, rule.rule.severity, rule.firing);
    }
    if (!slo.forecast.warning_severity.empty()) {
      rule_of("forecast", slo.forecast.warning_severity, slo.forecast.warning);
    }
  }
}

void incidents(Exposition& out, const Snapshot& s) {
  if (!s.incidents.kept) return;
  out.gauge("nines_incidents_open", "Incidents that are not resolved.");
  for (int severity = 0; severity <= 3; ++severity) {
    const auto open = std::count_if(s.incidents.open.begin(), s.incidents.open.end(),
                                    [&](const auto& one) { return one.severity == severity; });
    out.sample({{"severity", priority_name(severity)}}, static_cast<int64_t>(open));
  }
  const auto counts = [&](const char* label, const IncidentsStatus::Counts& all) {
    for (const auto& [kind, times] : all) out.sample({{label, kind}}, times);
  };
  out.counter("nines_incident_transitions_total", "What became of incidents, by kind.");
  counts("kind", s.incidents.transitions);
  out.counter("nines_incident_told_total",
              "What was given to notifiers of incidents, by transition; beyond_limit: not told.");
  counts("transition", s.incidents.told);
  out.counter("nines_incident_dropped_total",
              "What was let go or left out of what finds incidents and causes, because there was "
              "no room, by what it was.");
  counts("what", s.incidents.dropped);
  out.counter("nines_incident_fleet_events_total",
              "Events of incidents as other nodes told them, by what became of them.");
  counts("outcome", s.incidents.fleet);
  out.single_gauge("nines_incident_request_thinning",
                   "Requests are followed one in two to the power of this, for want of room.",
                   uint64_t{s.incidents.thinning});
  if (s.incidents.rewrites.empty()) return;
  out.counter("nines_narrative_rewrites_total",
              "Narratives that a language model was asked to put into other words, by what became "
              "of them; all but accepted were told in plain sentences.");
  counts("outcome", s.incidents.rewrites);
}

void slo_forecast(Exposition& out, const Snapshot& s) {
  slo_gauge(out, s, "nines_slo_forecast_exhaustion_seconds",
            "Time until the error budget is forecast to be exhausted, 0 when it is; absent when it "
            "lasts for the horizon or nothing is known.",
            [](const SloStatus& x) {
              const auto& hours = x.forecast.time_to_exhaustion_hours;
              return hours ? std::optional<double>(*hours * 3600) : std::nullopt;
            });
  slo_gauge(out, s, "nines_slo_forecast_confidence",
            "How far the forecast is to be trusted: 0 low, 1 medium, 2 high.",
            [](const SloStatus& x) { return static_cast<int64_t>(x.forecast.confidence); });
}

void slo_values(Exposition& out, const Snapshot& s) {
  out.gauge("nines_slo_value", "Percentiles of the measured value over 24 h, in the unit given.");
  for (const SloStatus& slo : s.slos) {
    const auto one = [&](std::string_view rank, const std::optional<double>& value) {
      out.sample({{"slo", slo.slo},
                  {"service", slo.service},
                  {"group", slo.group},
                  {"percentile", rank},
                  {"unit", slo.unit}},
                 value);
    };
    one("50", slo.p50);
    one("95", slo.p95);
    one("99", slo.p99);
  }
}

}  // namespace

void objective_metrics(Exposition& out, const Snapshot& s) {
  slo_counts(out, s);
  slo_ratios(out, s);
  slo_burn(out, s);
  slo_state(out, s);
  slo_forecast(out, s);
  incidents(out, s);
  slo_values(out, s);
}

}  // namespace nines::agent::view
