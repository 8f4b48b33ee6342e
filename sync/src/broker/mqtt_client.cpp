#include "nines/broker/mqtt_client.hpp"

#include <array>

namespace nines::broker {
namespace {

constexpr size_t kMaxPacket = 64 * 1024;
constexpr uint8_t kConnect = 0x10, kConnack = 0x20, kPublish = 0x30, kPuback = 0x40;
constexpr uint8_t kPingreq = 0xC0, kPingresp = 0xD0, kDisconnect = 0xE0;
constexpr uint8_t kUser = 0x80, kPassword = 0x40, kWillRetain = 0x20, kWillQos1 = 0x08,
                  kWill = 0x04, kClean = 0x02;

bool past(Instant from, int64_t ms, Now now) { return now.mono.ns - from.ns > ms * kNsPerMs; }

void append_u16(std::string& out, size_t value) {
  out += static_cast<char>(value >> 8 & 0xFF);
  out += static_cast<char>(value & 0xFF);
}

void append_text(std::string& out, std::string_view text) {
  append_u16(out, text.size());
  out += text;
}

uint16_t read_u16(std::string_view bytes) {
  return static_cast<uint16_t>(static_cast<unsigned char>(bytes[0]) << 8 |
                               static_cast<unsigned char>(bytes[1]));
}

std::string framed(uint8_t head, std::string_view body) {
  std::string out(1, static_cast<char>(head));
  size_t rest = body.size();
  do {
    const size_t low = rest & 0x7F;
    rest >>= 7;
    out += static_cast<char>(low | (rest > 0 ? 0x80 : 0));
  } while (rest > 0);
  return out.append(body);
}

}  // namespace

void MqttClient::fail(Errc code, std::string why) {
  if (!broken_) broken_ = Error{code, std::move(why)};
}

void MqttClient::opened(const Login& login, Now now) {
  in_.clear();
  out_.clear();
  on_socket_ = 0;
  underway_.clear();
  broken_.reset();
  refused_ = pinging_ = false;
  since_ = sent_ = now.mono;
  state_ = State::greeting;
  uint8_t flags = kClean;
  if (!options_.will_topic.empty()) flags |= kWill | kWillQos1 | kWillRetain;
  if (!login.user.empty()) flags |= kUser | kPassword;
  std::string body;
  append_text(body, "MQTT");
  body += '\x04';  // 3.1.1
  body += static_cast<char>(flags);
  append_u16(body, static_cast<size_t>(options_.keep_alive_s));
  append_text(body, options_.client_id);
  if ((flags & kWill) != 0) {
    append_text(body, options_.will_topic);
    append_text(body, options_.will);
  }
  if ((flags & kUser) != 0) {
    append_text(body, login.user);
    append_text(body, login.password);
  }
  out_ = framed(kConnect, body);
}

void MqttClient::received(std::string_view bytes, Now now) {
  if (state_ == State::closed || broken_) return;
  in_.append(bytes);
  size_t at = 0;
  while (!broken_) {
    const size_t taken = packet(std::string_view(in_).substr(at), now);
    if (taken == 0) break;
    at += taken;
  }
  in_.erase(0, at);
}

size_t MqttClient::packet(std::string_view bytes, Now now) {
  size_t length = 0, head = 1;
  for (;; ++head) {
    if (head == 5) {
      fail(Errc::corrupt, "the MQTT broker sent a length that is none");
      return 0;
    }
    if (bytes.size() <= head) return 0;
    const auto byte = static_cast<unsigned char>(bytes[head]);
    length |= static_cast<size_t>(byte & 0x7F) << (7 * (head - 1));
    if ((byte & 0x80) == 0) break;
  }
  ++head;
  if (length > kMaxPacket) {
    fail(Errc::corrupt, "the MQTT broker sent a packet of " + std::to_string(length) + " bytes");
    return 0;
  }
  if (bytes.size() < head + length) return 0;
  on_packet(static_cast<uint8_t>(bytes[0]), bytes.substr(head, length), now);
  return head + length;
}

void MqttClient::on_packet(uint8_t head, std::string_view body, Now now) {
  if (state_ == State::greeting) {
    if (head == kConnack) return on_connack(body, now);
    return fail(Errc::corrupt, "the MQTT broker did not answer the login");
  }
  if (head == kPuback && body.size() == 2) {
    const uint16_t id = read_u16(body);
    if (underway_.erase(id) == 0) return;
    ++counters_.acknowledged;
    return user_.acknowledged(id, now);
  }
  if (head == kPingresp && body.empty()) {
    pinging_ = false;
    return;
  }
  if ((head & 0xF0) != kPublish)
    return fail(Errc::corrupt, "the MQTT broker sent an unknown packet");
  ++counters_.unasked;
  const int qos = head >> 1 & 3;
  const size_t topic = body.size() < 2 ? 0 : read_u16(body);
  if (qos == 0) return;
  if (qos != 1 || body.size() < topic + 4) {
    return fail(Errc::corrupt, "the MQTT broker sent a message that is none");
  }
  out_ += framed(kPuback, body.substr(2 + topic, 2));
}

void MqttClient::on_connack(std::string_view body, Now now) {
  constexpr std::array<const char*, 6> kReasons = {"",
                                                   "it does not speak MQTT 3.1.1",
                                                   "it does not take the client id",
                                                   "it is not available",
                                                   "user or password is wrong",
                                                   "not authorized"};
  if (body.size() != 2) return fail(Errc::corrupt, "the MQTT broker's answer to the login is none");
  const auto code = static_cast<unsigned char>(body[1]);
  if (code == 0) {
    state_ = State::ready;
    return user_.connected(now);
  }
  refused_ = code != 3;
  fail(Errc::unavailable,
       std::string("the MQTT broker refuses the login: ") +
           (code < kReasons.size() ? kReasons[code] : "for a reason of its own"));
}

bool MqttClient::room() const {
  return ready() && underway_.size() < options_.window &&
         out_.size() + on_socket_ < options_.max_unsent;
}

uint16_t MqttClient::publish(std::string_view topic, std::string_view payload, int qos,
                             bool retain) {
  constexpr size_t kMaxTopic = 65'535;
  if (!ready() || topic.size() > kMaxTopic || payload.size() > options_.max_payload ||
      (qos > 0 && !room())) {
    ++counters_.dropped;
    return 0;
  }
  std::string body;
  append_text(body, topic);
  if (qos > 0) {
    do {
      ++last_id_;
    } while (last_id_ == 0 || underway_.contains(last_id_));
    underway_[last_id_] = true;
    append_u16(body, last_id_);
  }
  body += payload;
  out_ += framed(static_cast<uint8_t>(kPublish | (qos > 0 ? 2 : 0) | (retain ? 1 : 0)), body);
  ++counters_.published;
  return qos > 0 ? last_id_ : uint16_t{0};
}

void MqttClient::tick(Now now) {
  if (state_ == State::closed || broken_) return;
  if (state_ == State::greeting) {
    if (past(since_, options_.greeting_ms, now)) {
      fail(Errc::timeout, "the MQTT broker does not answer the login");
    }
    return;
  }
  if (pinging_ && past(pinged_, options_.keep_alive_s * 500, now)) {
    return fail(Errc::timeout, "the MQTT broker does not answer");
  }
  if (!pinging_ && past(pinged_, options_.keep_alive_s * 500, now)) {
    out_ += framed(kPingreq, "");
    pinging_ = true;
    pinged_ = now.mono;
  }
  user_.tick(now);
}

void MqttClient::closed(Now now) {
  const bool was_ready = ready();
  state_ = State::closed;
  underway_.clear();
  out_.clear();
  in_.clear();
  on_socket_ = 0;
  if (was_ready) user_.lost(now);
}

void MqttClient::leave(Now now) {
  if (!ready()) return;
  user_.leaving(now);
  out_ += framed(kDisconnect, "");
}

}  // namespace nines::broker
