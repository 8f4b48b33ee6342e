#include "peer/query_port.hpp"

#include <openssl/rand.h>

#include <algorithm>

#include "peer/kept_queries.hpp"
#include "peer/tls.hpp"

namespace nines::peer {
namespace {

Instant plus_ms(Instant t, int64_t ms) { return {t.ns + ms * kNsPerMs}; }

constexpr int64_t kLongestDialMs = 600'000;  // where the deadline is "never"

int64_t ms_until(const Clock& clock, Instant deadline) {
  return std::min(kLongestDialMs, (deadline.ns - clock.mono().ns) / kNsPerMs);
}

bool may_be(const Credentials& shown, const std::string& node) {
  return std::find(shown.nodes.begin(), shown.nodes.end(), node) != shown.nodes.end();
}

struct Incoming {
  std::string header, body;
  ErrorCode error;
};

asio::awaitable<void> read_exactly(WirePtr wire, std::string* into, size_t from, ErrorCode* error) {
  const auto buffer = asio::buffer(into->data() + from, into->size() - from);
  if (wire->tls) {
    co_await asio::async_read(*wire->tls, buffer,
                              asio::redirect_error(asio::use_awaitable, *error));
  } else {
    co_await asio::async_read(wire->socket, buffer,
                              asio::redirect_error(asio::use_awaitable, *error));
  }
}

asio::awaitable<void> write_exactly(WirePtr wire, std::string bytes, ErrorCode* error) {
  if (wire->tls) {
    co_await asio::async_write(*wire->tls, asio::buffer(bytes),
                               asio::redirect_error(asio::use_awaitable, *error));
  } else {
    co_await asio::async_write(wire->socket, asio::buffer(bytes),
                               asio::redirect_error(asio::use_awaitable, *error));
  }
}

// The pointers are to what the awaiting coroutine keeps.
asio::awaitable<void> read_opening(WirePtr wire, bool begun, Result<Opening>* opening) {
  Incoming in;
  in.header.assign(kOpeningHeader, '\0');
  if (begun) std::copy(kQueryMagic.begin(), kQueryMagic.end(), in.header.begin());
  co_await read_exactly(wire, &in.header, begun ? kQueryMagic.size() : 0, &in.error);
  if (!in.error) {
    const auto size = opening_body(in.header);
    if (!size.ok()) {
      *opening = size.error();
      co_return;
    }
    in.body.assign(*size, '\0');
    if (*size > 0) co_await read_exactly(wire, &in.body, 0, &in.error);
  }
  if (in.error) {
    *opening = Error{Errc::unavailable, in.error.message(), in.error.value()};
  } else {
    *opening = decode_opening(in.header, in.body);
  }
}

// --- dialling, step by step; what fails says so in dial->result

Error failed(const QueryDial& dial, const std::string& why) {
  const std::string who = dial.node.empty() ? dial.address : dial.node + " at " + dial.address;
  if (dial.clock.mono() >= dial.deadline) {
    return {Errc::timeout, "cannot ask " + who + ": no answer in time"};
  }
  return {Errc::unavailable, "cannot ask " + who + ": " + why};
}

asio::awaitable<std::vector<tcp::endpoint>> find_endpoints(std::shared_ptr<QueryDial> dial) {
  std::vector<tcp::endpoint> endpoints;
  const auto literal = to_endpoint(dial->address);
  const auto parts = split_address(dial->address);
  if (literal.ok()) {
    endpoints.push_back(*literal);
  } else if (!parts.ok()) {
    dial->result = parts.error();
  } else {
    tcp::resolver resolver(dial->io);
    ErrorCode error;
    const auto found = co_await resolver.async_resolve(
        parts->host, parts->port, asio::redirect_error(asio::use_awaitable, error));
    for (const auto& entry : found) endpoints.push_back(entry.endpoint());
    if (endpoints.empty()) dial->result = failed(*dial, error.message());
  }
  if (!dial->context) {
    std::erase_if(endpoints, [](const auto& one) { return !one.address().is_loopback(); });
    if (endpoints.empty() && literal.ok()) {
      dial->result =
          Error{Errc::unsupported,
                "not asking " + dial->address + " without TLS; it takes the certificates of peers"};
    }
  }
  co_return endpoints;
}

asio::awaitable<bool> shake_hands(std::shared_ptr<QueryDial> dial, WirePtr wire) {
  wire->context = dial->context;
  wire->tls.emplace(wire->socket, *wire->context);
  offer_protocol(wire->tls->native_handle(), Protocol::query);
  ErrorCode error;
  co_await wire->tls->async_handshake(asio::ssl::stream_base::client,
                                      asio::redirect_error(asio::use_awaitable, error));
  if (error) {
    dial->result = failed(*dial, "TLS: " + error.message());
    co_return false;
  }
  SSL* const ssl = wire->tls->native_handle();
  const auto shown = credentials_of(ssl);
  if (!shown.ok()) {
    dial->result = failed(*dial, shown.error().message);
    co_return false;
  }
  dial->reached = *shown;
  if (!dial->node.empty() && !may_be(*shown, dial->node)) {
    dial->result = failed(*dial, "the certificate there is of " + shown->nodes.front());
    co_return false;
  }
  if (agreed_protocol(ssl) != Protocol::query) {
    dial->result = Error{Errc::unsupported,
                         dial->address + " answers no queries of other nodes (an older version)"};
    co_return false;
  }
  co_return true;
}

// What the other side answers to the opening.
asio::awaitable<void> introduce(std::shared_ptr<QueryDial> dial, WirePtr wire) {
  ErrorCode error;
  co_await write_exactly(wire, encode_opening(dial->opening), &error);
  Result<Opening> answer = Error{Errc::unavailable, error.message()};
  if (!error) co_await read_opening(wire, false, &answer);
  if (!answer.ok()) {
    dial->result = failed(*dial, answer.error().message);
  } else if (answer->kind == Opening::Kind::busy) {
    dial->result = Error{Errc::exhausted, answer->text};
  } else if (answer->kind == Opening::Kind::forbidden) {
    dial->result = Error{Errc::unsupported, answer->text};
  } else if (answer->kind != Opening::Kind::yes) {
    dial->result = failed(*dial, "it answers as no node does");
  } else if (!dial->node.empty() && answer->text != dial->node) {
    dial->result = failed(*dial, "it is node " + answer->text);
  } else if (const auto& names = dial->reached.nodes;
             !answer->text.empty() && !names.empty() && !may_be(dial->reached, answer->text)) {
    dial->result =
        failed(*dial, "it says it is node " + answer->text + ", its certificate is of " + names[0]);
  } else {
    dial->answered = answer->text.empty() ? dial->node : answer->text;
    dial->result = make_socket_stream(
        dial->io, dial->clock,
        {wire, dial->answered + " (" + remote_text(wire->socket) + ")", dial->slot, dial->open,
         dial->rests ? dial->rests(dial->reached) : nullptr});
  }
}

}  // namespace

asio::awaitable<void> dial_query(std::shared_ptr<QueryDial> dial) {
  const auto endpoints = co_await find_endpoints(dial);
  for (size_t i = 0; i < endpoints.size(); ++i) {
    const int64_t rest = ms_until(dial->clock, dial->deadline);
    if (rest <= 0) {
      dial->result = failed(*dial, "too late");
      co_return;
    }
    const auto wire = std::make_shared<Wire>(dial->io);
    // An address that swallows everything leaves time for the others.
    const CutOff cut_off(dial->io, wire, rest / static_cast<int64_t>(endpoints.size() - i) + 1);
    ErrorCode error;
    co_await wire->socket.async_connect(endpoints[i],
                                        asio::redirect_error(asio::use_awaitable, error));
    if (error) {
      dial->result = failed(*dial, error.message());
      continue;
    }
    set_link_options(wire->socket, 0);
    dial->reached = {{}, Role::node, remote_host(wire->socket)};
    if (dial->context) {
      const bool safe = co_await shake_hands(dial, wire);
      if (!safe) continue;
    }
    co_await introduce(dial, wire);
    if (dial->result.ok() || dial->result.error().code != Errc::unavailable) co_return;
  }
}

// --- Awaited

void Awaited::give(StreamResult result) {
  const std::lock_guard lock(mutex_);
  if (over_ || result_) return;  // a stream that nobody wants closes here
  result_ = std::move(result);
  given_.notify_all();
}

StreamResult Awaited::take(const Clock& clock, Instant deadline,
                           const std::function<bool()>& stopped) {
  const int64_t longest = stopped ? 100 * kNsPerMs : 60 * kNsPerSecond;
  std::unique_lock lock(mutex_);
  while (!result_ && clock.mono() < deadline) {
    if (stopped && stopped()) result_ = Error{Errc::cancelled, "stopped"};
    if (result_) break;
    given_.wait_for(lock,
                    std::chrono::nanoseconds(std::min(longest, deadline.ns - clock.mono().ns)));
  }
  over_ = true;
  if (!result_) return Error{Errc::timeout, "no connection in time"};
  return std::move(*result_);
}

// --- QueryPort

QueryPort::QueryPort(asio::io_context& io, const Clock& clock, const DriverSettings& settings,
                     std::string self, std::shared_ptr<PeerDriver::Counters> counters, Hooks hooks)
    : io_(io),
      clock_(clock),
      settings_(settings),
      self_(std::move(self)),
      counters_(std::move(counters)),
      hooks_(std::move(hooks)) {}

void QueryPort::keep_connections() {
  const std::weak_ptr<QueryPort> weak = weak_from_this();
  KeptQueries::Hooks hooks;
  hooks.context = hooks_.context;
  hooks.judge = [weak](const Opening& opening, const Credentials& from) {
    const auto self = weak.lock();
    if (!self) return Opening{Opening::Kind::forbidden, {}, "this node is gone"};
    Opening answer = self->judge(opening, from);
    self->counters_->queries_refused += answer.kind != Opening::Kind::yes;
    return answer;
  };
  hooks.take_slot = [weak]() -> std::shared_ptr<void> {
    const auto self = weak.lock();
    return self ? self->take_slot() : nullptr;
  };
  hooks.serve = [weak](std::unique_ptr<stream::ByteStream> stream, const Credentials& from) {
    if (const auto self = weak.lock()) self->serve(std::move(stream), from);
  };
  kept_ = std::make_shared<KeptQueries>(io_, clock_, settings_, std::move(hooks));
}

std::shared_ptr<void> QueryPort::take_slot() {
  ++*serving_;
  return {nullptr, [serving = serving_](void*) { --*serving; }};
}

void QueryPort::serve(std::unique_ptr<stream::ByteStream> stream, const Credentials& asker) {
  {
    const std::lock_guard lock(mutex_);
    if (stopped_) return;
  }
  ++counters_->queries;
  on_query_(std::move(stream), asker);
}

Opening QueryPort::judge(const Opening& opening, const Credentials& from) const {
  using Kind = Opening::Kind;
  if (!may_ask_queries(from.role)) {
    return {Kind::forbidden,
            {},
            "a certificate of role " + std::string(role_name(from.role)) +
                " may not ask queries; nines pki issue --role node makes one that may"};
  }
  if (!on_query_) return {Kind::forbidden, {}, self_ + " answers no queries of other nodes"};
  if (!opening.text.empty() && opening.text != self_) {
    return {Kind::forbidden, {}, "this is node " + self_ + ", not " + opening.text};
  }
  if (*serving_ >= settings_.max_queries) {
    return {Kind::busy,
            {},
            self_ + " answers " + std::to_string(settings_.max_queries) +
                " queries of other nodes already; ask again in a moment"};
  }
  return {Kind::yes, {}, self_};
}

asio::awaitable<void> QueryPort::take_in(std::shared_ptr<QueryPort> self, WirePtr wire,
                                         Credentials from, bool begun) {
  const CutOff cut_off(self->io_, wire, self->settings_.handshake_ms);
  Result<Opening> opening = Error{Errc::unavailable, {}};
  co_await read_opening(wire, begun, &opening);
  if (!opening.ok()) {
    ++self->counters_->handshakes_failed;
    co_return;
  }
  const bool called = opening->kind == Opening::Kind::called;
  const auto awaited = called ? self->redeem(*opening, from) : nullptr;
  Opening answer{Opening::Kind::forbidden, {}, "no such call, or it is used or too old"};
  if (awaited) answer = {Opening::Kind::yes, {}, self->self_};
  if (opening->kind == Opening::Kind::ask) answer = self->judge(*opening, from);
  const bool taken = answer.kind == Opening::Kind::yes;
  const auto slot = taken && !called ? self->take_slot() : nullptr;
  const std::string who = called               ? opening->text
                          : from.nodes.empty() ? std::string("a client")
                                               : from.nodes.front();
  // Counted before it is told: who reads the answer may look at the counter at once.
  if (!taken) ++self->counters_->queries_refused;
  ErrorCode error;
  co_await write_exactly(wire, encode_opening(answer), &error);
  if (!taken || error) co_return;
  // A name that its certificate does not have is not believed for another query.
  const bool sure = from.nodes.empty() || may_be(from, opening->text);
  OnRest on_rest = !called ? self->kept_->after_answering(from)
                   : sure  ? self->kept_->after_asking(opening->text)
                           : nullptr;
  auto stream = make_socket_stream(
      self->io_, self->clock_,
      {wire, who + " (" + remote_text(wire->socket) + ")", slot, self->open_, std::move(on_rest)});
  if (awaited) {
    ++self->counters_->calls_answered;
    awaited->give(std::move(stream));
  } else {
    self->serve(std::move(stream), from);
  }
}

// The token is gone with its first use, whoever uses it.
std::shared_ptr<Awaited> QueryPort::redeem(const Opening& opening, const Credentials& from) {
  const auto found = calls_.find(opening.token);
  if (found == calls_.end()) return nullptr;
  const Call call = std::move(found->second);
  calls_.erase(found);
  const auto& names = from.nodes;
  const bool right = (names.empty() && opening.text == call.node) || may_be(from, call.node);
  if (right && clock_.mono() < call.expires) return call.awaited;
  call.awaited->give(Error{Errc::unavailable, "another node answered the call to " + call.node});
  return nullptr;
}

void QueryPort::called(const Output::Call& call) {
  const auto no = [&](const std::string& why) { hooks_.decline(call.link, call.token, why); };
  if (!on_query_) return no(self_ + " answers no queries of other nodes");
  if (call.address.empty()) return no(self_ + " does not know where to connect to");
  if (*serving_ >= settings_.max_queries) {
    return no(self_ + " answers " + std::to_string(settings_.max_queries) +
              " queries of other nodes already; ask again in a moment");
  }
  asio::co_spawn(io_, call_back(shared_from_this(), call), asio::detached);
}

asio::awaitable<void> QueryPort::call_back(std::shared_ptr<QueryPort> self, Output::Call call) {
  auto dial = std::make_shared<QueryDial>(QueryDial{
      self->io_,
      self->clock_,
      self->hooks_.context(),
      call.address,
      call.node,
      {Opening::Kind::called, call.token, self->self_},
      plus_ms(self->clock_.mono(), self->settings_.call_ms),
      self->take_slot(),
      self->open_,
      [kept = self->kept_](const Credentials& reached) { return kept->after_answering(reached); }});
  co_await dial_query(dial);
  if (!dial->result.ok()) {
    self->hooks_.decline(call.link, call.token, dial->result.error().message);
  } else if (!may_ask_queries(dial->reached.role)) {
    ++self->counters_->queries_refused;
  } else {
    self->serve(std::move(*dial->result), dial->reached);
  }
}

void QueryPort::declined(const Output::NoCall& answer) {
  const auto found = calls_.find(answer.token);
  if (found == calls_.end() || found->second.node != answer.node) return;
  found->second.awaited->give(Error{Errc::unavailable, answer.text});
  calls_.erase(found);
}

void QueryPort::tick() {
  const Instant now = clock_.mono();
  std::erase_if(calls_, [now](const auto& entry) {
    const Call& call = entry.second;
    if (now < call.expires) return false;
    call.awaited->give(Error{Errc::timeout, call.node + " was asked to connect here, and did not"});
    return true;
  });
}

void QueryPort::stop() {
  std::vector<std::weak_ptr<Awaited>> waiting;
  {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
    waiting.swap(waiting_);
  }
  for (const auto& one : waiting) {
    if (const auto awaited = one.lock()) {
      awaited->give(Error{Errc::cancelled, "this node stops asking others"});
    }
  }
  open_->close_all();
}

StreamResult QueryPort::open(const std::string& node, Instant deadline) {
  const auto awaited = std::make_shared<Awaited>();
  {
    const std::lock_guard lock(mutex_);
    if (stopped_) return Error{Errc::cancelled, "this node stops asking others"};
    std::erase_if(waiting_, [](const auto& one) { return one.expired(); });
    waiting_.push_back(awaited);
  }
  asio::post(io_, [self = shared_from_this(), node, awaited, deadline] {
    asio::co_spawn(self->io_, reach(self, node, awaited, deadline), asio::detached);
  });
  return awaited->take(clock_, deadline);
}

asio::awaitable<void> QueryPort::reach(std::shared_ptr<QueryPort> self, std::string node,
                                       std::shared_ptr<Awaited> awaited, Instant deadline) {
  const Route route = self->hooks_.route(node);
  if (!route.known) {
    awaited->give(Error{Errc::not_found, "no node " + node + " is known here"});
    co_return;
  }
  StreamResult kept = Error{Errc::not_found, {}};
  co_await KeptQueries::ask(self->kept_, node, deadline, &kept);
  self->counters_->queries_kept += kept.ok();
  if (kept.ok() || kept.error().code == Errc::exhausted) {
    awaited->give(std::move(kept));
    co_return;
  }
  std::string before = "its address is not known";
  if (!route.address.empty()) {
    const Instant direct = plus_ms(self->clock_.mono(), self->settings_.query_dial_ms);
    auto dial = std::make_shared<QueryDial>(
        QueryDial{self->io_,
                  self->clock_,
                  self->hooks_.context(),
                  route.address,
                  node,
                  {Opening::Kind::ask, {}, node},
                  route.callable ? std::min(direct, deadline) : deadline,
                  nullptr,
                  self->open_,
                  [&](const Credentials&) { return self->kept_->after_asking(node); }});
    co_await dial_query(dial);
    const bool reached = dial->result.ok() || dial->result.error().code == Errc::exhausted ||
                         dial->result.error().code == Errc::unsupported;
    self->counters_->queries_opened += dial->result.ok();
    if (reached) {
      awaited->give(std::move(dial->result));
      co_return;
    }
    before = dial->result.error().message;
  }
  if (!route.callable) {
    awaited->give(Error{Errc::unavailable, "cannot reach " + node + ": " + before});
    co_return;
  }
  self->call(node, awaited, deadline, before);
}

void QueryPort::call(const std::string& node, const std::shared_ptr<Awaited>& awaited,
                     Instant deadline, const std::string& before) {
  if (calls_.size() >= settings_.max_calls) {
    awaited->give(Error{Errc::exhausted, "too many nodes are being called; ask again in a moment"});
    return;
  }
  unsigned char random[kTokenBytes];
  if (RAND_bytes(random, sizeof random) != 1) {
    awaited->give(Error{Errc::io, "no randomness for a call to " + node});
    return;
  }
  const std::string token(std::begin(random), std::end(random));
  calls_[token] = {node, awaited, std::min(deadline, plus_ms(clock_.mono(), settings_.call_ms))};
  ++counters_->calls;
  if (hooks_.call(node, token)) return;
  calls_.erase(token);
  awaited->give(Error{Errc::unavailable, "cannot reach " + node + ": " + before});
}

}  // namespace nines::peer
