// What a person wants to know first; everything else goes on to `next`.
//   GET /api/summary             how many services are how well, and which is worst
//   GET /api/summary/heatmap     risk by service and window
//   GET /api/summary/{service}   in sentences
#pragma once

#include <functional>
#include <utility>
#include <vector>

#include "app/snapshot.hpp"
#include "http/message.hpp"
#include "nines/incident/incident_book.hpp"
#include "view/services_view.hpp"

namespace nines::agent::http {

// On the thread of the server.
struct SummaryAccess {
  std::function<Snapshot()> snapshot;
  view::SpecOf specs;
  std::function<WallTime()> now;
  std::function<const nines::incident::IncidentBook*()> book;  // null: no incidents are kept
  std::function<std::vector<slo::Change>()> changes;
  std::function<std::pair<size_t, size_t>()> nodes;  // all, and those alive
};

AsyncHandler make_summary_api(SummaryAccess access, AsyncHandler next);

}  // namespace nines::agent::http
