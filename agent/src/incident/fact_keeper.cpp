#include "incident/fact_keeper.hpp"

#include <algorithm>

namespace nines::agent::incident {
namespace {

constexpr int64_t kBeforeNs = 1'800 * kNsPerSecond;

}  // namespace

void FactKeeper::bad(const collector::ObservedBad& event) {
  auto found = users_.find(event.slo);
  if (found == users_.end()) {
    if (users_.size() >= kMaxSlos) {
      ++users_dropped_;
      return;
    }
    found = users_.try_emplace(event.slo).first;
  }
  if (event.user.empty()) {
    found->second.missing = std::max(found->second.missing, event.at);
  } else {
    found->second.sample.met(event.user, event.at);
  }
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
  return out;
}

}  // namespace nines::agent::incident
