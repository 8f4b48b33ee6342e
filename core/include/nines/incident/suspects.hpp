// Suspects: services, ranked by the strongest evidence against each.
#pragma once

#include <functional>
#include <map>
#include <vector>

#include "nines/incident/request_flow.hpp"
#include "nines/incident/usage.hpp"

namespace nines::incident {

struct Suspect {
  ServiceId service = 0;
  double score = 0;
  std::vector<FlowFinding> flow;  // the strongest first
  std::vector<UsageFinding> usage;
};

// Kinds of evidence are comparable as they are (about chi2), but for time between lines, which
// wavers in ways that minutes do not show: it counts half. The strongest first; ties by service.
std::vector<Suspect> rank_suspects(const std::vector<FlowFinding>& flow,
                                   const std::map<ServiceId, UsageFinding>& usage);

// An error is passed on to whoever called: of two suspects next to each other of which the first
// calls the second, and is not clearly stronger, the second goes first.
using Calls = std::function<bool(ServiceId caller, ServiceId callee)>;
void put_called_first(std::vector<Suspect>& ranked, const Calls& calls);

}  // namespace nines::incident
