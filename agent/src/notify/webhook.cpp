#include "notify/webhook.hpp"

#include <algorithm>

#include "app/log.hpp"
#include "http/client.hpp"
#include "net/asio.hpp"
#include "nines/base/json_writer.hpp"
#include "view/text.hpp"

namespace nines::agent::notify {
namespace {

constexpr const char* kStream = "alert";
constexpr int64_t kRecheckMs = 60'000;
constexpr size_t kNoteEvery = Delivery::kMaxQueue / 2;  // events passed over

uint64_t boot_of(const Identity& identity, const slo::AlertEvent& event) {
  return event.boot != 0 ? event.boot : identity.boot;
}

}  // namespace

std::string idempotency_key(const Identity& identity, const slo::AlertEvent& event) {
  return identity.node + "/" + std::to_string(boot_of(identity, event)) + "/" + kStream + "/" +
         std::to_string(event.sequence);
}

std::string payload_json(const Identity& identity, const slo::AlertEvent& event) {
  std::string body;
  JsonWriter json(body);
  json.begin_object();
  json.member("version", 1).member("agent", identity.version).member("node", identity.node);
  json.member("boot", boot_of(identity, event))
      .member("stream", kStream)
      .member("sequence", event.sequence);
  if (event.kind == slo::AlertEvent::Kind::rows) {
    json.member("kind", "rows").member("query", event.rule).member("severity", event.severity);
    json.member("since", event.since).member("at", event.at).member("summary", event.summary);
    json.key("rows").raw(event.rows);
    json.member("omitted", event.omitted);
    json.end_object();
    return body;
  }
  json.member("kind", event.kind == slo::AlertEvent::Kind::fired ? "fired" : "resolved");
  json.member("slo", event.slo).member("service", event.service);
  json.member("rule", event.rule).member("severity", event.severity);
  json.member("priority", view::priority_name(event.priority));
  json.member("since", event.since).member("at", event.at).member("summary", event.summary);
  json.end_object();
  return body;
}

struct Webhook::Impl : std::enable_shared_from_this<Webhook::Impl> {
  Impl(boost::asio::io_context& context, const Clock& time, WebhookConfig what, Identity who,
       EventSource from, Delivery machine)
      : io(context),
        clock(time),
        config(std::move(what)),
        identity(std::move(who)),
        source(std::move(from)),
        delivery(std::move(machine)),
        timer(context) {}

  void refill();
  bool is_wanted(const slo::AlertEvent& event) const;
  void pump();
  void send(const slo::AlertEvent& event);
  void finished(const Result<http::ClientResponse>& result);
  void report(Outcome outcome, uint64_t sequence, const std::string& answer);
  void sleep_until_due();

