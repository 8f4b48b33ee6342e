#include "notify/teller.hpp"

#include <algorithm>
#include <bit>
#include <utility>

#include "app/log.hpp"
#include "net/asio.hpp"
#include "notify/channel.hpp"
#include "notify/transport.hpp"
#include "view/text.hpp"

namespace nines::agent::notify {
namespace {

constexpr int64_t kRecheckMs = 60'000;
constexpr size_t kMaxWhy = 500;
constexpr uint64_t kNoteEvery = Chain::kMaxQueue / 2;  // events that were for others

void replace_all(std::string& text, const std::string& what, std::string_view by) {
  for (size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + by.size())) {
    text.replace(at, what.size(), by);
  }
}

std::vector<StepRule> rules_of(const std::vector<Teller::Step>& steps,
                               const std::vector<std::unique_ptr<Channel>>& channels,
                               const std::string& chain) {
  std::vector<StepRule> rules;
  for (size_t i = 0; i < steps.size(); ++i) {
    rules.push_back({steps[i].config.name, steps[i].within_ms, channels[i]->gap_ms(),
                     steps[i].config.severities, chain});
  }
  return rules;
}

std::vector<std::unique_ptr<Channel>> channels_of(const Teller::Setup& setup) {
  std::vector<std::unique_ptr<Channel>> channels;
  for (const Teller::Step& step : setup.steps) {
    channels.push_back(make_channel(step.config, setup.identity));
  }
  return channels;
}

}  // namespace

const char* kind_name(NotifierConfig::Kind kind) {
  static constexpr const char* kNames[] = {"webhook", "pagerduty", "opsgenie", "slack",
                                           "ntfy",    "email",     "exec",     "mqtt"};
  return kNames[static_cast<size_t>(kind)];
}

struct Teller::Impl : std::enable_shared_from_this<Teller::Impl> {
  Impl(boost::asio::io_context& context, const Clock& time, Setup what)
      : io(context),
        clock(time),
        setup(std::move(what)),
        channels(channels_of(setup)),
        chain(rules_of(setup.steps, channels, setup.chain), setup.policy, setup.cursor, setup.seed),
        told_cursor(setup.cursor),
        errors(setup.steps.size()),
        timer(context) {}

  void refill();
  void take(std::vector<slo::AlertEvent> events);
  void pump();
  void send(size_t step, const Message& message);
  Message with_links(const std::string& notifier, const Message& message) const;
  void finished(size_t step, const Message& message, const std::string& secret,
                const Answer& answer);
  void conclude(size_t step, const Message& message, const Verdict& verdict);
  void tell_refusal(const Message& message, const Verdict& verdict);
  void report(size_t step, const Message& message, const Verdict& verdict);
  void keep();
  void sleep_until_due();

  boost::asio::io_context& io;
  const Clock& clock;
  Setup setup;
  std::vector<std::unique_ptr<Channel>> channels;
  Chain chain;
  uint64_t told_cursor;
  std::vector<std::string> errors;
  boost::asio::steady_timer timer;
  bool asking = false, ask_again = false, stopped = false;
  bool concluded = false;  // something was told or given up since the cursor was noted
};

// One question at a time; a notify() meanwhile asks once more afterwards.
void Teller::Impl::refill() {
  if (asking || chain.room() == 0) {
    ask_again = true;
    return;
  }
  asking = true;
  ask_again = false;
  setup.source.events_after(chain.last_known(), chain.room(),
                            [weak = weak_from_this()](std::vector<slo::AlertEvent> events) {
                              const auto self = weak.lock();
                              if (self && !self->stopped) self->take(std::move(events));
                            });
}

void Teller::Impl::take(std::vector<slo::AlertEvent> events) {
  asking = false;
  const uint64_t known = chain.last_known();
  std::vector<Message> messages;
  messages.reserve(events.size());
  for (slo::AlertEvent& event : events) {
    messages.push_back(event_message(setup.identity, std::move(event)));
  }
  chain.add(std::move(messages), clock.mono());
  pump();  // what is for others makes room
  // A source that repeats itself must not keep us spinning.
  const bool more = chain.last_known() != known || ask_again;
  if (more && chain.room() > 0) {
    boost::asio::post(io, [weak = weak_from_this()] {
      if (const auto again = weak.lock(); again && !again->stopped) again->refill();
    });
  }
}

