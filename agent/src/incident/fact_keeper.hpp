// FactKeeper: what is kept on the thread that reads for the facts of an incident to come: who met
// bad events (UserKeeper), restarts, kills, how services went. Bounded: 32 restarts and kills,
// ServiceShares, UserKeeper. Not thread-safe.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "incident/facts.hpp"
#include "incident/service_shares.hpp"
#include "incident/user_keeper.hpp"
#include "nines/collector/observer.hpp"

namespace nines::agent::incident {

class FactKeeper {
 public:
  UserKeeper& users() noexcept { return users_; }
  void restarted(const collector::ObservedContainer& container);
  void killed(std::string_view victim, WallTime at);
  void look(WallTime now, const core::TemplateWatch& watch) { shares_.look(now, watch); }

  // Everything but what needs templates and requests.
  Facts facts(const FactsQuestion& question, const core::TemplateWatch& watch) const;

 private:
  struct Happened {
    WallTime at{};
    std::string what;
  };
  static void remember(std::deque<Happened>& list, WallTime at, std::string what);
  static std::vector<std::string> told(const std::deque<Happened>& list, WallTime since);
  std::vector<core::ShareChange> shares(const FactsQuestion& question,
                                        const core::TemplateWatch& watch) const;

  UserKeeper users_;
  std::deque<Happened> restarts_, kills_;
  ServiceShares shares_;
};

}  // namespace nines::agent::incident
