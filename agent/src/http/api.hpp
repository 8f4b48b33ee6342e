// The routes of DESIGN 4.6 over a source of snapshots: /metrics, /healthz, /readyz, /api/..., and
// the dashboard page at /.
#pragma once

#include <functional>

#include "app/snapshot.hpp"
#include "http/insight.hpp"
#include "http/message.hpp"

namespace nines::agent::http {

// `snapshot` is called once a request, on the thread of the server.
Handler make_api(std::function<Snapshot()> snapshot, Insight insight = {});

// The dashboard: one page without external resources.
extern const char* const kDashboardHtml;

}  // namespace nines::agent::http
