// EventHub: what happened, told to everybody who listens (server-sent events of GET /api/events).
// One ring of bounded size is all that is kept; a listener is a place in it. Who comes back with
// the id of what he heard last gets what he missed, as long as the ring still has it; who reads so
// slowly that the ring has moved on is let go, and counted. On one thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "http/message.hpp"

namespace nines::agent::http {

struct EventLimits {
  size_t max_events = 512;
  size_t max_bytes = 256 * 1024;  // of all events kept
  size_t max_event = 16 * 1024;   // one that is larger is not told, and counted
  size_t max_clients = 16;        // beyond: refused
};

struct EventStats {
  uint64_t published = 0, refused = 0;
  uint64_t dropped = 0;  // clients that did not read
  uint64_t too_large = 0;
  size_t clients = 0, bytes = 0;
};

class EventHub {
 public:
  // `boot` begins the ids, so that those of another life are not taken for these.
  EventHub(uint64_t boot, EventLimits limits = {});
  ~EventHub();

  // `data`: one line of JSON.
  void publish(std::string_view type, std::string_view data);
  // Told to those who listen now, without an id; who is slow hears the last one only.
  void tick(std::string_view data);
  // `hello` (a JSON object without "resumed") is the first he hears. Null: too many listen.
  std::shared_ptr<Stream> listen(std::string_view last_event_id, std::string hello);
  EventStats stats() const;

 private:
  struct Ring;
  class Listener;
  std::shared_ptr<Ring> ring_;
};

}  // namespace nines::agent::http
