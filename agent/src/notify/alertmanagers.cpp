#include "notify/alertmanagers.hpp"

#include <bit>
#include <utility>

#include "app/log.hpp"
#include "http/client.hpp"
#include "http/credentials.hpp"
#include "net/asio.hpp"
#include "view/text.hpp"

namespace nines::agent::notify {
namespace {

constexpr int64_t kRecheckMs = 60'000;
constexpr size_t kPage = 64;

upstream::AlertmanagerOptions options_of(const UpstreamConfig& config, const Identity& identity) {
  upstream::AlertmanagerOptions options;
  options.node = identity.node;
  options.node_label = config.node_label;
  options.generator_url = config.link;
  options.resend_ms = config.resend_ms;
  options.labels = config.labels;
  return options;
}

std::string endpoint(std::string url) {
  while (url.ends_with('/')) url.pop_back();
  return url + "/api/v2/alerts";
}

}  // namespace

struct AlertmanagerTeller::Impl : std::enable_shared_from_this<Impl> {
  Impl(boost::asio::io_context& context, const Clock& time, Setup what)
      : io(context),
        clock(time),
        setup(std::move(what)),
        machine(options_of(setup.config, setup.identity), setup.cursors, setup.seed),
        told(setup.cursors),
        errors(setup.cursors.size()),
        timer(context) {}

  void refill();
  void take(const std::vector<slo::AlertEvent>& events);
  void pump();
  void post(size_t replica, const upstream::AlertmanagerRequest& request);
  void finished(size_t replica, const Result<http::ClientResponse>& response);
  void report(size_t replica, int status, const std::string& why);
  void sleep_until_due();

