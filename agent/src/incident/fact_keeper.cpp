#include "incident/fact_keeper.hpp"

#include <algorithm>

namespace nines::agent::incident {
namespace {

constexpr size_t kMostHappened = 32;
constexpr int64_t kBeforeNs = 1'800 * kNsPerSecond;
constexpr size_t kMostVictim = 64;

}  // namespace

void FactKeeper::remember(std::deque<Happened>& list, WallTime at, std::string what) {
  list.push_back({at, std::move(what)});
  if (list.size() > kMostHappened) list.pop_front();
}

void FactKeeper::restarted(const collector::ObservedContainer& container) {
  if (container.restart == 0) return;
  std::string what(container.service);
  if (!container.pod.empty()) what += " (pod " + std::string(container.pod) + ")";
  remember(restarts_, container.at,
           what + " was restarted, for the " + std::to_string(container.restart) + ". time");
}

void FactKeeper::killed(std::string_view victim, WallTime at) {
  remember(
      kills_, at,
      "the kernel killed " +
          (victim.empty() ? std::string("a process") : std::string(victim.substr(0, kMostVictim))) +
          " for want of memory");
}

std::vector<std::string> FactKeeper::told(const std::deque<Happened>& list, WallTime since) {
  std::vector<std::string> out;
  for (auto it = list.rbegin(); it != list.rend(); ++it) {
    if (it->at >= since) {
      out.push_back(format_rfc3339(WallTime::from_s(it->at.seconds())) + " " + it->what);
    }
  }
  return out;
}

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
  const WallTime since{question.onset.ns - kBeforeNs};
  out.restarts = told(restarts_, since);
  out.kills = told(kills_, since);
  return out;
}

}  // namespace nines::agent::incident
