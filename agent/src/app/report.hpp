// Gathers the report of [from, to) from the engine's counts, the log book and the alert events.
#pragma once

#include <vector>

#include "app/logbook.hpp"
#include "view/report_view.hpp"

namespace nines::agent {

view::Report make_report(const Logbook& book, const std::vector<slo::AlertEvent>& events,
                         int64_t from_s, int64_t to_s, WallTime now);

}  // namespace nines::agent
