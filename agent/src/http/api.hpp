// The routes that a snapshot of the agent answers alone: /metrics, /healthz, /readyz, SLOs, gates
// and status.
#pragma once

#include <functional>

#include "app/snapshot.hpp"
#include "http/insight.hpp"
#include "http/message.hpp"

namespace nines::agent::http {

// `snapshot` is called once a request, on the thread of the server.
Handler make_api(std::function<Snapshot()> snapshot, Insight insight = {});

}  // namespace nines::agent::http
