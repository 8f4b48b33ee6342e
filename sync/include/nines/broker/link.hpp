// BrokerLink: a Wire on a real socket. Connects, speaks TLS (the broker's certificate and name are
// verified; own certificate if asked for), and after a broken connection connects again:
// full-jitter back-off 1 s to 60 s, after a refused login not before 30 s. Runs on the thread of
// `io`.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "nines/base/result.hpp"
#include "nines/broker/wire.hpp"

namespace boost::asio {
class io_context;
}

namespace nines::broker {

struct BrokerUrl {
  std::string scheme, host, port;  // host without brackets
  bool tls = false;                // tls://, mqtts://
};
// nats://, tls://, mqtt://, mqtts://, with or without a port; no user, no path.
Result<BrokerUrl> parse_broker_url(std::string_view text);

struct LinkSettings {
  BrokerUrl url;
  std::string ca_file;              // PEM; empty: the system's authorities
  std::string cert_file, key_file;  // PEM, read for each connection
  std::function<Result<Login>()> login;
  int64_t timeout_ms = 10'000;  // of connecting, TLS included
  int64_t tick_ms = 500;
  int user_timeout_ms = 20'000;  // unacknowledged bytes: the connection is dead
  uint64_t seed = 0;             // of the back-off
};

class BrokerLink {
 public:
  // The connection stands ("connected to ..."), or why it does not; once for each change.
  using OnNotice = std::function<void(bool good, const std::string&)>;

  // `io`, `clock` and `wire` outlive it.
  BrokerLink(boost::asio::io_context& io, const Clock& clock, LinkSettings settings, Wire& wire,
             OnNotice on_notice);
  ~BrokerLink();  // says goodbye, as far as that goes without waiting

  // The machine has something to send that did not come of its input.
  void flush();
  Now now() const;

  struct Stats {
    uint64_t connects = 0, failures = 0;
    std::string trouble;  // why it is not connected; empty: it is
  };
  const Stats& stats() const;

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace nines::broker
