#include "app/paging.hpp"

#include <algorithm>

namespace nines::agent {
namespace {

constexpr int64_t kMsPerSecond = 1000;
constexpr size_t kRepeats = 3;  // where there is nobody else to tell

bool takes(const NotifierConfig& notifier, const char* severity) {
  const auto& wanted = notifier.severities;
  return wanted.empty() || std::find(wanted.begin(), wanted.end(), severity) != wanted.end();
}

// The second steps of all chains, the third ones...
std::vector<std::vector<std::string>> levels_of_chains(const NodeConfig& config) {
  std::vector<std::vector<std::string>> levels;
  for (const ChainConfig& chain : config.chains) {
    if (chain.steps.size() > levels.size() + 1) levels.resize(chain.steps.size() - 1);
    for (size_t i = 1; i < chain.steps.size(); ++i) {
      levels[i - 1].push_back(chain.steps[i].notify);
    }
  }
  return levels;
}

bool excluded(const slo::SloEngine& engine, const std::string& service) {
  bool any = false;
  for (uint32_t i = 0; i < engine.size(); ++i) {
    if (!engine.has(i) || engine.spec(i).service != service) continue;
    if (engine.status(i).excluded_by.empty()) return false;
    any = true;
  }
  return any;
}

}  // namespace

incident::PagerRules pager_rules(const NodeConfig& config) {
  incident::PagerRules rules;
  const IncidentsConfig& incidents = config.incidents;
  if (incidents.notify == "all") rules.tells = incident::Tells::all;
  if (incidents.notify == "none") rules.tells = incident::Tells::none;
  rules.levels.clear();
  for (const std::string& name : incidents.escalate_to) rules.levels.push_back({name});
  if (rules.levels.empty()) rules.levels = levels_of_chains(config);
  if (rules.levels.empty()) rules.levels.resize(kRepeats);
  for (const NotifierConfig& notifier : config.notifiers) {
    const bool page = takes(notifier, "page"), ticket = takes(notifier, "ticket");
    if (ticket && !page) rules.only_tickets.push_back(notifier.name);
    if (!page) rules.no_pages.push_back(notifier.name);
    if (!ticket) rules.no_tickets.push_back(notifier.name);
  }
  rules.runbook = incidents.runbook;
  for (size_t i = 0; i < 4; ++i) {
    rules.ack_s[i] = (incidents.acknowledge_ms[i] + kMsPerSecond - 1) / kMsPerSecond;
  }
  return rules;
}

incident::core::BookRules book_rules(const NodeConfig& config) {
  incident::core::BookRules rules;
  const auto ack = pager_rules(config);
  std::copy(std::begin(ack.ack_s), std::end(ack.ack_s), std::begin(rules.ack_s));
  return rules;
}

bool tells_of(const std::string& self, const std::string& opened_on,
              const std::vector<peer::PeerView>& peers) {
  if (opened_on == self) return true;
  bool gone = false;
  for (const peer::PeerView& one : peers) {
    const bool there =
        one.state == peer::PeerView::State::alive || one.state == peer::PeerView::State::suspect;
    if (one.node == opened_on) gone = !there;
    if (there && one.role != peer::Role::observer && one.node < self) return false;
  }
  return gone;
}

bool in_maintenance(const slo::SloEngine& engine, const incident::core::Incident& incident) {
  return !incident.services.empty() &&
         std::all_of(incident.services.begin(), incident.services.end(),
                     [&](const std::string& service) { return excluded(engine, service); });
}

}  // namespace nines::agent
