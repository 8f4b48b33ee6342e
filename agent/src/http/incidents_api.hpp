// /api/incidents: what broke, and what people do about it; everything else goes on to `next`.
//   GET  /api/incidents[?state=open|all][&service=S][&limit=N][&format=table]
//   GET  /api/incidents/ID[?format=text]
//   POST /api/incidents        {"service", "severity", "text", "who"}: declares one
//   POST /api/incidents/ID     {"do": "acknowledge", "who", "text", ...}; see act()
// Writes need the API token.
#pragma once

#include <functional>
#include <string>

#include "http/message.hpp"
#include "incident/desk.hpp"

namespace nines::agent::http {

// All of it runs on the thread of the server.
struct IncidentsAccess {
  std::string token;  // of writes; never empty
  std::function<incident::Desk&()> desk;
  std::function<WallTime()> now;
  std::function<void()> changed;  // the desk has something to keep
};

AsyncHandler make_incidents_api(IncidentsAccess access, AsyncHandler next);

}  // namespace nines::agent::http
