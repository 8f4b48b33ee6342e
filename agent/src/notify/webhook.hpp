// Webhook: tells one URL every alert event, in order, once each (at least once; the Idempotency-Key
// lets the receiver drop repeats). The driver of a Delivery over the HTTP client, on the control
// io_context; one request in flight. Wire format: README.md beside this file.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "config/config.hpp"
#include "notify/delivery.hpp"

namespace boost::asio {
class io_context;
}

namespace nines::agent::notify {

struct Identity {
  std::string node, version;
  uint64_t boot = 0;
};

// Where events come from and how far this destination got. Called on the thread of the io_context;
// `reply` must be called there as well, at once or later, exactly once (empty on error: asked again
// at the next notify() or after a minute).
struct EventSource {
  using Reply = std::function<void(std::vector<slo::AlertEvent>)>;
  std::function<void(uint64_t after, size_t max, Reply reply)> events_after;
  std::function<void(uint64_t cursor)> advance;  // everything up to here is told or dead
};

// "node/boot/alert/sequence"; boot is that of the event where the store kept it, so that a repeat
// after a restart carries the same key.
std::string idempotency_key(const Identity& identity, const slo::AlertEvent& event);
std::string payload_json(const Identity& identity, const slo::AlertEvent& event);

class Webhook {
 public:
  // `io` and `clock` must outlive it. `cursor`: as saved by advance() in an earlier life.
  Webhook(boost::asio::io_context& io, const Clock& clock, WebhookConfig config, Identity identity,
          EventSource source, uint64_t cursor, uint64_t seed, RetryPolicy policy = {});
  // What is in flight is forgotten; it will be told again after a restart.
  ~Webhook();

  // New events may be there. Cheap; call after every commit that carried events.
  void notify();
  DeliveryStats stats() const;

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace nines::agent::notify
