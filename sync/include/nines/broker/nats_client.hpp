// NatsClient: the client's side of the NATS protocol (docs.nats.io, "Client Protocol"), without
// I/O. INFO, CONNECT, PUB/HPUB, SUB/UNSUB, MSG/HMSG, PING/PONG, +OK, -ERR; logins by user, token,
// NKey and JWT. Not thread-safe.
//
// Limits, each an end of the connection beyond it: a line 64 KiB (INFO lists servers; others 4
// KiB), a payload max_message. What is published while `unsent` is beyond max_unsent is dropped
// and counted: a participant looks at Bus::unsent() first. Subscriptions: max_subscriptions.
#pragma once

#include <map>
#include <memory>
#include <vector>

#include "nines/base/backoff.hpp"
#include "nines/broker/wire.hpp"

namespace nines::broker {

struct NatsOptions {
  std::string name = "nines";            // the connection's, as the server lists it
  bool tls = false;                      // tls://; else as the server wants it
  size_t max_message = 8 * 1024 * 1024;  // headers and body, from the server
  size_t max_unsent = 8 * 1024 * 1024;
  size_t max_subscriptions = 4096;
  int64_t greeting_ms = 10'000;  // until it is logged in
  int64_t ping_every_ms = 20'000;
  int64_t dead_after_ms = 10'000;  // without an answer to a ping
  uint64_t seed = 0;               // of inboxes
};

class NatsParser;

class NatsClient final : public Wire, public Bus {
 public:
  explicit NatsClient(NatsOptions options);
  ~NatsClient() override;

  // They outlive it. When it is connected already, `who` is told at once.
  void join(Participant& who, Now now);
  // Something of a participant changed: its tick now, not with the next one.
  void wake(Participant& who, Now now);

  bool tls_first() const override { return false; }
  void opened(const Login& login, Now now) override;
  void received(std::string_view bytes, Now now) override;
  bool wants_tls() const override { return state_ == State::handshake; }
  void secured(Now now) override;
  void tick(Now now) override;
  void closed(Now now) override;
  std::string take_output() override;
  void set_unsent(size_t bytes) override { on_socket_ = bytes; }
  void leave(Now now) override;
  bool ready() const override { return state_ == State::ready; }
  const std::optional<Error>& broken() const override { return broken_; }
  bool refused() const override { return refused_; }

  uint64_t subscribe(std::string_view subject, Participant& who) override;
  void unsubscribe(uint64_t sid) override;
  void publish(std::string_view subject, std::string_view reply, std::span<const Header> headers,
               std::string_view body) override;
  std::string inbox() override;
  size_t max_payload() const override { return max_payload_; }
  size_t unsent() const override { return out_.size() + on_socket_; }

  struct Counters {
    uint64_t messages_in = 0, messages_out = 0, bytes_in = 0, bytes_out = 0;
    uint64_t dropped = 0;  // not published: too large, or too much unsent
    uint64_t unknown = 0;  // messages of subscriptions that are no more
  };
  const Counters& counters() const { return counters_; }
  const std::string& server() const { return server_; }  // "nats-1 2.9.10"
  // What this login may not do, as far as it has tried in the last kDenialMs: sentences for people,
  // each once, the newest kDenials.
  static constexpr int64_t kDenialMs = 180'000;
  static constexpr size_t kDenials = 8;
  std::vector<std::string> denials(Instant now) const;

 private:
  enum class State : uint8_t { closed, greeting, handshake, logging_in, ready };
  void fail(Errc code, std::string why);
  void on_info(const std::string& json, Now now);
  void on_error(const std::string& text, Now now);
  void on_denial(const std::string& text, Now now);
  void log_in(Now now);
  void deliver(uint64_t sid, const BusMessage& message, Now now);

  NatsOptions options_;
  State state_ = State::closed;
  Login login_;
  std::unique_ptr<NatsParser> parser_;
  std::string out_, server_, nonce_;
  size_t on_socket_ = 0, max_payload_ = 1024 * 1024;
  std::vector<Participant*> participants_;
  std::map<uint64_t, Participant*> subscriptions_;
  std::map<std::string, Instant> denials_;  // by what is said of them
  uint64_t next_sid_ = 0;
  SplitMix64 chance_;
  Instant since_{}, heard_{}, pinged_{};
  bool pinging_ = false, refused_ = false;
  std::optional<Error> broken_;
  Counters counters_;
};

}  // namespace nines::broker
