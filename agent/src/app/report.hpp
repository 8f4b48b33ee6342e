// Gathers the report of [from, to) from the engine's counts, the log book and the alert events.
#pragma once

#include <vector>

#include "app/logbook.hpp"
#include "view/report_view.hpp"

namespace nines::agent {

view::Report make_report(const Logbook& book, const std::vector<slo::AlertEvent>& events,
                         int64_t from_s, int64_t to_s, WallTime now);

// The events of alerts from `from_s` on; what cannot be read is left out. Where the store lives.
std::vector<slo::AlertEvent> alerts_since(store::StateStore& store, int64_t from_s);

}  // namespace nines::agent
