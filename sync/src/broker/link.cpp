#include "nines/broker/link.hpp"

#include "nines/net/asio.hpp"
// After it: <utility> comes first.
#include <netinet/tcp.h>

#include <algorithm>
#include <array>
#include <boost/asio/ssl.hpp>
#include <optional>
#include <vector>

#include "nines/base/backoff.hpp"

namespace nines::broker {
namespace {

namespace asio = boost::asio;
using ErrorCode = boost::system::error_code;
using tcp = asio::ip::tcp;
using Tls = asio::ssl::stream<tcp::socket&>;

constexpr int64_t kRefusedMs = 30'000;
constexpr size_t kReadBytes = 64 * 1024;

struct Scheme {
  std::string_view name, port;
  bool tls;
};
constexpr std::array<Scheme, 4> kSchemes = {Scheme{"nats", "4222", false},
                                            {"tls", "4222", true},
                                            {"mqtt", "1883", false},
                                            {"mqtts", "8883", true}};

struct Connection {
  explicit Connection(asio::io_context& io) : socket(io), deadline(io) {}
  void close() {
    ErrorCode ignored;
    socket.close(ignored);
    deadline.cancel();
  }
  tcp::socket socket;
  asio::steady_timer deadline;
  std::optional<asio::ssl::context> context;
  std::optional<Tls> tls;
  bool writing = false, late = false;
};
using ConnectionPtr = std::shared_ptr<Connection>;

}  // namespace

struct BrokerLink::Impl : std::enable_shared_from_this<BrokerLink::Impl> {
  Impl(asio::io_context& context, const Clock& c, LinkSettings s, Wire& w, OnNotice tell)
      : io(context),
        clock(c),
        settings(std::move(s)),
        wire(w),
        notice(std::move(tell)),
        resolver(context),
        ticker(context),
        pause(context),
        backoff({1'000, 60'000, 200, 0}, settings.seed) {}

  Now now() const { return {clock.mono(), clock.wall()}; }
  std::string where() const { return settings.url.host + ":" + settings.url.port; }
  void tick();
  void flush();
  void failed(const std::string& why);
  // Whether the connection may go on; else it is closed.
  bool fine(const ConnectionPtr& connection);
  Status prepare_tls(Connection& connection) const;

