// MqttClient: the publishing half of MQTT 3.1.1, without I/O: CONNECT with a will, PUBLISH of QoS 0
// and 1, PUBACK, PINGREQ, DISCONNECT. It subscribes to nothing; what comes nevertheless is
// acknowledged and dropped. Sessions are clean: what is not acknowledged is known to the user of
// this class, who publishes it again, under a new packet id. Not thread-safe.
//
// Limits: a packet of the broker 64 KiB, `window` publications without an acknowledgement.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "nines/broker/wire.hpp"

namespace nines::broker {

struct MqttOptions {
  std::string client_id;         // of one connection only: a second one ends the first
  std::string will_topic, will;  // retained, QoS 1; empty topic: none
  int64_t greeting_ms = 10'000;  // until it is logged in
  int64_t keep_alive_s = 30;
  size_t window = 16;
  size_t max_unsent = 1024 * 1024;
  size_t max_payload = 256 * 1024;
};

class MqttUser {
 public:
  virtual ~MqttUser() = default;
  virtual void connected(Now now) = 0;
  virtual void acknowledged(uint16_t id, Now now) = 0;  // of a publication with QoS 1
  virtual void tick(Now now) = 0;
  virtual void lost(Now now) = 0;     // every publication without an acknowledgement, too
  virtual void leaving(Now now) = 0;  // last publications before DISCONNECT
};

class MqttClient final : public Wire {
 public:
  // `user` outlives it.
  MqttClient(MqttOptions options, bool tls, MqttUser& user)
      : options_(std::move(options)), tls_(tls), user_(user) {}

  bool room() const;  // for one more
  // With QoS 1 the id that its acknowledgement will have; 0: not published (no room, too large).
  uint16_t publish(std::string_view topic, std::string_view payload, int qos, bool retain);

  bool tls_first() const override { return tls_; }
  void opened(const Login& login, Now now) override;
  void received(std::string_view bytes, Now now) override;
  bool wants_tls() const override { return false; }
  void secured(Now) override {}
  void tick(Now now) override;
  void closed(Now now) override;
  std::string take_output() override { return std::exchange(out_, {}); }
  void set_unsent(size_t bytes) override { on_socket_ = bytes; }
  void leave(Now now) override;
  bool ready() const override { return state_ == State::ready; }
  const std::optional<Error>& broken() const override { return broken_; }
  bool refused() const override { return refused_; }

  struct Counters {
    uint64_t published = 0, acknowledged = 0, dropped = 0, unasked = 0;
  };
  const Counters& counters() const { return counters_; }

 private:
  enum class State : uint8_t { closed, greeting, ready };
  void fail(Errc code, std::string why);
  // Bytes taken; 0: more are needed, or it is broken.
  size_t packet(std::string_view bytes, Now now);
  void on_packet(uint8_t head, std::string_view body, Now now);
  void on_connack(std::string_view body, Now now);

  MqttOptions options_;
  bool tls_;
  MqttUser& user_;
  State state_ = State::closed;
  std::string in_, out_;
  size_t on_socket_ = 0;
  uint16_t last_id_ = 0;
  std::map<uint16_t, bool> underway_;
  Instant since_{}, sent_{}, pinged_{};
  bool pinging_ = false, refused_ = false;
  std::optional<Error> broken_;
  Counters counters_;
};

}  // namespace nines::broker
