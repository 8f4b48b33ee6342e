#include "app/notifiers.hpp"

#include <algorithm>
#include <utility>

#include "app/log.hpp"
#include "cli/commands.hpp"
#include "net/asio.hpp"

namespace nines::agent {
namespace {

constexpr size_t kMaxEventsPerFetch = 64;

}  // namespace

Status Notifiers::start(const NodeConfig& config, store::StateStore& store, uint64_t seed) {
  store_ = &store;
  const notify::Identity identity{config.node, kVersion, store.restored().boot};
  for (const WebhookConfig& webhook : config.webhooks) {
    const std::string destination = "webhook:" + webhook.name;
    NINES_TRY(const uint64_t cursor, store.cursor(destination));
    webhooks_.push_back(std::make_unique<notify::Webhook>(
        io_, clock_, webhook, identity, event_source(destination), cursor, ++seed));
    webhooks_.back()->notify();
  }
  return Ok{};
}

void Notifiers::notify() {
  for (auto& webhook : webhooks_) webhook->notify();
}

void Notifiers::tell(Snapshot& out) const {
  for (const auto& webhook : webhooks_) {
    const notify::DeliveryStats stats = webhook->stats();
    out.notify_sent += stats.sent;
    out.notify_failed += stats.dead;
    out.notify_pending += stats.pending;
  }
}

notify::EventSource Notifiers::event_source(const std::string& destination) {
  notify::EventSource source;
  source.events_after = [this](uint64_t after, size_t max, notify::EventSource::Reply reply) {
    store_work_.post([this, after, max, reply = std::move(reply)] {
      auto events = store_->events_after(after, std::min(max, kMaxEventsPerFetch));
      std::vector<slo::AlertEvent> found;
      if (events.ok()) found = std::move(*events);
      net::asio::post(io_, [reply, found = std::move(found)] { reply(found); });
    });
  };
  source.advance = [this, destination](uint64_t cursor) {
    store_work_.post([this, destination, cursor] {
      const Status done = store_->set_cursor(destination, cursor);
      if (!done.ok()) log::warn("store", done.error().message);
    });
  };
  return source;
}

}  // namespace nines::agent
