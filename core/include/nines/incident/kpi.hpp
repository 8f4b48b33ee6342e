// KPIs of a period: how soon trouble was noticed, answered, mitigated and over, by severity;
// changes that went well; what came again.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "nines/incident/incident.hpp"

namespace nines::incident {

// Seconds; of those incidents for which both ends are known.
struct TimeTo {
  int64_t count = 0;
  std::optional<double> mean, median;
};

struct SeverityKpis {
  int64_t incidents = 0, open = 0, reopened = 0;
  TimeTo detect;       // it began -> it was opened
  TimeTo acknowledge;  // it was opened -> somebody answered (the first time)
  TimeTo mitigate;     // it began -> it was mitigated
  TimeTo recover;      // it began -> its last condition was over (declared: it was resolved)
};

struct Repeat {
  std::string signature;
  int64_t times = 0;
  std::vector<std::string> ids;  // oldest first
};

struct Kpis {
  WallTime from{}, to{};
  SeverityKpis all, by_severity[4];
  // P0 and P1 that recovered within 30 minutes, of those that recovered.
  int64_t urgent = 0, urgent_in_time = 0;
  std::optional<double> urgent_share;
  // Deploys after which no P0 to P2 incident began within the hour that concerns the service or
  // whose first suspect is such a deploy.
  int64_t changes = 0, changes_failed = 0;
  std::optional<double> change_success;
  std::vector<Repeat> repeats;  // seen more than once, most often first
  int64_t items = 0, items_done = 0, items_overdue = 0;
};

inline constexpr int64_t kUrgentTarget_s = 1800;
inline constexpr int64_t kChangeWatch_s = 3600;

// Incidents opened, and deploys made, within [from, to).
Kpis kpis_of(const std::vector<Incident>& incidents, const std::vector<slo::Change>& changes,
             WallTime from, WallTime to, WallTime now);
void write_json(JsonWriter& out, const Kpis& kpis);

}  // namespace nines::incident