  boost::asio::io_context& io;
  const Clock& clock;
  WebhookConfig config;
  Identity identity;
  EventSource source;
  Delivery delivery;
  boost::asio::steady_timer timer;
  size_t passed = 0;  // since the cursor was noted
  bool asking = false, ask_again = false, stopped = false;
};

// One question at a time; a notify() meanwhile asks once more afterwards.
void Webhook::Impl::refill() {
  if (asking || delivery.room() == 0) {
    ask_again = true;
    return;
  }
  asking = true;
  ask_again = false;
  source.events_after(delivery.last_known(), delivery.room(),
                      [weak = weak_from_this()](std::vector<slo::AlertEvent> events) {
                        const auto self = weak.lock();
                        if (!self || self->stopped) return;
                        self->asking = false;
                        const uint64_t known = self->delivery.last_known();
                        self->delivery.add(std::move(events));
                        // A source that repeats itself must not keep us spinning.
                        const bool more = self->delivery.last_known() != known || self->ask_again;
                        if (more && self->delivery.room() > 0) {
                          boost::asio::post(self->io, [weak] {
                            if (const auto again = weak.lock()) again->refill();
                          });
                        }
                        self->pump();
                      });
}

bool Webhook::Impl::is_wanted(const slo::AlertEvent& event) const {
  return event.notify.empty() ||
         std::find(event.notify.begin(), event.notify.end(), config.name) != event.notify.end();
}

void Webhook::Impl::pump() {
  if (stopped) return;
  while (const slo::AlertEvent* event = delivery.begin(clock.mono())) {
    if (is_wanted(*event)) return send(*event);
    delivery.pass_over();
    ++passed;
  }
  // Looking past them again after a restart costs less than a write for each.
  if (passed >= kNoteEvery) {
    source.advance(delivery.cursor());
    passed = 0;
    refill();
  }
  sleep_until_due();
}

void Webhook::Impl::send(const slo::AlertEvent& event) {
  http::ClientRequest request;
  request.method = "POST";
  request.url = config.url;
  request.timeout_ms = config.timeout_ms;
  request.max_response_bytes = 64 * 1024;
  request.body = payload_json(identity, event);
  request.headers = {{"Content-Type", "application/json"},
                     {"Idempotency-Key", idempotency_key(identity, event)}};
  if (!config.bearer_token.empty()) {
    request.headers.emplace_back("Authorization", "Bearer " + config.bearer_token);
  }
  http::async_fetch(io, std::move(request),
                    [weak = weak_from_this()](Result<http::ClientResponse> r) {
                      const auto self = weak.lock();
                      if (self && !self->stopped) self->finished(r);
                    });
}

void Webhook::Impl::finished(const Result<http::ClientResponse>& result) {
  const uint64_t before = delivery.cursor();
  const Instant now = clock.mono();
  const Outcome outcome =
      result.ok() ? delivery.answered(result->status, http::retry_after_ms(*result), now)
                  : delivery.failed(now);
  report(outcome, delivery.cursor(),
         result.ok() ? "answer " + std::to_string(result->status) : result.error().message);
  if (delivery.cursor() != before) source.advance(delivery.cursor());
  if (delivery.room() > 0) refill();
  pump();
}

void Webhook::Impl::report(Outcome outcome, uint64_t sequence, const std::string& answer) {
  const std::string who = "webhook " + config.name;
  switch (outcome) {
    case Outcome::delivered:
      log::debug("notify", who + ": told event " + std::to_string(sequence));
      return;
    case Outcome::dead:
      log::error("notify", who + ": event " + std::to_string(sequence) + " was refused for good (" +
                               answer + ") and is given up; check the URL and the token");
      return;
    case Outcome::retry:
      log::warn("notify", who + ": not delivered (" + answer + "); it will be tried again");
      return;
  }
}

void Webhook::Impl::sleep_until_due() {
  int64_t wait_ms = kRecheckMs;
  if (const auto due = delivery.due()) {
    const int64_t left_ns = due->ns - clock.mono().ns;
    wait_ms = left_ns <= 0 ? 0 : (left_ns + kNsPerMs - 1) / kNsPerMs;
  } else if (delivery.stats().pending > 0) {
    return;  // one is in flight; its end continues
  }
  timer.expires_after(std::chrono::milliseconds(wait_ms));
  timer.async_wait([weak = weak_from_this()](boost::system::error_code cancelled) {
    const auto self = weak.lock();
    if (cancelled || !self || self->stopped) return;
    if (self->delivery.due())
      self->pump();
    else
      self->refill();
  });
}

Webhook::Webhook(boost::asio::io_context& io, const Clock& clock, WebhookConfig config,
                 Identity identity, EventSource source, uint64_t cursor, uint64_t seed,
                 RetryPolicy policy)
    : impl_(std::make_shared<Impl>(io, clock, std::move(config), std::move(identity),
                                   std::move(source), Delivery(policy, cursor, seed))) {
  notify();
}

Webhook::~Webhook() {
  impl_->stopped = true;
  impl_->timer.cancel();
}

void Webhook::notify() {
  boost::asio::post(impl_->io, [weak = std::weak_ptr<Impl>(impl_)] {
    if (const auto self = weak.lock(); self && !self->stopped) self->refill();
  });
}

DeliveryStats Webhook::stats() const { return impl_->delivery.stats(); }

}  // namespace nines::agent::notify
