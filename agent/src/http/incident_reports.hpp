// What many incidents come to; everything else goes on to `next`.
//   GET /api/kpis[?from=T][&to=T][&since=30d][&format=table]
//   GET /api/items[?state=open|overdue|done|all][&format=table]
//   GET /api/narrative[?format=json]: of the whole node
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "http/message.hpp"
#include "incident/rewriter.hpp"
#include "nines/incident/incident_book.hpp"
#include "nines/slo/engine.hpp"

namespace nines::agent::http {

// All of it runs on the thread of the server.
struct IncidentReportsAccess {
  std::function<const nines::incident::IncidentBook&()> book;
  std::function<WallTime()> now;
  std::function<std::vector<slo::Change>()> changes;      // the log of changes
  std::function<std::vector<slo::SloStatus>()> statuses;  // of the SLOs
  std::function<incident::Rewriter*()> rewriter;          // gives null: none is configured
};

AsyncHandler make_incident_reports(IncidentReportsAccess access, AsyncHandler next);

}  // namespace nines::agent::http
