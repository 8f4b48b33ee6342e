// The running agent: one control thread (this one) with HTTP, timers, evaluation and notification;
// one ingest thread; one store thread that alone touches SQLite.
#pragma once

#include "app/setup.hpp"
#include "cli/commands.hpp"

namespace nines::agent {

// SIGHUP reads the configuration again: a bad one is refused, a good one takes over without a line
// being lost or counted twice. Returns when a stop is requested, everything read so far being
// committed.
Status run_live(const AgentOptions& options, Setup setup, const Clock& clock);

}  // namespace nines::agent
