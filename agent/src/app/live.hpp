// The running agent: one control thread (this one) with HTTP, timers, evaluation and notification;
// one ingest thread; one store thread that alone touches SQLite.
#pragma once

#include "app/setup.hpp"
#include "cli/commands.hpp"

namespace nines::agent {

// Returns when a stop is requested, everything read so far being committed.
Status run_live(const AgentOptions& options, Setup setup, const Clock& clock);

}  // namespace nines::agent
