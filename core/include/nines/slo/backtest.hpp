// Back-test: how good would the forecasts have been? From origins in the recorded past each method
// sees what was known then (also the season is learned from that only) and is compared with what
// really happened. No method is favoured: if a naive one is better, that is what the report says.
//
//   methods   regression   forecast.hpp without a season
//             seasonal     with one (origins with two weeks of history, slots of an hour)
//             pace         remaining / burn: consumed grows by the burn of the history, nothing
//             leaves steady       stays as it is
//   origins   from the first with a day of history (min_points) and, if the record does not begin
//             with the SLO, a whole window, each window/120 (6 h of 30 d), to the last whose
//             shortest lead has passed; at most 400, evenly
//   consumed  |forecast - actual| in shares of the budget at each lead (1 d, 3 d, 7 d); median
//   exhaustion  within the longest lead, of origins where the budget was not exhausted: hit
//             (told, and it was), miss, false alarm, quiet. `lead` of an actual exhaustion: how
//             long before it the method began to tell it without a break, 0 if it did not at the
//             last origin before; median over the exhaustions.
//   interval  share of origins where the actual consumed at a lead lay within the 80 % interval
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "nines/slo/forecast.hpp"

namespace nines::slo {

enum class BacktestMethod : uint8_t { regression, seasonal, pace, steady };
inline constexpr size_t kBacktestMethods = 4;
std::string_view backtest_name(BacktestMethod) noexcept;  // regression+expiry, ..., pace, steady

struct BacktestLead {
  int64_t after_s = 0;
  size_t origins = 0;
  std::optional<double> median_error;  // share of the budget
  std::optional<double> within;        // share of origins within the interval; projections only
};

struct BacktestResult {
  BacktestMethod method = BacktestMethod::regression;
  std::vector<BacktestLead> leads;
  size_t origins = 0;  // where exhaustion within the longest lead was asked
  size_t hits = 0, misses = 0, false_alarms = 0, quiet = 0;
  std::optional<double> median_time_error_hours;  // of the hits
  std::optional<double> median_lead_hours;        // of the actual exhaustions
};

struct BacktestReport {
  std::array<BacktestResult, kBacktestMethods> results;
  size_t exhaustions = 0;    // times the budget ran out at or after the first origin
  size_t history_slots = 0;  // that were there
  int64_t step_s = 3600;
  WallTime first_origin{}, last_origin{};  // 0: none
  // With the least median error at the longest lead, over the origins that all methods with any
  // origin there have in common; ties: the later named, which is simpler.
  std::optional<BacktestMethod> best;
  bool calendar = false;  // a calendar window: not tested
  size_t best_origins = 0;
  int64_t best_after_s = 0;
};

// `input.slots`: all that is recorded. `whole`: they begin with the SLO, nothing came before them.
BacktestReport backtest(const ForecastInput& input, bool whole, const ForecastPolicy& policy);

}  // namespace nines::slo