  asio::io_context& io;
  const Clock& clock;
  LinkSettings settings;
  Wire& wire;
  OnNotice notice;
  tcp::resolver resolver;
  asio::steady_timer ticker, pause;
  Backoff backoff;
  ConnectionPtr connection;
  Stats stats;
  bool stopped = false, told_ready = false;
};

namespace detail {

template <class Impl>
asio::awaitable<void> write_all(std::shared_ptr<Impl> impl, ConnectionPtr c) {
  ErrorCode error;
  while (!impl->stopped && impl->connection == c && !error) {
    const std::string bytes = impl->wire.take_output();
    if (bytes.empty()) break;
    impl->wire.set_unsent(bytes.size());
    if (c->tls) {
      co_await asio::async_write(*c->tls, asio::buffer(bytes),
                                 asio::redirect_error(asio::use_awaitable, error));
    } else {
      co_await asio::async_write(c->socket, asio::buffer(bytes),
                                 asio::redirect_error(asio::use_awaitable, error));
    }
    if (!impl->stopped && impl->connection == c) impl->wire.set_unsent(0);
  }
  c->writing = false;
  if (error) c->close();
}

template <class Impl>
asio::awaitable<std::string> dial(std::shared_ptr<Impl> impl, ConnectionPtr c) {
  ErrorCode error;
  const std::string host =
      impl->settings.url.host == "localhost" ? "127.0.0.1" : impl->settings.url.host;
  const auto address = asio::ip::make_address(host, error);
  if (!error) {
    const tcp::endpoint endpoint(address,
                                 static_cast<uint16_t>(std::stoi(impl->settings.url.port)));
    co_await c->socket.async_connect(endpoint, asio::redirect_error(asio::use_awaitable, error));
  } else {
    const auto endpoints = co_await impl->resolver.async_resolve(
        host, impl->settings.url.port, asio::redirect_error(asio::use_awaitable, error));
    if (!error && !impl->stopped && !c->late) {
      co_await asio::async_connect(c->socket, endpoints,
                                   asio::redirect_error(asio::use_awaitable, error));
    }
  }
  if (error || c->late) {
    co_return "cannot connect: " + (c->late ? "it takes too long" : error.message());
  }
  ErrorCode ignored;
  c->socket.set_option(tcp::no_delay(true), ignored);
  using UserTimeout = asio::detail::socket_option::integer<IPPROTO_TCP, TCP_USER_TIMEOUT>;
  c->socket.set_option(UserTimeout(impl->settings.user_timeout_ms), ignored);
  co_return "";
}

template <class Impl>
asio::awaitable<std::string> shake_hands(std::shared_ptr<Impl> impl, ConnectionPtr c) {
  const Status prepared = impl->prepare_tls(*c);
  if (!prepared.ok()) co_return prepared.error().message;
  ErrorCode error;
  co_await c->tls->async_handshake(asio::ssl::stream_base::client,
                                   asio::redirect_error(asio::use_awaitable, error));
  if (error || c->late) {
    co_return "cannot agree on TLS: " + (c->late ? "it takes too long" : error.message());
  }
  co_return "";
}

// Until it breaks; why.
template <class Impl>
asio::awaitable<std::string> converse(std::shared_ptr<Impl> impl, ConnectionPtr c) {
  ErrorCode error;
  std::vector<char> buffer(kReadBytes);
  impl->flush();
  for (;;) {
    size_t bytes = 0;
    if (c->tls) {
      bytes = co_await c->tls->async_read_some(asio::buffer(buffer),
                                               asio::redirect_error(asio::use_awaitable, error));
    } else {
      bytes = co_await c->socket.async_read_some(asio::buffer(buffer),
                                                 asio::redirect_error(asio::use_awaitable, error));
    }
    if (impl->stopped) co_return "";
    if (error) {
      co_return c->late ? "it does not finish the login"
                        : "the connection broke: " + error.message();
    }
    impl->wire.received({buffer.data(), bytes}, impl->now());
    if (impl->wire.wants_tls() && !impl->wire.broken()) {
      const std::string why = co_await shake_hands(impl, c);
      if (impl->stopped || !why.empty()) co_return why;
      impl->wire.secured(impl->now());
    }
    if (impl->wire.ready()) c->deadline.cancel();
    if (!impl->fine(c)) co_return "";
    impl->flush();
  }
}

template <class Impl>
asio::awaitable<std::string> attempt(std::shared_ptr<Impl> impl, ConnectionPtr c) {
  auto login = impl->settings.login ? impl->settings.login() : Result<Login>(Login{});
  if (!login.ok()) co_return login.error().message;
  c->deadline.expires_after(std::chrono::milliseconds(impl->settings.timeout_ms));
  c->deadline.async_wait([c](ErrorCode cancelled) {
    if (cancelled) return;
    c->late = true;
    c->close();
  });
  std::string why = co_await dial(impl, c);
  if (why.empty() && !impl->stopped && impl->wire.tls_first()) why = co_await shake_hands(impl, c);
  if (!why.empty() || impl->stopped) co_return why;
  impl->connection = c;
  impl->wire.opened(*login, impl->now());
  why = co_await converse(impl, c);
  if (impl->stopped) co_return "";
  if (impl->wire.broken()) why = impl->wire.broken()->message;
  impl->connection.reset();
  impl->wire.closed(impl->now());
  co_return why;
}

template <class Impl>
asio::awaitable<void> run(std::shared_ptr<Impl> impl) {
  while (!impl->stopped) {
    auto c = std::make_shared<Connection>(impl->io);
    const std::string why = co_await attempt(impl, c);
    c->close();
    if (impl->stopped) co_return;
    const bool refused = impl->wire.refused();
    impl->failed(why);
    const Instant at = impl->backoff.next(
        impl->clock.mono(), refused ? std::optional<int64_t>(kRefusedMs) : std::nullopt);
    ErrorCode ignored;
    impl->pause.expires_after(std::chrono::nanoseconds(at.ns - impl->clock.mono().ns));
    co_await impl->pause.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
  }
}

}  // namespace detail

Status BrokerLink::Impl::prepare_tls(Connection& c) const {
  c.context.emplace(asio::ssl::context::tls_client);
  const auto unusable = [](const std::string& file, const ErrorCode& error) {
    return Error{Errc::invalid_argument, "cannot use " + file + ": " + error.message()};
  };
  ErrorCode error;
  if (settings.ca_file.empty()) {
    c.context->set_default_verify_paths(error);
  } else {
    c.context->load_verify_file(settings.ca_file, error);
  }
  if (error) return unusable(settings.ca_file, error);
  if (!settings.cert_file.empty()) {
    c.context->use_certificate_chain_file(settings.cert_file, error);
    if (error) return unusable(settings.cert_file, error);
    c.context->use_private_key_file(settings.key_file, asio::ssl::context::pem, error);
    if (error) return unusable(settings.key_file, error);
  }
  c.tls.emplace(c.socket, *c.context);
  SSL* const ssl = c.tls->native_handle();
  SSL_set_min_proto_version(ssl, TLS1_2_VERSION);
  ErrorCode not_an_address;
  asio::ip::make_address(settings.url.host, not_an_address);
  if (not_an_address) {
    std::string name = settings.url.host;
    // The macro SSL_set_tlsext_host_name casts in C; this is what it expands to.
    SSL_ctrl(ssl, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name, name.data());
  }
  c.tls->set_verify_mode(asio::ssl::verify_peer, error);
  c.tls->set_verify_callback(asio::ssl::host_name_verification(settings.url.host), error);
  return Ok{};
}

void BrokerLink::Impl::flush() {
  const ConnectionPtr c = connection;
  if (stopped || !c) return;
  if (wire.ready() && !told_ready) {
    told_ready = true;
    ++stats.connects;
    stats.trouble.clear();
    backoff.succeeded();
    if (notice) notice(true, "connected to " + where());
  }
  if (c->writing) return;
  c->writing = true;
  asio::co_spawn(io, detail::write_all(shared_from_this(), c), asio::detached);
}

bool BrokerLink::Impl::fine(const ConnectionPtr& c) {
  if (!wire.broken()) return true;
  c->close();
  return false;
}

void BrokerLink::Impl::failed(const std::string& why) {
  told_ready = false;
  ++stats.failures;
  const std::string trouble = where() + ": " + why;
  if (trouble != stats.trouble && notice) notice(false, trouble);
  stats.trouble = trouble;
}

void BrokerLink::Impl::tick() {
  ticker.expires_after(std::chrono::milliseconds(settings.tick_ms));
  ticker.async_wait([weak = weak_from_this()](const ErrorCode& error) {
    const auto self = weak.lock();
    if (error || !self || self->stopped) return;
    if (const ConnectionPtr c = self->connection) {
      self->wire.tick(self->now());
      if (self->fine(c)) self->flush();
    }
    self->tick();
  });
}

BrokerLink::BrokerLink(asio::io_context& io, const Clock& clock, LinkSettings settings, Wire& wire,
                       OnNotice on_notice)
    : impl_(std::make_shared<Impl>(io, clock, std::move(settings), wire, std::move(on_notice))) {
  impl_->stats.trouble = impl_->where() + ": not connected yet";
  impl_->tick();
  asio::co_spawn(io, detail::run(impl_), asio::detached);
}

BrokerLink::~BrokerLink() {
  Impl& impl = *impl_;
  if (const ConnectionPtr c = impl.connection; c && !c->writing) {
    impl.wire.leave(impl.now());
    const std::string last = impl.wire.take_output();
    ErrorCode ignored;
    if (!last.empty() && c->tls) {
      c->socket.non_blocking(true, ignored);
      asio::write(*c->tls, asio::buffer(last), ignored);
    } else if (!last.empty()) {
      c->socket.non_blocking(true, ignored);
      c->socket.write_some(asio::buffer(last), ignored);
    }
  }
  impl.stopped = true;
  if (impl.connection) {
    impl.connection->close();
    impl.wire.closed(impl.now());
  }
  impl.ticker.cancel();
  impl.pause.cancel();
  impl.resolver.cancel();
}

void BrokerLink::flush() { impl_->flush(); }
Now BrokerLink::now() const { return impl_->now(); }
const BrokerLink::Stats& BrokerLink::stats() const { return impl_->stats; }

Result<BrokerUrl> parse_broker_url(std::string_view text) {
  const Error wrong{Errc::invalid_argument,
                    "'" + std::string(text) + "' is no address of a broker"};
  const size_t colon = text.find("://");
  if (colon == std::string_view::npos) return wrong;
  const auto* scheme = std::find_if(kSchemes.begin(), kSchemes.end(), [&](const Scheme& s) {
    return s.name == text.substr(0, colon);
  });
  if (scheme == kSchemes.end()) return wrong;
  std::string_view rest = text.substr(colon + 3);
  if (rest.ends_with('/')) rest.remove_suffix(1);
  if (rest.find_first_of("@/?# ") != std::string_view::npos) return wrong;
  BrokerUrl url{std::string(scheme->name), {}, std::string(scheme->port), scheme->tls};
  const size_t bracket = rest.rfind(']');
  const size_t port = rest.rfind(':');
  if (port != std::string_view::npos && (bracket == std::string_view::npos || port > bracket)) {
    url.port = rest.substr(port + 1);
    rest = rest.substr(0, port);
  }
  if (rest.starts_with('[') && rest.ends_with(']')) rest = rest.substr(1, rest.size() - 2);
  url.host = rest;
  const bool number = !url.port.empty() && url.port.size() <= 5 &&
                      url.port.find_first_not_of("0123456789") == std::string::npos;
  if (url.host.empty() || !number || std::stoi(url.port) > 65535 || std::stoi(url.port) == 0) {
    return wrong;
  }
  return url;
}

}  // namespace nines::broker
