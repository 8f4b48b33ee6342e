#include "peer/kept_queries.hpp"

#include <algorithm>
#include <chrono>

namespace nines::peer {
namespace {

constexpr size_t kMostOfANode = 2;

Instant plus_ms(Instant t, int64_t ms) { return {t.ns + ms * kNsPerMs}; }

std::shared_ptr<asio::steady_timer> watch(asio::io_context& io, RestingWire& wire) {
  auto timer = std::make_shared<asio::steady_timer>(io);
  wire.on_change([weak = std::weak_ptr<asio::steady_timer>(timer)] {
    if (const auto one = weak.lock()) one->cancel();
  });
  return timer;
}

// Until something changes on the wire, at most until `deadline`.
asio::awaitable<void> wait(std::shared_ptr<asio::steady_timer> timer, const Clock* clock,
                           Instant deadline) {
  timer->expires_after(
      std::chrono::nanoseconds(std::max<int64_t>(0, deadline.ns - clock->mono().ns)));
  ErrorCode ignored;
  co_await timer->async_wait(asio::redirect_error(asio::use_awaitable, ignored));
}

// What was heard, if it is a whole opening. `timeout`: not yet.
Result<Opening> heard_opening(RestingWire& wire) {
  if (!wire.is_usable()) return Error{Errc::unavailable, "the connection was ended"};
  const std::string_view heard = wire.heard();
  if (heard.size() < kOpeningHeader) return Error{Errc::timeout, "nothing yet"};
  const std::string_view header = heard.substr(0, kOpeningHeader);
  NINES_TRY(const size_t size, opening_body(header));
  if (heard.size() < kOpeningHeader + size) return Error{Errc::timeout, "not all of it yet"};
  auto opening = decode_opening(header, heard.substr(kOpeningHeader, size));
  if (opening.ok()) wire.forget(kOpeningHeader + size);
  return opening;
}

bool goes_on(const Result<Opening>& heard, const Clock& clock, Instant deadline) {
  return !heard.ok() && heard.error().code == Errc::timeout && clock.mono() < deadline;
}

}  // namespace

bool KeptQueries::has_room(const std::string& node, bool asks) const {
  size_t all = 0, same = 0;
  for (const KeptPtr& kept : kept_) {
    if (kept->asks != asks) continue;
    ++all;
    same += kept->node == node;
  }
  return all < settings_.max_kept && same < kMostOfANode;
}

KeptQueries::KeptPtr KeptQueries::keep(std::shared_ptr<RestingWire> wire, const std::string& node,
                                       bool asks, Instant born) {
  const Instant now = clock_.mono();
  const bool fresh = now < plus_ms(born, settings_.kept_age_ms);
  if (!fresh || wire->wire().context != hooks_.context() || !has_room(node, asks)) {
    wire->hang_up();
    return nullptr;
  }
  // Who asks does not begin on what the other side is about to close.
  const int64_t rest_ms = asks ? settings_.kept_ms * 5 / 6 : settings_.kept_ms;
  auto kept = std::make_shared<Kept>();
  kept->node = node;
  kept->asks = asks;
  kept->until = plus_ms(now, rest_ms);
  kept->wake = watch(io_, *wire);
  kept->wire = std::move(wire);
  kept_.push_front(kept);
  return kept;
}

OnRest KeptQueries::after_answering(const Credentials& from) {
  return [weak = weak_from_this(), from,
          born = clock_.mono()](std::shared_ptr<RestingWire> wire) mutable {
    const auto self = weak.lock();
    if (!self) return wire->hang_up();
    const std::string node = from.nodes.empty() ? from.host : from.nodes.front();
    const KeptPtr kept = self->keep(std::move(wire), node, false, born);
    if (kept) asio::co_spawn(self->io_, answer_again(self, kept, from), asio::detached);
  };
}

OnRest KeptQueries::after_asking(const std::string& node) {
  return [weak = weak_from_this(), node,
          born = clock_.mono()](std::shared_ptr<RestingWire> wire) mutable {
    const auto self = weak.lock();
    if (!self) return wire->hang_up();
    const KeptPtr kept = self->keep(std::move(wire), node, true, born);
    if (kept) asio::co_spawn(self->io_, wait_to_ask(self, kept), asio::detached);
  };
}

asio::awaitable<void> KeptQueries::answer_again(std::shared_ptr<KeptQueries> self, KeptPtr kept,
                                                Credentials from) {
  kept->wire->say(encode_opening({Opening::Kind::again, {}, {}}));
  auto opening = heard_opening(*kept->wire);
  while (goes_on(opening, self->clock_, kept->until)) {
    co_await wait(kept->wake, &self->clock_, kept->until);
    opening = heard_opening(*kept->wire);
  }
  std::erase(self->kept_, kept);
  const auto wire = std::move(kept->wire);
  const bool current = wire->wire().context == self->hooks_.context();
  if (!opening.ok() || opening->kind != Opening::Kind::ask || !current) co_return wire->hang_up();
  const Opening answer = self->hooks_.judge(*opening, from);
  const bool taken = answer.kind == Opening::Kind::yes;
  wire->say(encode_opening(answer));
  if (!taken) co_return wire->hang_up();
  self->hooks_.serve(wire->resume(self->hooks_.take_slot()), from);
}

asio::awaitable<void> KeptQueries::wait_to_ask(std::shared_ptr<KeptQueries> self, KeptPtr kept) {
  auto opening = heard_opening(*kept->wire);
  while (goes_on(opening, self->clock_, kept->until)) {
    co_await wait(kept->wake, &self->clock_, kept->until);
    opening = heard_opening(*kept->wire);
  }
  kept->ready = opening.ok() && opening->kind == Opening::Kind::again;
  // Whatever else is said before it is asked, it is of no use.
  while (kept->ready && kept->wire && kept->wire->is_usable() && kept->wire->heard().empty() &&
         self->clock_.mono() < kept->until) {
    co_await wait(kept->wake, &self->clock_, kept->until);
  }
  if (!kept->wire) co_return;  // it is asked again
  std::erase(self->kept_, kept);
  kept->wire->hang_up();
}

KeptQueries::KeptPtr KeptQueries::take(const std::string& node) {
  const auto found = std::find_if(kept_.begin(), kept_.end(), [&](const KeptPtr& kept) {
    return kept->node == node && kept->asks && kept->ready && kept->wire->is_usable() &&
           kept->wire->heard().empty() && kept->wire->wire().context == hooks_.context();
  });
  if (found == kept_.end()) return nullptr;
  KeptPtr kept = std::move(*found);
  kept_.erase(found);
  return kept;
}

asio::awaitable<void> KeptQueries::ask(std::shared_ptr<KeptQueries> self, std::string node,
                                       Instant deadline, StreamResult* result) {
  *result = Error{Errc::not_found, "no connection is kept"};
  const KeptPtr kept = self->take(node);
  if (!kept) co_return;
  const auto wire = std::move(kept->wire);
  kept->wake->cancel();
  const auto changed = watch(self->io_, *wire);
  // A node that went away without a word leaves time for another way.
  deadline = std::min(deadline, plus_ms(self->clock_.mono(), self->settings_.query_dial_ms / 2));
  wire->say(encode_opening({Opening::Kind::ask, {}, node}));
  auto answer = heard_opening(*wire);
  while (goes_on(answer, self->clock_, deadline)) {
    co_await wait(changed, &self->clock_, deadline);
    answer = heard_opening(*wire);
  }
  if (answer.ok() && answer->kind == Opening::Kind::yes && answer->text == node) {
    *result = wire->resume(nullptr);
    co_return;
  }
  if (answer.ok() && answer->kind == Opening::Kind::busy) {
    *result = Error{Errc::exhausted, answer->text};
  }
  wire->hang_up();
}

}  // namespace nines::peer
