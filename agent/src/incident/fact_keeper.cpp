#include "incident/fact_keeper.hpp"

#include <algorithm>

namespace nines::agent::incident {
namespace {

constexpr int64_t kBeforeNs = 1'800 * kNsPerSecond;

}  // namespace

// Those that were changed: before their (newest) change and since; the others: the onset.
std::vector<core::ShareChange> FactKeeper::shares(const FactsQuestion& question,
                                                  const core::TemplateWatch& watch) const {
  std::map<std::string, core::ShareChange> out;
  const auto take = [&](WallTime moment, const std::string* only) {
    const auto fill = [&](const ServiceShares::ByService& counts, bool after) {
      for (const auto& [service, one] : counts) {
        if (only != nullptr && service != *only) continue;
        core::ShareChange& share = out[service];
        share.service = service;
        (after ? share.errors_after : share.errors_before) = one.errors;
        (after ? share.of_after : share.of_before) = one.lines;
      }
    };
    fill(shares_.between({moment.ns - kBeforeNs}, moment, watch), false);
    fill(shares_.between(moment, question.now, watch), true);
  };
  take(question.onset, nullptr);
  for (const auto& [service, at] : question.changed) {
    if (!out.contains(service)) continue;
    out[service] = {};
    take(at, &service);
  }
  std::vector<core::ShareChange> all;
  for (auto& [service, share] : out) all.push_back(std::move(share));
  return all;
}

Facts FactKeeper::facts(const FactsQuestion& question, const core::TemplateWatch& watch) const {
  Facts out;
  const UserKeeper::Counted counted = users_.count(question.slos, question.onset);
  out.users = counted.users;
  out.users_told = counted.told;
  out.users_missing = counted.missing;
  out.users_from = counted.from;
  if (!question.in_full) return out;
  out.shares = shares(question, watch);
  return out;
}

}  // namespace nines::agent::incident
