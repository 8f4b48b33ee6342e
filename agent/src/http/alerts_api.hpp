// Alerts; everything else goes on to `next`.
//   GET   /api/alerts, /api/alerts/{service or SLO}[?firing=true]
//   PATCH /api/alerts/{id}/acknowledge   {"who", "text"}: acknowledges the incident it belongs to;
//                                        needs the token
#pragma once

#include <functional>
#include <string>

#include "app/snapshot.hpp"
#include "http/message.hpp"
#include "incident/desk.hpp"
#include "view/alerts_view.hpp"

namespace nines::agent::http {

// On the thread of the server.
struct AlertsAccess {
  std::string token;
  std::function<Snapshot()> snapshot;
  std::function<WallTime()> now;
  std::function<incident::Desk*()> desk;  // null: no incidents are kept
  std::function<void(std::function<void(Status)> done)> keep;
};

// With the incidents they belong to, as those are now. `desk` may be null.
std::vector<view::AlertLine> alerts_with_incidents(const Snapshot& snapshot, incident::Desk* desk,
                                                   WallTime now);

AsyncHandler make_alerts_api(AlertsAccess access, AsyncHandler next);

}  // namespace nines::agent::http
