#include "view/forecast.hpp"

#include <cmath>
#include <cstdio>

#include "view/table.hpp"
#include "view/text.hpp"

namespace nines::agent::view {
namespace {

using slo::BacktestReport;
using slo::BacktestResult;
using slo::Forecast;
using slo::SloStatus;

std::string hours_text(const std::optional<double>& hours) {
  if (!hours) return "-";
  char text[48];
  const int n = *hours >= 48 ? std::snprintf(text, sizeof text, "%.1fd", *hours / 24)
                             : std::snprintf(text, sizeof text, "%.1fh", *hours);
  return {text, static_cast<size_t>(n)};
}

// One decimal place is enough of a share that is an estimate.
std::string share_text(const std::optional<double>& share) {
  if (!share || !std::isfinite(*share)) return "-";
  char text[400];
  const int n = std::snprintf(text, sizeof text, "%.1f%%", 100 * *share);
  return {text, static_cast<size_t>(n)};
}

std::string interval_text(const Forecast& f) {
  if (!f.earliest_hours && !f.latest_hours) return "-";
  return hours_text(f.earliest_hours) + ".." +
         (f.latest_hours ? hours_text(f.latest_hours) : std::string("never"));
}

const char* urgency_color(const Forecast& f) {
  if (f.time_to_exhaustion_hours == 0.0) return "31;1";
  if (f.warning) return "31";
  return f.time_to_exhaustion_hours ? "33" : "32";
}

std::string message_of(const Forecast& f) {
  return f.made_at.ns == 0 ? "No forecast has been made yet." : f.message;
}

void write_result(JsonWriter& json, const BacktestReport& report, const BacktestResult& r) {
  json.begin_object().member("method", slo::backtest_name(r.method));
  json.key("consumed").begin_array();
  for (const slo::BacktestLead& lead : r.leads) {
    json.begin_object().member("after", window_name(lead.after_s));
    json.member("origins", lead.origins).member("median_absolute_error", lead.median_error);
    json.member("within_interval", lead.within).end_object();
  }
  json.end_array().key("exhaustion").begin_object();
  json.member("origins", r.origins).member("hits", r.hits).member("misses", r.misses);
  json.member("false_alarms", r.false_alarms).member("quiet", r.quiet);
  json.member("median_time_error_hours", r.median_time_error_hours);
  json.member("median_lead_hours", r.median_lead_hours).end_object();
  json.member("best", report.best == r.method).end_object();
}

std::string backtest_title(const std::string& slo, const BacktestReport& r) {
  std::string out = "SLO " + printable(slo) + ": ";
  if (r.calendar) return out + "has a window of the calendar; only rolling ones are tested\n";
  out += std::to_string(r.history_slots) + " slots of " + format_duration_s(r.step_s) + " recorded";
  if (r.first_origin.ns == 0 || r.results[0].leads.empty()) {
    return out + ", too few to look back from\n";
  }
  out += "; forecasts made from " + format_rfc3339(r.first_origin) + " to " +
         format_rfc3339(r.last_origin) + "; the budget ran out " + std::to_string(r.exhaustions) +
         " time(s)\n";
  return out;
}

std::string backtest_verdict(const BacktestReport& r) {
  if (!r.best) return "No method can be compared yet.\n";
  const bool naive = *r.best == slo::BacktestMethod::pace || *r.best == slo::BacktestMethod::steady;
  return "Least error " + window_name(r.best_after_s) + " ahead over " +
         std::to_string(r.best_origins) +
         " common origins: " + std::string(slo::backtest_name(*r.best)) +
         (naive ? " (a naive forecast was better here)\n" : "\n");
}

std::vector<Table::Column> backtest_columns(const BacktestReport& report) {
  std::vector<Table::Column> columns{{"METHOD", false, 0}};
  for (const slo::BacktestLead& lead : report.results[0].leads) {
    columns.push_back({"ERROR +" + window_name(lead.after_s), true, 0});
    columns.push_back({"N", true, 3});
  }
  for (const char* title : {"IN 80%", "HIT", "MISS", "FALSE", "QUIET", "LEAD", "TIME ERROR"}) {
    columns.push_back({title, true, std::string_view(title) == "QUIET" ? 2 : 1});
  }
  return columns;
}

void add_backtest_row(Table& table, const BacktestResult& r) {
  std::vector<Table::Cell> row{{std::string(slo::backtest_name(r.method))}};
  for (const slo::BacktestLead& lead : r.leads) {
    row.push_back({share_text(lead.median_error)});
    row.push_back({std::to_string(lead.origins)});
  }
  row.push_back({share_text(r.leads.empty() ? std::nullopt : r.leads.back().within)});
  for (const size_t n : {r.hits, r.misses, r.false_alarms, r.quiet}) {
    row.push_back({r.origins == 0 ? "-" : std::to_string(n)});
  }
  row.push_back({hours_text(r.median_lead_hours)});
  row.push_back({hours_text(r.median_time_error_hours)});
  table.add(std::move(row));
}

}  // namespace

void write_forecast(JsonWriter& json, const Forecast& f) {
  json.begin_object();
  json.member("method", slo::method_name(f.method));
  json.member("time_to_exhaustion_hours", f.time_to_exhaustion_hours);
  json.key("projected_exhaustion_time");
  json.value(f.projected_exhaustion_time.value_or(WallTime{}));
  json.member("earliest_hours", f.earliest_hours).member("latest_hours", f.latest_hours);
  json.member("naive_hours", f.naive_hours).member("regression_hours", f.regression_hours);
  json.member("burn_rate", f.burn).member("burn_rate_trend", slo::trend_name(f.burn_rate_trend));
  json.member("confidence_level", slo::confidence_name(f.confidence));
  json.member("forecast_message", message_of(f)).member("data_points_used", f.data_points_used);
  json.key("projected").begin_array();
  for (const slo::CoursePoint& p : f.course) {
    json.begin_object().member("after", window_name(p.after_s)).member("consumed", p.consumed);
    json.member("low", p.low).member("high", p.high).end_object();
  }
  json.end_array().member("early_warning", f.warning);
  json.member("early_warning_since", f.warning_since).member("made_at", f.made_at).end_object();
}

namespace {

void write_named(JsonWriter& json, const SloStatus& s) {
  json.begin_object().member("slo", s.slo).member("service", s.service);
  json.member("window", s.window_name.empty() ? format_duration_s(s.window_s) : s.window_name);
  json.member("error_budget_consumed", s.error_budget_consumed).key("forecast");
  write_forecast(json, s.forecast);
  json.end_object();
}

}  // namespace

std::string forecast_json(const SloStatus& status) {
  std::string out;
  JsonWriter json(out, 2);
  write_named(json, status);
  return out += '\n';
}

std::string forecasts_json(const Snapshot& snapshot) {
  std::string out;
  JsonWriter json(out, 2);
  json.begin_array();
  for (const SloStatus& s : snapshot.slos) write_named(json, s);
  json.end_array();
  return out += '\n';
}

std::string forecast_table(const std::vector<const SloStatus*>& slos, const TableOptions& options) {
  if (slos.empty()) return "no SLO is watched\n";
  Table table({{"SLO", false, 0},
               {"USED", true, 0},
               {"BURN", true, 2},
               {"TREND", false, 4},
               {"EXHAUSTED IN", true, 0},
               {"80% INTERVAL", false, 1},
               {"CONFIDENCE", false, 3},
               {"METHOD", false, 5},
               {"WARNING", false, 0}});
  for (const SloStatus* s : slos) {
    const Forecast& f = s->forecast;
    const std::string when = f.time_to_exhaustion_hours == 0.0 ? "now"
                             : f.time_to_exhaustion_hours
                                 ? hours_text(f.time_to_exhaustion_hours)
                                 : std::string(f.course.empty() ? "?" : "not");
    table.add(
        {{printable(s->slo)},
         {share_text(s->error_budget_consumed)},
         {short_number(f.burn)},
         {std::string(slo::trend_name(f.burn_rate_trend))},
         {when, urgency_color(f)},
         {interval_text(f)},
         {std::string(slo::confidence_name(f.confidence))},
         {std::string(slo::method_name(f.method))},
         {f.warning ? "since " + format_rfc3339(f.warning_since) : "-", f.warning ? "31;1" : ""}});
  }
  std::string out = table.render(options.width, options.color);
  for (const SloStatus* s : slos) {
    out += "\n" + printable(s->slo) + ": " + message_of(s->forecast);
  }
  return out + "\n";
}

std::string forecast_paragraph(const SloStatus& s) {
  const Forecast& f = s.forecast;
  if (f.made_at.ns == 0) return {};
  std::string out = "\nForecast made at " + format_rfc3339(f.made_at) + "\n  " + f.message + "\n";
  out += "  fitted     burn " + short_number(f.burn) + ", " +
         std::string(slo::trend_name(f.burn_rate_trend)) + ", over " +
         std::to_string(f.data_points_used) + " points with " + std::to_string(f.bad_in_points) +
         " bad events; confidence " + std::string(slo::confidence_name(f.confidence)) + "; " +
         std::string(slo::method_name(f.method)) + "\n";
  for (const slo::CoursePoint& p : f.course) {
    out += "  " + pad_right("in " + window_name(p.after_s), 11) + share_text(p.consumed) +
           " of the budget used (80 %: " + share_text(p.low) + " to " + share_text(p.high) + ")\n";
  }
  if (f.naive_hours || f.regression_hours) {
    out += "  naive      if nothing left the window: remaining / burn " +
           hours_text(f.naive_hours) + ", line through what is used " +
           hours_text(f.regression_hours) + "\n";
  }
  if (f.warning) out += "  early warning since " + format_rfc3339(f.warning_since) + "\n";
  return out;
}

std::string backtest_json(const Backtests& reports) {
  std::string out;
  JsonWriter json(out, 2);
  json.begin_array();
  for (const auto& [slo, report] : reports) {
    json.begin_object().member("slo", slo).member("history_slots", report.history_slots);
    json.member("calendar_window", report.calendar);
    json.member("slot_seconds", report.step_s).member("first_origin", report.first_origin);
    json.member("last_origin", report.last_origin).member("exhaustions", report.exhaustions);
    json.key("best");
    if (report.best) {
      json.value(slo::backtest_name(*report.best));
    } else {
      json.null();
    }
    json.member("best_origins", report.best_origins);
    json.key("methods").begin_array();
    for (const BacktestResult& result : report.results) write_result(json, report, result);
    json.end_array().end_object();
  }
  json.end_array();
  return out += '\n';
}

std::string backtest_text(const Backtests& reports, const TableOptions& options) {
  if (reports.empty()) return "no SLO is watched\n";
  std::string out;
  for (const auto& [slo, report] : reports) {
    if (!out.empty()) out += "\n";
    out += backtest_title(slo, report);
    if (report.first_origin.ns == 0 || report.results[0].leads.empty()) continue;
    Table table(backtest_columns(report));
    for (const BacktestResult& result : report.results) add_backtest_row(table, result);
    out += table.render(options.width, options.color) + backtest_verdict(report);
  }
  return out;
}

}  // namespace nines::agent::view
