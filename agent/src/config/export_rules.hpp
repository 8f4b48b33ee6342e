// SLOs as Prometheus recording and alert rules under the series names of Sloth, so that dashboards
// made for it show what Nines counts. Computed from nines_slo_events_total alone: errors and events
// are summed (over nodes too) and divided once, over every window, the whole period included. An
// average of ratios would weigh a quiet night like a busy day.
//
// What rules cannot say stays with Nines: the low-traffic guard, hysteresis, coverage and NO_DATA,
// exclusions, calendars (told as comments); SLOs that count slices of time are left out.
// Without events there is no ratio: the series is absent instead of NaN. Prometheus extrapolates
// rates to the edges of a window, for errors and events by the same share unless one of their
// series began at zero within the window.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "nines/slo/spec.hpp"

namespace nines::agent {

std::string to_prometheus_rules(std::span<const slo::SloSpec> slos, std::string_view version);

}  // namespace nines::agent
