// Bus: what a broker of messages (NATS) is to those who speak over it, without sockets: subscribe,
// publish, and be told what comes. One connection carries several participants. The participants
// are machines without I/O; `received` and `tick` are the only times they act.
//
// A connection that breaks takes every subscription with it and loses what was underway, in either
// direction: connected() begins from nothing.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "nines/base/time.hpp"

namespace nines::broker {

struct Now {
  Instant mono{};
  WallTime wall{};
};

// Valid during the call only.
struct BusMessage {
  std::string_view subject, reply;
  std::string_view headers;  // "NATS/1.0 503\r\nName: value\r\n\r\n"; empty: none
  std::string_view body;
  int status = 0;  // of the headers' first line; 0: none. 503: nobody listens there
};
// The value of a header; empty: there is none.
std::string_view header_of(const BusMessage& message, std::string_view name);

using Header = std::pair<std::string_view, std::string_view>;
class Participant;

class Bus {
 public:
  virtual ~Bus() = default;
  // Messages of that subject go to `who`, until unsubscribe() or the connection ends.
  virtual uint64_t subscribe(std::string_view subject, Participant& who) = 0;
  virtual void unsubscribe(uint64_t sid) = 0;
  // Counted and dropped beyond max_payload(), and when unsent() is beyond its limit.
  virtual void publish(std::string_view subject, std::string_view reply,
                       std::span<const Header> headers, std::string_view body) = 0;
  // A prefix that nobody else has: "_INBOX.7f3a...". Another one with each call.
  virtual std::string inbox() = 0;
  virtual size_t max_payload() const = 0;
  virtual size_t unsent() const = 0;  // bytes that the socket has not taken
};

// What the broker does not let this connection do, as it says some time later. The subject is valid
// during the call only.
struct Denied {
  bool publish = false;  // else to subscribe
  std::string_view subject;
};
// For people, with the permission that is missing.
std::string denial_text(const Denied& what);

class Participant {
 public:
  virtual ~Participant() = default;
  virtual void connected(Bus& bus, Now now) = 0;
  virtual void received(uint64_t sid, const BusMessage& message, Bus& bus, Now now) = 0;
  virtual void tick(Bus& bus, Now now) = 0;  // about twice a second, and when something changed
  virtual void lost(Now now) = 0;            // after connected()
  // All participants are told; the subject may be that of another.
  virtual void denied(const Denied& what, Bus& bus, Now now);
};

// A name as one token of a subject or as the name of a stream: letters, digits, '-' and '_' stay,
// other bytes become "=2E". And back; an empty text: it is no such token.
std::string token_of(std::string_view name);
std::string name_of_token(std::string_view token);

}  // namespace nines::broker
