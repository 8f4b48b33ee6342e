// The parts of /metrics: each writes its families.
#pragma once

namespace nines::agent {
struct Snapshot;
}

namespace nines::agent::view {

class Exposition;

void objective_metrics(Exposition& out, const Snapshot& s);  // counts, ratios, burn, forecasts
void reading_metrics(Exposition& out, const Snapshot& s);    // what is read, and what limits that
void telling_metrics(Exposition& out, const Snapshot& s);    // engines, brokers, people

}  // namespace nines::agent::view
