// Options of `nines incident` and `nines timeline`.
#pragma once

#include "cli/commands.hpp"

namespace CLI {
class App;
}

namespace nines::agent {

// The options outlive the application. timeline: of `nines incident timeline`.
void add_incident(CLI::App& root, IncidentOptions& options, TimelineOptions& timeline);
void add_timeline(CLI::App& root, TimelineOptions& options);

}  // namespace nines::agent