void Teller::Impl::pump() {
  if (stopped) return;
  for (size_t step = 0; step < chain.steps(); ++step) {
    if (const Message* message = chain.begin(step, clock.mono())) send(step, *message);
  }
  keep();
  sleep_until_due();
}

void Teller::Impl::send(size_t step, const Message& message) {
  const NotifierConfig& config = setup.steps[step].config;
  const auto secret = read_secret(config.secret);
  if (!secret.ok()) {
    const Verdict verdict{Outcome::refused, secret.error().message, 0, {}, {}};
    boost::asio::post(io, [weak = weak_from_this(), step, message, verdict] {
      if (const auto self = weak.lock(); self && !self->stopped) {
        self->conclude(step, message, verdict);
      }
    });
    return;
  }
  const Channel::Telling telling{*secret, chain.receipt(step), clock.wall()};
  const bool asks = !telling.receipt.empty();  // what became of it: it was told with its links
  auto exchange =
      channels[step]->exchange(asks ? message : with_links(config.name, message), telling);
  auto done = [weak = weak_from_this(), step, message, secret = *secret](const Answer& answer) {
    const auto self = weak.lock();
    if (self && !self->stopped) self->finished(step, message, secret, answer);
  };
  if (exchange.ok())
    return transmit(io, clock, std::move(*exchange), config.timeout_ms, std::move(done));
  boost::asio::post(io, [done = std::move(done), why = exchange.error().message] {
    done({0, {}, {}, why});
  });
}

Message Teller::Impl::with_links(const std::string& notifier, const Message& message) const {
  if (!setup.links || !message.is_alert()) return message;
  slo::AlertEvent event = message.event;
  for (auto& [name, url] : setup.links(event, notifier)) {
    event.details.emplace_back(link_detail(name), std::move(url));
  }
  return event_message(setup.identity, std::move(event));
}

void Teller::Impl::finished(size_t step, const Message& message, const std::string& secret,
                            const Answer& answer) {
  Verdict verdict = channels[step]->judge(message, chain.receipt(step), answer);
  if (!secret.empty()) replace_all(verdict.why, secret, "***");
  verdict.why = cut(view::printable(verdict.why), kMaxWhy);
  conclude(step, message, verdict);
}

void Teller::Impl::conclude(size_t step, const Message& message, const Verdict& verdict) {
  const auto dead = chain.answered(step, verdict, clock.mono());
  concluded = true;
  report(step, message, verdict);
  if (verdict.outcome == Outcome::delivered && message.is_alert() && setup.source.delivered) {
    const NotifierConfig& config = setup.steps[step].config;
    setup.source.delivered(config.name, kind_name(config.kind), message.event);
  }
  if (dead && setup.source.bury) {
    setup.source.bury({setup.steps[step].config.name, dead->key, dead->title, verdict.why,
                       verdict.status, clock.wall(), dead->json});
  }
  tell_refusal(message, verdict);
  if (chain.room() > 0) refill();
  pump();
}

void Teller::Impl::tell_refusal(const Message& message, const Verdict& verdict) {
  const bool refuses = verdict.outcome == Outcome::dead || verdict.outcome == Outcome::refused;
  if (!refuses || !setup.source.refused || !message.fired()) return;
  if (chain.hope(message.event) != Chain::Hope::refused) return;
  std::vector<std::string> names;
  if (!setup.chain.empty()) names.push_back(setup.chain);
  for (const Step& step : setup.steps) names.push_back(step.config.name);
  setup.source.refused(names, message.event);
}

void Teller::Impl::report(size_t step, const Message& message, const Verdict& verdict) {
  const NotifierConfig& config = setup.steps[step].config;
  const std::string who = std::string(kind_name(config.kind)) + " " + config.name;
  const std::string what =
      message.sequence() != 0 ? "event " + std::to_string(message.sequence()) : message.key;
  const bool good = verdict.outcome == Outcome::delivered || verdict.outcome == Outcome::pending;
  errors[step] = good ? "" : verdict.why;
  const auto row = static_cast<uint64_t>(chain.stats(step).failures_in_row);
  const bool worth_saying = std::has_single_bit(row);  // the 1st, 2nd, 4th, 8th... in a row
  switch (verdict.outcome) {
    case Outcome::delivered: log::debug("notify", who + ": told " + what); return;
    case Outcome::pending: return;
    case Outcome::dead:
      log::error("notify", who + ": " + what + " was refused for good (" + verdict.why +
                               ") and is given up; check the address and the credential");
      return;
    case Outcome::refused:
      if (worth_saying) {
        log::error("notify", who + ": not delivered (" + verdict.why +
                                 "); mend the credential, it is read again for every attempt");
      }
      return;
    case Outcome::retry:
      if (worth_saying) {
        log::warn("notify", who + ": not delivered (" + verdict.why + "); it will be tried again");
      }
      return;
  }
}

