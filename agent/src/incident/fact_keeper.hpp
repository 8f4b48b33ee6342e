// FactKeeper: what is kept on the thread that reads for the facts of an incident to come: who met
// bad events, how services went. Bounded: kMaxSlos samples of users (64 KiB each when full),
// ServiceShares. Not thread-safe.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "incident/facts.hpp"
#include "incident/service_shares.hpp"
#include "nines/collector/observer.hpp"

namespace nines::agent::incident {

class FactKeeper {
 public:
  static constexpr size_t kMaxSlos = 16;  // whose users are counted; of others they are unknown

  void bad(const collector::ObservedBad& event);
  void look(WallTime now, const core::TemplateWatch& watch) { shares_.look(now, watch); }

  uint64_t users_dropped() const noexcept { return users_dropped_; }  // beyond kMaxSlos
  uint64_t shares_dropped() const noexcept { return shares_.dropped(); }

  // Everything but what needs templates and requests.
  Facts facts(const FactsQuestion& question, const core::TemplateWatch& watch) const;

 private:
  struct Users {
    core::UserSample sample;
    WallTime missing{};  // the last bad event that did not say who
  };
  std::vector<core::ShareChange> shares(const FactsQuestion& question,
                                        const core::TemplateWatch& watch) const;

  std::map<uint32_t, Users> users_;  // by SLO
  ServiceShares shares_;
  uint64_t users_dropped_ = 0;
};

}  // namespace nines::agent::incident
