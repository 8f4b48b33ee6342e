// FactKeeper: what is kept on the thread that reads for the facts of an incident to come: who met
// bad events (UserKeeper), how services went. Bounded: ServiceShares, UserKeeper. Not thread-safe.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "incident/facts.hpp"
#include "incident/service_shares.hpp"
#include "incident/user_keeper.hpp"
#include "nines/collector/observer.hpp"

namespace nines::agent::incident {

class FactKeeper {
 public:
  UserKeeper& users() noexcept { return users_; }
  void look(WallTime now, const core::TemplateWatch& watch) { shares_.look(now, watch); }

  uint64_t users_dropped() const noexcept { return users_.dropped(); }
  uint64_t shares_dropped() const noexcept { return shares_.dropped(); }

  // Everything but what needs templates and requests.
  Facts facts(const FactsQuestion& question, const core::TemplateWatch& watch) const;

 private:
  std::vector<core::ShareChange> shares(const FactsQuestion& question,
                                        const core::TemplateWatch& watch) const;

  UserKeeper users_;
  ServiceShares shares_;
};

}  // namespace nines::agent::incident