// What is owed is kept before the cursor says that it is settled.
void Teller::Impl::keep() {
  if (chain.take_changed() && setup.source.remember) {
    const std::string memory = chain.memory(clock.mono(), clock.wall());
    if (!memory.empty()) setup.source.remember(memory);
  }
  // Looking past what is for others again after a restart costs less than a write for each.
  const bool worth_it = concluded || chain.cursor() - told_cursor >= kNoteEvery;
  if (!worth_it || chain.cursor() == told_cursor) return;
  concluded = false;
  told_cursor = chain.cursor();
  setup.source.advance(told_cursor);
}

void Teller::Impl::sleep_until_due() {
  int64_t wait_ms = kRecheckMs;
  for (size_t step = 0; step < chain.steps(); ++step) {
    if (const auto due = chain.due(step)) {
      const int64_t left_ns = due->ns <= clock.mono().ns ? 0 : due->ns - clock.mono().ns;
      wait_ms = std::min(wait_ms, (left_ns + kNsPerMs - 1) / kNsPerMs);
    }
  }
  timer.expires_after(std::chrono::milliseconds(wait_ms));
  timer.async_wait([weak = weak_from_this()](boost::system::error_code cancelled) {
    const auto self = weak.lock();
    if (cancelled || !self || self->stopped) return;
    self->pump();
    self->refill();
  });
}

Teller::Teller(boost::asio::io_context& io, const Clock& clock, Setup setup)
    : impl_(std::make_shared<Impl>(io, clock, std::move(setup))) {
  Impl& self = *impl_;
  const Status restored =
      self.chain.restore(self.setup.memory, self.setup.identity, clock.mono(), clock.wall());
  if (!restored.ok()) log::warn("notify", self.setup.chain + ": " + restored.error().message);
  notify();
}

Teller::~Teller() {
  impl_->stopped = true;
  impl_->timer.cancel();
}

void Teller::notify() {
  boost::asio::post(impl_->io, [weak = std::weak_ptr<Impl>(impl_)] {
    const auto self = weak.lock();
    if (!self || self->stopped) return;
    self->refill();
    self->pump();
  });
}

bool Teller::post(const std::string& notifier, Message document) {
  for (size_t step = 0; step < impl_->chain.steps(); ++step) {
    if (impl_->setup.steps[step].config.name != notifier) continue;
    if (!impl_->chain.post(step, std::move(document))) return false;
    notify();
    return true;
  }
  return false;
}

bool Teller::is_among(const std::vector<std::string>& names) const {
  const auto named = [&](const std::string& name) {
    return !name.empty() && std::find(names.begin(), names.end(), name) != names.end();
  };
  const auto& steps = impl_->setup.steps;
  return names.empty() || named(impl_->setup.chain) ||
         std::any_of(steps.begin(), steps.end(),
                     [&](const Step& step) { return named(step.config.name); });
}

Chain::Hope Teller::hope(const slo::AlertEvent& event) const { return impl_->chain.hope(event); }

void Teller::told_elsewhere(uint64_t sequence) {
  impl_->chain.told_elsewhere(sequence, impl_->clock.mono());
  impl_->concluded = true;
  notify();
}

std::vector<NotifierShown> Teller::shown() const {
  std::vector<NotifierShown> out;
  for (size_t step = 0; step < impl_->chain.steps(); ++step) {
    const NotifierConfig& config = impl_->setup.steps[step].config;
    out.push_back({config.name, kind_name(config.kind), impl_->setup.chain, step,
                   impl_->chain.cursor(), impl_->errors[step], impl_->chain.stats(step)});
  }
  return out;
}

}  // namespace nines::agent::notify
