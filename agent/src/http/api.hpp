// The routes that a snapshot of the agent answers alone: /metrics, /healthz, /readyz, SLOs, gates,
// status, and the dashboard page at / as long as no other is compiled in (page.hpp).
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
