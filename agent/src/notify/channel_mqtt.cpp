// Channel of kind mqtt.
#include "nines/base/json_writer.hpp"
#include "notify/channel.hpp"

namespace nines::agent::notify {
namespace {

// What webhooks get, behind the key that they get as a header.
std::string payload_with_id(const Message& message) {
  std::string out;
  JsonWriter json(out);
  json.begin_object().member("id", message.key).end_object();
  const bool object = message.json.starts_with('{') && message.json.size() > 2;
  if (!object) return out;
  out.back() = ',';
  return out.append(message.json, 1);
}

class MqttChannel final : public Channel {
 public:
  MqttChannel(const NotifierConfig& config, const Identity& identity) {
    publication_.url = config.url;
    publication_.user = config.user;
    publication_.ca_file = config.ca_file;
    publication_.cert_file = config.cert_file;
    publication_.key_file = config.key_file;
    publication_.topic = config.topic;
    publication_.client_id = "nines-" + identity.cluster + "-" + identity.node + "-" + config.name;
  }

  Result<Exchange> exchange(const Message& message, const Telling& telling) const override {
    Publication out = publication_;
    out.password = telling.secret;
    out.payload = payload_with_id(message);
    return Exchange(std::move(out));
  }

  Verdict judge(const Message&, std::string_view, const Answer& answer) const override {
    switch (answer.status) {
      case MqttAnswer::kAcknowledged:
        return {Outcome::delivered, answer.text, answer.status, {}, {}};
      case MqttAnswer::kRefusedLogin: return {Outcome::refused, answer.text, answer.status, {}, {}};
      case MqttAnswer::kTooLarge: return dead(answer, answer.text);
      default: return again(answer, answer.failure);
    }
  }

 private:
  Publication publication_;  // but for the password and the payload
};

}  // namespace

std::unique_ptr<Channel> make_mqtt(const NotifierConfig& config, const Identity& identity) {
  return std::make_unique<MqttChannel>(config, identity);
}

}  // namespace nines::agent::notify
