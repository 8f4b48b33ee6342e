// Suspects: services, ranked by the strongest evidence against each.
#pragma once

#include <functional>
#include <map>
#include <vector>

#include "nines/incident/request_flow.hpp"
#include "nines/incident/template_watch.hpp"
#include "nines/incident/usage.hpp"

namespace nines::incident {

struct Suspect {
  ServiceId service = 0;
  double score = 0;
  std::vector<FlowFinding> flow;  // the strongest first
  std::vector<UsageFinding> usage;
  std::vector<CountFinding> counts{};
  std::vector<std::string> facts{};  // it was killed, it restarts: in words
  // Facts, or counts that no chance explains: more evidence would not make it surer.
  bool is_certain() const noexcept;
};
using CountsOfServices = std::map<ServiceId, std::vector<CountFinding>>;
using FactsOfServices = std::map<ServiceId, std::vector<std::string>>;

// Kinds of evidence are comparable as they are (about chi2), but for time between lines, which
// wavers in ways that minutes do not show: it counts half. `counts` are to be given of services
// that have no part in requests (databases, brokers): where requests tell, how often something is
// logged tells who suffers. Those with facts first, then the strongest; ties by service.
std::vector<Suspect> rank_suspects(const std::vector<FlowFinding>& flow,
                                   const std::map<ServiceId, UsageFinding>& usage,
                                   const CountsOfServices& counts = {},
                                   const FactsOfServices& facts = {});

// An error is passed on to whoever called: of two suspects of which the first calls the second,
// itself or through others, and is not clearly stronger, or the second is certain, the second goes
// first.
using Calls = std::function<bool(ServiceId caller, ServiceId callee)>;
void put_called_first(std::vector<Suspect>& ranked, const Calls& calls);

}  // namespace nines::incident
