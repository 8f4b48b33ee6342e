// Forecasts, back-tests and capacity as JSON and as text for people.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "app/snapshot.hpp"
#include "nines/base/json_writer.hpp"
#include "nines/slo/backtest.hpp"
#include "view/status_table.hpp"

namespace nines::agent::view {

// The value of `forecast` in the status document.
void write_forecast(JsonWriter& json, const slo::Forecast& forecast);
// {"slo", "service", "window", "forecast": {...}} of one, or an array of all.
std::string forecast_json(const slo::SloStatus& status);
std::string forecasts_json(const Snapshot& snapshot);
std::string forecast_table(const std::vector<const slo::SloStatus*>& slos,
                           const TableOptions& options);
// Of `nines slo explain`; empty when none was ever made.
std::string forecast_paragraph(const slo::SloStatus& status);

using Backtests = std::vector<std::pair<std::string, slo::BacktestReport>>;  // by SLO
std::string backtest_json(const Backtests& reports);
std::string backtest_text(const Backtests& reports, const TableOptions& options);

}  // namespace nines::agent::view
