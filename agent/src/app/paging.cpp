#include "app/paging.hpp"

#include <algorithm>
#include <utility>

#include "app/log.hpp"
#include "config/files.hpp"
#include "config/oncall.hpp"
#include "incident/page_history.hpp"

namespace nines::agent {
namespace {

constexpr size_t kMaxHistory = 16 * 1024 * 1024;

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

// The steps of chains, and who is told on his own.
std::vector<incident::OnCall::Notifier> notifiers_of(const NodeConfig& config) {
  std::vector<incident::OnCall::Notifier> out;
  for (const WebhookConfig& webhook : config.webhooks)
    out.push_back({webhook.name, {}, true, true});
  for (const NotifierConfig& notifier : config.notifiers) {
    const bool page = takes(notifier, "page"), ticket = takes(notifier, "ticket");
    bool step = false;
    for (const ChainConfig& chain : config.chains) {
      for (const ChainConfig::Step& one : chain.steps) {
        if (one.notify != notifier.name) continue;
        out.push_back({notifier.name, chain.name, page, ticket});
        step = true;
      }
    }
    if (!step) out.push_back({notifier.name, {}, page, ticket});
  }
  return out;
}

// Nothing, and said so, rather than no on-call.
std::vector<nines::oncall::Page> imported_pages(const NodeConfig& config, const std::string& state,
                                                const nines::oncall::Roster& roster) {
  const std::string& given = config.oncall.history;
  const std::string path = given.empty() ? state + "/oncall-pages.ndjson" : given;
  const auto text = config::read_file(path, kMaxHistory);
  if (!text.ok()) {
    if (!given.empty()) log::warn("oncall", "past pages: " + text.error().message);
    return {};
  }
  auto read = incident::read_page_history(*text, roster);
  if (!read.ok()) {
    log::warn("oncall", "past pages: " + path + ": " + read.error().message);
    return {};
  }
  return std::move(read->pages);
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

std::shared_ptr<const incident::OnCall> on_call_of(const NodeConfig& config,
                                                   const std::string& state) {
  if (config.oncall.file.empty() || !config.incidents.enabled) return nullptr;
  std::vector<Diagnostic> diagnostics;
  auto plan = config::load_oncall(config.oncall.file, diagnostics);
  if (!plan) {
    log::error("oncall",
               "everybody is told, because the on-call document cannot be read: " +
                   (diagnostics.empty() ? config.oncall.file : to_string(diagnostics.front())));
    return nullptr;
  }
  auto pages = imported_pages(config, state, *plan->roster);
  incident::OnCall::Parts parts{std::make_shared<const nines::oncall::Plan>(std::move(*plan)),
                                notifiers_of(config), std::move(pages)};
  return std::make_shared<const incident::OnCall>(std::move(parts));
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

bool pages_for(const std::string& self, const incident::core::Incident& incident,
               const std::vector<peer::PeerView>& peers) {
  const WallTime start = std::max(incident.opened, incident.reopened);
  const auto is_gone = [&](const std::string& node) {
    return std::any_of(peers.begin(), peers.end(), [&](const peer::PeerView& one) {
      return one.node == node && one.state != peer::PeerView::State::alive &&
             one.state != peer::PeerView::State::suspect;
    });
  };
  const std::string* first = nullptr;  // of those that look after it
  for (const auto& page : incident.pages) {
    if (page.at < start || !incident::is_claim(page)) continue;
    if (page.node != self && is_gone(page.node)) continue;
    if (first == nullptr || page.node < *first) first = &page.node;
  }
  if (first != nullptr) return *first == self;
  const auto burns_here = [&](const incident::core::IncidentCondition& one) {
    return one.condition.kind == incident::core::ConditionKind::burn_rate && one.condition.holds &&
           std::any_of(one.observers.begin(), one.observers.end(), [&](const auto& observer) {
             return observer.node == self && observer.ended == WallTime{};
           });
  };
  return tells_of(self, incident.opened_on, peers) ||
         std::any_of(incident.conditions.begin(), incident.conditions.end(), burns_here);
}

bool in_maintenance(const slo::SloEngine& engine, const incident::core::Incident& incident) {
  return !incident.services.empty() &&
         std::all_of(incident.services.begin(), incident.services.end(),
                     [&](const std::string& service) { return excluded(engine, service); });
}

}  // namespace nines::agent
