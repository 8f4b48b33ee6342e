// Wire: the machine of a protocol over one connection, without I/O: bytes and time in, bytes and
// decisions out. BrokerLink (link.hpp) drives it over TCP and TLS and connects again and again.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "nines/base/result.hpp"
#include "nines/broker/bus.hpp"

namespace nines::broker {

// Read from their files for each connection.
struct Login {
  std::string user, password, token;
  std::string jwt, seed;  // NATS: of an account, and the key that signs (an NKey, "SU...")
};

class Wire {
 public:
  virtual ~Wire() = default;
  // The connection stands; TLS too when it is spoken from the first byte (`tls_first`).
  virtual bool tls_first() const = 0;
  virtual void opened(const Login& login, Now now) = 0;
  virtual void received(std::string_view bytes, Now now) = 0;
  // Set after received(): TLS is wanted now, before anything else is sent.
  virtual bool wants_tls() const = 0;
  virtual void secured(Now now) = 0;
  virtual void tick(Now now) = 0;
  // It is no more: everything underway is forgotten.
  virtual void closed(Now now) = 0;
  // What is to be sent.
  virtual std::string take_output() = 0;
  // What the socket has not taken of it yet.
  virtual void set_unsent(size_t bytes) = 0;
  // Last words before the connection is closed on purpose.
  virtual void leave(Now now) = 0;

  virtual bool ready() const = 0;  // logged in
  // Why this connection has to be closed; nullopt: it is fine.
  virtual const std::optional<Error>& broken() const = 0;
  // The broker refused the login: trying again soon makes no sense.
  virtual bool refused() const = 0;
};

}  // namespace nines::broker
