#include "app/notifiers.hpp"

#include <utility>

#include "cli/commands.hpp"

namespace nines::agent {

Status Notifiers::start(const NodeConfig& config, store::StateStore& store, uint64_t seed) {
  notify::Identity identity{config.node, kVersion, store.restored().boot, config.peers.cluster};
  NINES_TRY(all_,
            notify::Notifications::start(
                io_, clock_, config, std::move(identity), store,
                [this](std::function<void()> job) { store_work_.post(std::move(job)); }, seed));
  return Ok{};
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
