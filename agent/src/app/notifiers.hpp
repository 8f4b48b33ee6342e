// Notifiers: the webhooks of nines.yaml, fed from the store: what is told was committed before, and
// how far each one got is kept there. Control thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "app/snapshot.hpp"
#include "app/worker.hpp"
#include "config/config.hpp"
#include "nines/base/result.hpp"
#include "nines/base/time.hpp"
#include "nines/store/state_store.hpp"
#include "notify/webhook.hpp"

namespace nines::agent {

class Notifiers {
 public:
  // All outlive it; `store` is touched by jobs of `store_work` only, once start() returned.
  Notifiers(boost::asio::io_context& io, const Clock& clock, Worker& store_work)
      : io_(io), clock_(clock), store_work_(store_work) {}

  Status start(const NodeConfig& config, store::StateStore& store, uint64_t seed);
  // New events are in the store.
  void notify();
  void stop() { webhooks_.clear(); }
  void tell(Snapshot& out) const;

 private:
  notify::EventSource event_source(const std::string& destination);

  boost::asio::io_context& io_;
  const Clock& clock_;
  Worker& store_work_;
  store::StateStore* store_ = nullptr;
  std::vector<std::unique_ptr<notify::Webhook>> webhooks_;
};

}  // namespace nines::agent
