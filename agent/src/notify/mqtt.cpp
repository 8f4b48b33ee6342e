#include "notify/mqtt.hpp"

#include <memory>
#include <optional>
#include <utility>

#include "net/asio.hpp"
#include "nines/broker/link.hpp"
#include "nines/broker/mqtt_client.hpp"

namespace nines::agent::notify {
namespace {

namespace asio = boost::asio;
using Done = std::function<void(const Result<MqttAnswer>&)>;

broker::MqttOptions options_of(const Publication& publication) {
  broker::MqttOptions options;
  options.client_id = publication.client_id;
  return options;
}

// Lives until it is answered: the timer, and later the end of its connection, hold it.
class Publishing final : public broker::MqttUser, public std::enable_shared_from_this<Publishing> {
 public:
  Publishing(asio::io_context& io, const Clock& clock, Publication what, Done done)
      : io_(io),
        clock_(clock),
        what_(std::move(what)),
        client_(options_of(what_), what_.url.starts_with("mqtts://"), *this),
        timer_(io),
        done_(std::move(done)) {}

  void start(int64_t timeout_ms);

  void connected(broker::Now) override {
    id_ = client_.publish(what_.topic, what_.payload, 1, false);
    if (id_ == 0) {
      complete(MqttAnswer{MqttAnswer::kTooLarge,
                          std::to_string(what_.payload.size()) + " bytes are too many"});
    }
  }
  void acknowledged(uint16_t id, broker::Now) override {
    if (id == id_) complete(MqttAnswer{MqttAnswer::kAcknowledged, "acknowledged"});
  }
  void tick(broker::Now) override {}
  void lost(broker::Now) override {}  // noticed() says why
  void leaving(broker::Now) override {}

 private:
  void noticed(bool good, const std::string& text);
  void late(int64_t timeout_ms);
  void complete(const Result<MqttAnswer>& answer);

  asio::io_context& io_;
  const Clock& clock_;
  const Publication what_;
  broker::MqttClient client_;
  asio::steady_timer timer_;
  Done done_;
  uint16_t id_ = 0;
  std::unique_ptr<broker::BrokerLink> link_;  // drives client_
};

void Publishing::start(int64_t timeout_ms) {
  auto url = broker::parse_broker_url(what_.url);
  timer_.expires_after(std::chrono::milliseconds(url.ok() ? timeout_ms : 0));
  timer_.async_wait([self = shared_from_this(), timeout_ms](const net::ErrorCode& cancelled) {
    if (!cancelled) self->late(timeout_ms);
  });
  if (!url.ok()) return;  // late() says so: the configuration was checked
  broker::LinkSettings settings;
  settings.url = std::move(*url);
  settings.ca_file = what_.ca_file;
  settings.cert_file = what_.cert_file;
  settings.key_file = what_.key_file;
  settings.timeout_ms = timeout_ms;
  settings.login = [user = what_.user, password = what_.password]() -> Result<broker::Login> {
    return broker::Login{user, password, {}, {}, {}};
  };
  link_ = std::make_unique<broker::BrokerLink>(
      io_, clock_, std::move(settings), client_,
      [this](bool good, const std::string& text) { noticed(good, text); });
}

void Publishing::noticed(bool good, const std::string& text) {
  if (good) return;
  if (client_.refused()) return complete(MqttAnswer{MqttAnswer::kRefusedLogin, text});
  complete(Error{Errc::unavailable, text});
}

void Publishing::late(int64_t timeout_ms) {
  if (!link_) return complete(Error{Errc::invalid_argument, what_.url + " is no broker's address"});
  complete(Error{Errc::timeout,
                 what_.url +
                     (client_.ready() ? " did not acknowledge the event" : " did not answer") +
                     " within " + std::to_string(timeout_ms) + " ms"});
}

// The link calls this; it is ended behind that call.
void Publishing::complete(const Result<MqttAnswer>& answer) {
  if (!done_) return;
  const Done tell = std::exchange(done_, nullptr);
  timer_.cancel();
  asio::post(io_, [self = shared_from_this()] { self->link_.reset(); });
  tell(answer);
}

}  // namespace

void async_publish(asio::io_context& io, const Clock& clock, Publication publication,
                   int64_t timeout_ms, Done done) {
  std::make_shared<Publishing>(io, clock, std::move(publication), std::move(done))
      ->start(timeout_ms);
}

}  // namespace nines::agent::notify
