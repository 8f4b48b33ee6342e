#include "view/burn_view.hpp"

#include <algorithm>

#include "view/changes_view.hpp"
#include "view/forecast.hpp"
#include "view/status_json.hpp"

namespace nines::agent::view {
namespace {

using slo::SloStatus;

// What is left of the budget of the window that ends there; nothing where nothing was known.
std::optional<double> remaining_at(const slo::SloEngine& engine, uint32_t slo, WallTime end) {
  const slo::SloSpec& spec = engine.spec(slo);
  const auto budget = slo::budget_of(spec.target);
  if (!budget || spec.composite.used() || spec.calendar) return std::nullopt;
  const slo::WindowCounts window = engine.window(slo, end, spec.window_s);
  if (window.covered_s == 0 && window.total() == 0) return std::nullopt;
  const slo::Ratio spent = window.spent();
  if (spent.total == 0) return 1.0;
  return 1.0 - slo::burn_rate(spent, *budget).value_or(0);
}

void write_points(JsonWriter& json, const slo::SloEngine& engine, uint32_t slo, const Span& span) {
  const auto budget = slo::budget_of(engine.spec(slo).target);
  json.key("points").begin_array();
  for (int64_t at_s = span.from_s; at_s < span.to_s; at_s += span.step_s) {
    const WallTime end = WallTime::from_s(at_s + span.step_s);
    const slo::WindowCounts events = engine.events(slo, end, span.step_s);
    const slo::WindowCounts counted = engine.window(slo, end, span.step_s);
    json.begin_object().member("at", WallTime::from_s(at_s));
    json.member("good", events.good).member("bad", events.bad);
    std::optional<double> rate;
    if (budget && counted.total() > 0) {
      rate = slo::burn_rate({counted.bad, counted.total()}, *budget);
    }
    json.member("burn_rate", rate);
    json.member("error_budget_remaining", remaining_at(engine, slo, end)).end_object();
  }
  json.end_array();
}

void write_series(JsonWriter& json, const slo::SloEngine& engine, const SloStatus& s,
                  const Span& span, const std::vector<slo::Change>& changes) {
  json.begin_object().member("slo", s.slo).member("target", s.target);
  json.member("window", s.window_name);
  bool found = false;
  for (uint32_t i = 0; i < engine.size() && !found; ++i) {
    if (!engine.has(i) || engine.spec(i).name != s.slo) continue;
    found = true;
    write_points(json, engine, i, span);
    json.key("annotations").begin_array();
    write_annotations(json, changes, engine.spec(i), span);
    json.end_array();
  }
  if (!found)
    json.key("points").begin_array().end_array().key("annotations").begin_array().end_array();
  json.end_object();
}

const SloStatus& first_to_run_out(const std::vector<const SloStatus*>& slos) {
  const auto hours = [](const SloStatus* s) {
    return s->forecast.time_to_exhaustion_hours.value_or(1e9);
  };
  return **std::min_element(slos.begin(), slos.end(), [&](const SloStatus* a, const SloStatus* b) {
    return hours(a) < hours(b);
  });
}

}  // namespace

void write_burn(JsonWriter& json, const SloStatus& s) {
  json.begin_object().member("service_name", s.service).member("slo", s.slo);
  json.member("burn_rate_5m", s.burn_5m.burn).member("burn_rate_1h", s.burn_1h.burn);
  json.member("burn_rate_24h", s.burn_24h.burn);
  json.member("composite_burn_rate", s.composite_burn_rate);
  json.member("error_budget_consumed", s.error_budget_consumed);
  json.member("error_budget_remaining", s.error_budget_remaining);
  json.member("risk_level", slo::risk_name(s.risk)).member("timestamp", s.timestamp);
  json.end_object();
}

std::string burn_json(const slo::SloEngine& engine, const std::vector<const SloStatus*>& slos,
                      const Span& span, const std::vector<slo::Change>& changes) {
  std::string out;
  JsonWriter json(out, 2);
  json.begin_object().member("service_name", slos.front()->service);
  json.member("from", WallTime::from_s(span.from_s)).member("to", WallTime::from_s(span.to_s));
  json.member("step", format_duration_s(span.step_s)).key("series").begin_array();
  for (const SloStatus* s : slos) write_series(json, engine, *s, span, changes);
  json.end_array().end_object();
  return out += '\n';
}

std::string service_forecast_json(const std::vector<const SloStatus*>& slos) {
  const SloStatus& first = first_to_run_out(slos);
  const slo::Forecast& f = first.forecast;
  std::string out;
  JsonWriter json(out, 2);
  json.begin_object().member("service_name", first.service).member("slo", first.slo);
  json.member("time_to_exhaustion_hours", f.time_to_exhaustion_hours);
  json.member("projected_exhaustion_time", f.projected_exhaustion_time.value_or(WallTime{}));
  json.member("burn_rate_trend", slo::trend_name(f.burn_rate_trend));
  json.member("confidence_level", slo::confidence_name(f.confidence))
      .member("forecast_message", f.message);
  json.member("data_points_used", f.data_points_used).key("slos").begin_array();
  for (const SloStatus* s : slos) {
    json.begin_object().member("slo", s->slo).member("service", s->service);
    json.member("window", s->window_name);
    json.member("error_budget_consumed", s->error_budget_consumed).key("forecast");
    write_forecast(json, s->forecast);
    json.end_object();
  }
  json.end_array().end_object();
  return out += '\n';
}

std::string service_release_json(const std::vector<const SloStatus*>& slos) {
  const SloStatus& strictest = **std::max_element(
      slos.begin(), slos.end(),
      [](const SloStatus* a, const SloStatus* b) { return a->gate.decision < b->gate.decision; });
  slo::Risk risk = slo::Risk::safe;
  for (const SloStatus* s : slos) risk = std::max(risk, s->risk);
  std::string out;
  JsonWriter json(out, 2);
  json.begin_object().member("service_name", strictest.service);
  json.member("decision", slo::release_name(strictest.gate.decision));
  json.member("allowed", strictest.gate.allows()).member("risk_level", slo::risk_name(risk));
  json.member("reason", strictest.gate.reason).key("slos").begin_array();
  for (const SloStatus* s : slos) {
    json.begin_object().member("slo", s->slo).member("service", s->service);
    write_release(json, *s);
    json.end_object();
  }
  json.end_array().end_object();
  return out += '\n';
}

}  // namespace nines::agent::view
