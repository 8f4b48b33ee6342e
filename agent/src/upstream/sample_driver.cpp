#include "upstream/sample_driver.hpp"

#include <algorithm>
#include <utility>

#include "app/log.hpp"
#include "http/client.hpp"
#include "http/credentials.hpp"
#include "net/asio.hpp"

namespace nines::agent {
namespace {

constexpr size_t kMaxAnswerBytes = 64 * 1024;

upstream::SampleSenderOptions options_of(const UpstreamConfig& config) {
  upstream::SampleSenderOptions options;
  if (config.kind == UpstreamConfig::Kind::otlp) options.dialect = upstream::Dialect::otlp;
  options.step_s = config.every_s;
  options.max_age_s = config.max_age_s;
  return options;
}

upstream::Answer answer_of(const Result<http::ClientResponse>& result, const std::string& login) {
  if (!result.ok()) return {0, result.error().message, std::nullopt, std::nullopt};
  upstream::Answer answer{result->status, http::without_credential(result->body, login),
                          http::retry_after_ms(*result), std::nullopt};
  answer.date = http::date_of(*result);
  return answer;
}

}  // namespace

struct SampleDriver::Impl : std::enable_shared_from_this<SampleDriver::Impl> {
  Impl(boost::asio::io_context& context, const Clock& time, UpstreamConfig what,
       upstream::SampleSender sender)
      : io(context),
        clock(time),
        config(std::move(what)),
        machine(std::move(sender)),
        timer(context) {}

  void pump();
  void send(upstream::Request request);
  void finished(const upstream::Answer& answer);
  void report();

  boost::asio::io_context& io;
  const Clock& clock;
  UpstreamConfig config;
  upstream::SampleSender machine;
  boost::asio::steady_timer timer;
  std::string told;  // of what the log said last
  bool stopped = false;
};

void SampleDriver::Impl::pump() {
  if (stopped) return;
  if (auto request = machine.begin(clock.wall(), clock.mono())) return send(std::move(*request));
  const auto due = machine.due();
  if (!due) return;
  const int64_t wait_ns = std::max<int64_t>(due->ns - clock.mono().ns, kNsPerMs);
  timer.expires_after(std::chrono::nanoseconds(wait_ns));
  timer.async_wait([weak = weak_from_this()](const net::ErrorCode& error) {
    const auto self = weak.lock();
    if (!error && self) self->pump();
  });
}

void SampleDriver::Impl::send(upstream::Request request) {
  http::ClientRequest out;
  out.method = "POST";
  out.url = config.url;
  out.headers = std::move(request.headers);
  out.body = std::move(request.body);
  out.timeout_ms = config.timeout_ms;
  out.max_response_bytes = kMaxAnswerBytes;
  out.ca_file = config.ca_file;
  out.cert_file = config.cert_file;
  out.key_file = config.key_file;
  if (!config.tenant.empty()) out.headers.emplace_back("X-Scope-OrgID", config.tenant);
  auto login = http::authorization({config.token_file, config.user, config.password_file});
  if (!login.ok()) return finished({0, login.error().message, std::nullopt, std::nullopt});
  if (!login->empty()) out.headers.emplace_back("Authorization", *login);
  http::async_fetch(
      io, std::move(out),
      [weak = weak_from_this(), login = std::move(*login)](Result<http::ClientResponse> result) {
        const auto self = weak.lock();
        if (self && !self->stopped) self->finished(answer_of(result, login));
      });
}

void SampleDriver::Impl::finished(const upstream::Answer& answer) {
  machine.answered(answer, clock.wall(), clock.mono());
  report();
  // Not from within: a backlog of months must not become a stack of as many frames.
  net::asio::post(io, [weak = weak_from_this()] {
    if (const auto self = weak.lock()) self->pump();
  });
}

void SampleDriver::Impl::report() {
  for (const upstream::Refusal& refusal : machine.take_refusals()) {
    log::error("upstream", config.name + " will never take " + refusal.what + ": " +
                               std::to_string(refusal.status) + " " + refusal.reason +
                               (refusal.remedy.empty() ? "" : " (" + refusal.remedy + ")"));
  }
  const std::string trouble = machine.stats().trouble;
  if (trouble == told) return;
  told = trouble;
  if (trouble.empty()) {
    log::info("upstream", config.name + " takes what it is told again");
  } else {
    log::warn("upstream", config.name + " is not told for now: " + trouble);
  }
}

SampleDriver::SampleDriver(boost::asio::io_context& io, const Clock& clock, UpstreamConfig config,
                           upstream::SampleSender::Source source,
                           upstream::SampleSender::Canary canary, uint64_t seed) {
  upstream::SampleSender machine(options_of(config), std::move(source), std::move(canary), seed);
  impl_ = std::make_shared<Impl>(io, clock, std::move(config), std::move(machine));
}

SampleDriver::~SampleDriver() {
  impl_->stopped = true;
  impl_->timer.cancel();
}

bool SampleDriver::restore(std::string_view progress) { return impl_->machine.restore(progress); }

void SampleDriver::known_until(WallTime now) {
  impl_->machine.known_until(now);
  impl_->pump();
}

const std::string& SampleDriver::name() const { return impl_->config.name; }
std::string SampleDriver::progress() const { return impl_->machine.progress(); }
upstream::SampleSenderStats SampleDriver::stats() const { return impl_->machine.stats(); }

}  // namespace nines::agent