  boost::asio::io_context& io;
  const Clock& clock;
  Setup setup;
  upstream::Alertmanager machine;
  std::vector<uint64_t> told;
  std::vector<std::string> errors;
  boost::asio::steady_timer timer;
  bool asking = false, ask_again = false, loaded = false, stopped = false;
};

void AlertmanagerTeller::Impl::refill() {
  if (asking) {
    ask_again = true;
    return;
  }
  asking = true;
  ask_again = false;
  setup.events_after(machine.last_known(), kPage,
                     [weak = weak_from_this()](const std::vector<slo::AlertEvent>& events) {
                       const auto self = weak.lock();
                       if (self && !self->stopped) self->take(events);
                     });
}

// Nothing is said before all of the past is known: what fired may be long over.
void AlertmanagerTeller::Impl::take(const std::vector<slo::AlertEvent>& events) {
  asking = false;
  const uint64_t before = machine.last_known();
  for (const slo::AlertEvent& event : events) machine.take(event);
  const bool more = machine.last_known() != before || ask_again;
  if (machine.last_known() == before) loaded = true;
  if (more) {
    boost::asio::post(io, [weak = weak_from_this()] {
      if (const auto again = weak.lock(); again && !again->stopped) again->refill();
    });
    return;
  }
  pump();
}

void AlertmanagerTeller::Impl::pump() {
  if (stopped || !loaded) return;
  for (size_t i = 0; i < machine.replicas(); ++i) {
    if (const auto request = machine.begin(i, clock.mono(), clock.wall())) post(i, *request);
  }
  sleep_until_due();
}

void AlertmanagerTeller::Impl::post(size_t replica, const upstream::AlertmanagerRequest& what) {
  http::ClientRequest request;
  request.method = "POST";
  request.url = endpoint(setup.config.urls[replica]);
  request.timeout_ms = setup.config.timeout_ms;
  request.max_response_bytes = 64 * 1024;
  request.ca_file = setup.config.ca_file;
  request.body = what.body;
  request.headers = {{"Content-Type", "application/json"}};
  request.cert_file = setup.config.cert_file;
  request.key_file = setup.config.key_file;
  const auto login =
      http::authorization({setup.config.token_file, setup.config.user, setup.config.password_file});
  const auto done = [weak = weak_from_this(), replica,
                     sent = login.ok() ? *login : std::string()](Result<http::ClientResponse> r) {
    const auto self = weak.lock();
    if (r.ok()) r->body = http::without_credential(std::move(r->body), sent);
    if (self && !self->stopped) self->finished(replica, r);
  };
  if (!login.ok()) {
    boost::asio::post(io, [done, error = login.error()] { done(error); });
    return;
  }
  if (!login->empty()) request.headers.emplace_back("Authorization", *login);
  http::async_fetch(io, std::move(request), done);
}

void AlertmanagerTeller::Impl::finished(size_t replica,
                                        const Result<http::ClientResponse>& response) {
  const int status = response.ok() ? response->status : 0;
  const std::string text = response.ok() ? response->body : response.error().message;
  const auto retry = response.ok() ? http::retry_after_ms(*response) : std::nullopt;
  const auto theirs = response.ok() ? http::date_of(*response) : std::nullopt;
  const auto dead =
      machine.answered(replica, status, text, retry, clock.mono(), clock.wall(), theirs);
  report(replica, status, text);
  for (const upstream::AlertmanagerDead& letter : dead) {
    setup.bury({setup.config.name, setup.identity.node + "/" + std::to_string(letter.sequence),
                letter.alert, view::printable(letter.why), letter.status, clock.wall(),
                letter.body});
  }
  if (std::exchange(told[replica], machine.cursor(replica)) != machine.cursor(replica)) {
    setup.advance(replica, machine.cursor(replica));
  }
  pump();
}

void AlertmanagerTeller::Impl::report(size_t replica, int status, const std::string& why) {
  const bool good = status >= 200 && status < 300;
  const std::string answer =
      status == 0 ? why
                  : "answer " + std::to_string(status) + ": " + cut(view::printable(why), 200);
  errors[replica] = good ? "" : answer;
  if (good) return;
  const auto stats = machine.stats(replica);
  const std::string who =
      "alertmanager " + setup.config.name + " (" + setup.config.urls[replica] + "): ";
  if (stats.refused) {
    log::error("notify", who + answer + "; mend the credential or the address");
  } else if (status == 400) {
    log::error("notify", who + answer);
  } else if (std::has_single_bit(static_cast<uint64_t>(stats.failures_in_row))) {
    log::warn("notify", who + answer + "; it will be tried again");
  }
}

void AlertmanagerTeller::Impl::sleep_until_due() {
  int64_t wait_ms = kRecheckMs;
  const Instant now = clock.mono();
  for (size_t i = 0; i < machine.replicas(); ++i) {
    if (const auto due = machine.due(i, now)) {
      wait_ms = std::min(wait_ms, (due->ns - now.ns + kNsPerMs - 1) / kNsPerMs);
    }
  }
  timer.expires_after(std::chrono::milliseconds(wait_ms));
  timer.async_wait([weak = weak_from_this()](boost::system::error_code cancelled) {
    const auto self = weak.lock();
    if (cancelled || !self || self->stopped) return;
    self->pump();
  });
}

AlertmanagerTeller::AlertmanagerTeller(boost::asio::io_context& io, const Clock& clock, Setup setup)
    : impl_(std::make_shared<Impl>(io, clock, std::move(setup))) {
  notify();
}

AlertmanagerTeller::~AlertmanagerTeller() {
  impl_->stopped = true;
  impl_->timer.cancel();
}

void AlertmanagerTeller::notify() {
  boost::asio::post(impl_->io, [weak = std::weak_ptr<Impl>(impl_)] {
    if (const auto self = weak.lock(); self && !self->stopped) self->refill();
  });
}

std::vector<ReplicaShown> AlertmanagerTeller::shown() const {
  std::vector<ReplicaShown> out;
  for (size_t i = 0; i < impl_->machine.replicas(); ++i) {
    out.push_back({impl_->setup.config.name, impl_->setup.config.urls[i], impl_->machine.cursor(i),
                   impl_->errors[i], impl_->machine.stats(i)});
  }
  return out;
}

}  // namespace nines::agent::notify
