#include "app/notifiers.hpp"

#include <algorithm>
#include <utility>

#include "cli/commands.hpp"

namespace nines::agent {

Status Notifiers::start(const NodeConfig& config, store::StateStore& store, uint64_t seed) {
  const notify::Identity identity{config.node, kVersion, store.restored().boot,
                                  config.peers.cluster};
  NINES_TRY(all_,
            notify::Notifications::start(
                io_, clock_, config, identity, store,
                [this](std::function<void()> job) { store_work_.post(std::move(job)); }, seed));
  return Ok{};
}

bool Notifiers::hopeless(const slo::AlertEvent& event,
                         const std::vector<std::string>& names) const {
  return !all_ || all_->hope(event, names) != notify::Chain::Hope::open;
}

void Notifiers::told_elsewhere(const slo::AlertEvent& event,
                               const std::vector<std::string>& names) {
  if (all_) all_->told_elsewhere(event.sequence, names);
}

std::vector<std::string> Notifiers::working(const std::vector<std::string>& names) const {
  std::vector<std::string> out;
  if (!all_) return out;
  const auto add = [&](const std::string& name) {
    const bool wanted = names.empty() || std::find(names.begin(), names.end(), name) != names.end();
    const bool known = std::find(out.begin(), out.end(), name) != out.end();
    if (wanted && !known && !name.empty()) out.push_back(name);
  };
  for (const notify::NotifierShown& one : all_->notifiers()) {
    if (one.stats.failures_in_row != 0) continue;
    add(one.name);
    add(one.chain);
  }
  return out;
}

void Notifiers::notify() {
  if (all_) all_->notify();
}

void Notifiers::tell(Snapshot& out) const {
  if (!all_) return;
  out.notifiers = all_->notifiers();
  out.alertmanagers = all_->alertmanagers();
}

std::string Notifiers::outbox_json() const { return all_ ? all_->outbox_json() : "{}"; }

}  // namespace nines::agent
