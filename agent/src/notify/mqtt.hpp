// One event to an MQTT broker: a connection of its own, one publication of QoS 1, its PUBACK, and
// DISCONNECT. Alerts are rare: nothing is held open between them, and no broker is kept waiting.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "nines/base/result.hpp"
#include "nines/base/time.hpp"

namespace boost::asio {
class io_context;
}

namespace nines::agent::notify {

struct Publication {
  std::string url;                           // mqtt(s)://HOST:PORT
  std::string user, password;                // empty: no login
  std::string ca_file, cert_file, key_file;  // PEM; ca_file empty: the system's authorities
  std::string client_id;                     // another connection of that name is ended by ours
  std::string topic, payload;
};

struct MqttAnswer {
  static constexpr int kAcknowledged = 200, kRefusedLogin = 401, kTooLarge = 413;
  int status = 0;
  std::string text;
};

// Calls `done` once on the thread of `io`, at the latest after timeout_ms; an error: there was no
// answer, and the broker may have taken the event or not. `io` and `clock` outlive the exchange.
void async_publish(boost::asio::io_context& io, const Clock& clock, Publication publication,
                   int64_t timeout_ms, std::function<void(const Result<MqttAnswer>&)> done);

}  // namespace nines::agent::notify
