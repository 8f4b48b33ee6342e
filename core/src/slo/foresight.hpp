// Foresight: the forecast of one SLO while the engine runs, and its early warning. Definitions:
// forecast.hpp. What it looks at changes every 5 minutes at most (every minute for windows below a
// day), the season every hour: so often it computes, not at each evaluation.
#pragma once

#include <optional>
#include <vector>

#include "nines/slo/engine.hpp"
#include "slo_counts.hpp"

namespace nines::slo {

class Foresight {
 public:
  static constexpr const char* kRule = "forecast";

  explicit Foresight(const SloSpec& spec) : spec_(spec) {}

  // Leaves the forecast in status.forecast and appends transitions of the warning. `frozen`: no
  // data, the warning keeps its state.
  void update(SloCounts& counts, int64_t end_s, bool frozen, SloStatus& status,
              std::vector<AlertEvent>& transitions);
  // Without effect on the warning or what is remembered.
  Forecast look(SloCounts& counts, int64_t end_s, const ForecastPolicy& policy) const;

  void save(std::vector<AlertMemory>& to) const;
  bool restore(const AlertMemory& saved);  // false: there is no such rule

 private:
  void learn(SloCounts& counts, int64_t end_s);
  void warn(const Forecast& f, WallTime now, const SloStatus& status,
            std::vector<AlertEvent>& transitions);

  const SloSpec& spec_;
  std::optional<Season> season_;  // in use
  int64_t season_hour_ = INT64_MIN;
  int64_t made_s_ = INT64_MIN;
  bool warning_ = false;
  WallTime since_{}, calm_since_{}, last_resolved_{};
};

// The recorded past of one SLO, for forecast() and backtest(): hours (minutes for windows below a
// day) up to end_s, as far back as they are kept and the SLO has existed.
struct History {
  ForecastInput input;
  bool whole = false;  // begins with the SLO
};
History history_of(SloCounts& counts, const SloSpec& spec, int64_t end_s);

}  // namespace nines::slo
