// /api/incidents: what broke, and what people do about it; everything else goes on to `next`.
//   GET  /api/incidents[?state=open|all][&service=S][&severity=P1][&since=7d][&limit=N]
//                      [&format=table]       severity: that or more urgent
//   GET  /api/incidents/ID[?format=text]
//   GET  /api/incidents/ID/postmortem[?format=json]
//   GET  /api/incidents/ID/message?kind=initial|update|resolution
//   GET  /api/incidents/ID/narrative[?format=json]
//   POST /api/incidents        {"service", "severity", "text", "who"}: declares one
//   POST /api/incidents/ID     {"do": "acknowledge", "who", "text", ...}; see act()
// Writes need the API token.
#pragma once

#include <functional>
#include <string>

#include "http/message.hpp"
#include "incident/desk.hpp"
#include "nines/incident/postmortem.hpp"

namespace nines::agent::http {

// All of it runs on the thread of the server.
struct IncidentsAccess {
  std::string token;  // of writes; never empty
  std::function<incident::Desk&()> desk;
  std::function<WallTime()> now;
  // Writes what the desk has to keep, and says when it is written.
  std::function<void(std::function<void(Status)> done)> keep;
  std::function<std::vector<slo::Change>()> changes;  // the log of changes
  // What happened on all nodes around an incident, for its review; null: not kept.
  using Lines = std::vector<incident::core::PostmortemLine>;
  std::function<void(const incident::core::Incident&, std::function<void(Lines)>)> story{};
};

AsyncHandler make_incidents_api(IncidentsAccess access, AsyncHandler next);

}  // namespace nines::agent::http
