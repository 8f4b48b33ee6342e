#include "incident/fact_keeper.hpp"

#include <algorithm>

namespace nines::agent::incident {
namespace {

constexpr size_t kMostHappened = 32;
constexpr int64_t kBeforeNs = 1'800 * kNsPerSecond;
constexpr size_t kMostVictim = 64;

}  // namespace

void FactKeeper::bad(const collector::ObservedBad& event) {
  auto found = users_.find(event.slo);
  if (found == users_.end()) {
    if (users_.size() >= kMaxSlos) return;
    found = users_.try_emplace(event.slo).first;
  }
  if (event.user.empty()) {
    found->second.missing = std::max(found->second.missing, event.at);
  } else {
    found->second.sample.met(event.user, event.at);
  }
}

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
  std::vector<const core::UserSample*> samples;
  for (const uint32_t slo : question.slos) {
    const auto found = users_.find(slo);
    if (found == users_.end()) continue;
    samples.push_back(&found->second.sample);
    out.users_missing = out.users_missing || found->second.missing >= question.onset;
  }
  out.users = core::UserSample::count(samples, question.onset);
  out.users_told = out.users.users > 0;
  if (!question.in_full) return out;
  out.shares = shares(question, watch);
  const WallTime since{question.onset.ns - kBeforeNs};
  out.restarts = told(restarts_, since);
  out.kills = told(kills_, since);
  return out;
}

}  // namespace nines::agent::incident
