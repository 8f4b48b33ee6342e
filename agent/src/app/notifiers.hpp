// Notifiers: whom nines.yaml names, fed from the store: what is told was committed before, and how
// far each one got is kept there. Control thread.
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
#include "notify/notifications.hpp"

namespace nines::agent {

class Notifiers {
 public:
  // All outlive it; `store` is touched by jobs of `store_work` only, once start() returned.
  Notifiers(boost::asio::io_context& io, const Clock& clock, Worker& store_work)
      : io_(io), clock_(clock), store_work_(store_work) {}

  Status start(const NodeConfig& config, store::StateStore& store, uint64_t seed);
  void on_delivered(notify::Notifications::Delivered delivered) {
    if (all_) all_->on_delivered(std::move(delivered));
  }
  void on_refused(notify::Notifications::Refused refused) {
    if (all_) all_->on_refused(std::move(refused));
  }
  void on_telling(notify::Notifications::Prepare prepare) {
    if (all_) all_->on_telling(std::move(prepare));
  }
  void on_links(notify::LinksFor links) {
    if (all_) all_->on_links(std::move(links));
  }
  // As notify::Notifications; before it is started nobody tells anything.
  bool hopeless(const slo::AlertEvent& event, const std::vector<std::string>& names) const;
  void told_elsewhere(const slo::AlertEvent& event, const std::vector<std::string>& names);
  // Of these names (an empty list: all) those of which one is here and worked last.
  std::vector<std::string> working(const std::vector<std::string>& names) const;
  // New events are in the store.
  void notify();
  void stop() { all_.reset(); }
  void tell(Snapshot& out) const;
  std::string outbox_json() const;  // GET /api/outbox

 private:
  boost::asio::io_context& io_;
  const Clock& clock_;
  Worker& store_work_;
  std::unique_ptr<notify::Notifications> all_;
};

}  // namespace nines::agent
