#include "nines/peer/driver.hpp"

#include <algorithm>
#include <deque>
#include <map>
#include <set>

#include "peer/query_port.hpp"
#include "peer/tls.hpp"
#include "peer/wire.hpp"

namespace nines::peer {
namespace {

constexpr int64_t kLingerMs = 2'000;  // for the last words of a link that is closed

// One link. The coroutines that read and write keep it alive.
struct Connection : Wire {
  using Wire::Wire;
  LinkId link = 0;
  std::deque<std::string> queue;
  bool ready = false, writing = false, closing = false;
};
using ConnectionPtr = std::shared_ptr<Connection>;

}  // namespace

struct PeerDriver::Impl : std::enable_shared_from_this<PeerDriver::Impl> {
  Impl(asio::io_context& context, const Clock& c, DriverSettings s, PeerNode& n)
      : io(context),
        clock(c),
        settings(std::move(s)),
        node(n),
        files(settings.tls),
        acceptor(context),
        resolver(context),
        timer(context) {}

  Now now() const { return {clock.mono(), clock.wall()}; }
  bool may_speak(const tcp::endpoint& endpoint) const {
    return files.enabled() || endpoint.address().is_loopback();
  }
  // False: that address has its share already.
  bool begin_handshake(const std::string& source) {
    size_t& of_it = sources[source];
    if (of_it >= settings.max_handshakes_a_source) return false;
    ++of_it;
    ++handshakes;
    return true;
  }
  void end_handshake(const std::string& source) {
    --handshakes;
    const auto found = sources.find(source);
    if (--found->second == 0) sources.erase(found);
  }
  // Handshakes that are under way when the driver goes end after it: whom they would tell may be
  // gone.
  void notice(const std::string& text) const {
    if (on_notice && !stopped) on_notice(text);
  }
  Status listen();
  void act();
  void dial(const Output::Dial& dial);
  void send(const Output::Send& send);
  void hang_up(const ConnectionPtr& connection);
  // It broke; the machine is told.
  void lost(const ConnectionPtr& connection);
  void tick();
  void refresh_files();
  void use_files();  // that were just read
  void open_queries();
  void publish_addresses();
  void close_all();

  asio::io_context& io;
  const Clock& clock;
  DriverSettings settings;
  PeerNode& node;
  OnDecision on_decision;
  OnNotice on_notice;
  TlsFiles files;
  tcp::acceptor acceptor;
  tcp::resolver resolver;
  asio::steady_timer timer;
  std::map<LinkId, ConnectionPtr> links;
  std::map<std::string, std::vector<std::string>> resolved;  // peer -> addresses
  size_t handshakes = 0;
  std::map<std::string, size_t> sources;  // address -> handshakes of it; as many at most
  Instant next_resolve{}, next_reload{};
  bool resolving = false, stopped = false;
  const std::shared_ptr<Counters> counters = std::make_shared<Counters>();
  std::shared_ptr<QueryPort> queries;
};

// --- coroutines: plain functions, since a lambda's captures die with it

namespace detail {

template <class Impl, class Stream>
asio::awaitable<void> write_all(std::shared_ptr<Impl> impl, ConnectionPtr connection,
                                Stream* stream) {
  ErrorCode error;
  while (!connection->queue.empty() && !error) {
    const std::string bytes = std::move(connection->queue.front());
    connection->queue.pop_front();
    co_await asio::async_write(*stream, asio::buffer(bytes),
                               asio::redirect_error(asio::use_awaitable, error));
    if (!impl->stopped) impl->node.written(connection->link, bytes.size());
  }
  connection->writing = false;
  if (error) {
    impl->lost(connection);
  } else if (connection->closing) {
    impl->hang_up(connection);
  }
}

template <class Impl>
void start_writing(const std::shared_ptr<Impl>& impl, const ConnectionPtr& connection) {
  if (connection->writing || !connection->ready || connection->queue.empty()) return;
  connection->writing = true;
  if (connection->tls) {
    asio::co_spawn(impl->io, write_all(impl, connection, &*connection->tls), asio::detached);
  } else {
    asio::co_spawn(impl->io, write_all(impl, connection, &connection->socket), asio::detached);
  }
}

template <class Impl, class Stream>
asio::awaitable<void> read_all(std::shared_ptr<Impl> impl, ConnectionPtr connection,
                               Stream* stream) {
  const auto buffer = std::make_unique<std::array<char, 16 * 1024>>();
  ErrorCode error;
  while (!error && !connection->closing) {
    const size_t bytes = co_await stream->async_read_some(
        asio::buffer(*buffer), asio::redirect_error(asio::use_awaitable, error));
    if (bytes == 0 || impl->stopped) continue;
    impl->node.received(connection->link, {buffer->data(), bytes}, impl->now());
    impl->act();
  }
  if (!connection->closing) impl->lost(connection);
}

// Who is there, and what for.
struct Arrival {
  bool good = false;
  Protocol protocol = Protocol::peer;
  Credentials from;
  std::string first;  // bytes that were read to find out
};

template <class Impl>
asio::awaitable<void> shake_hands(std::shared_ptr<Impl> impl, ConnectionPtr connection, bool client,
                                  Arrival* arrival) {
  connection->context = impl->files.context();
  connection->tls.emplace(connection->socket, *connection->context);
  SSL* const ssl = connection->tls->native_handle();
  if (client) offer_protocol(ssl, Protocol::peer);
  ErrorCode error;
  co_await connection->tls->async_handshake(
      client ? asio::ssl::stream_base::client : asio::ssl::stream_base::server,
      asio::redirect_error(asio::use_awaitable, error));
  if (error) {
    impl->notice("TLS with a peer failed: " + error.message());
    co_return;
  }
  const auto shown = credentials_of(ssl);
  if (!shown.ok()) {
    impl->notice("a peer is refused: " + shown.error().message);
    co_return;
  }
  arrival->from.nodes = shown->nodes;
  arrival->from.role = shown->role;
  arrival->protocol = agreed_protocol(ssl);
  arrival->good = true;
}

template <class Impl>
asio::awaitable<Arrival> recognise(std::shared_ptr<Impl> impl, ConnectionPtr connection,
                                   bool client) {
  const CutOff cut_off(impl->io, connection, impl->settings.handshake_ms);
  Arrival arrival;
  arrival.from.host = remote_host(connection->socket);
  if (impl->files.enabled()) {
    co_await shake_hands(impl, connection, client, &arrival);
  } else if (client) {
    arrival.good = true;
  } else {
    ErrorCode error;
    arrival.first.assign(kQueryMagic.size(), '\0');
    co_await asio::async_read(connection->socket, asio::buffer(arrival.first),
                              asio::redirect_error(asio::use_awaitable, error));
    arrival.good = !error;
    if (arrival.first == kQueryMagic) arrival.protocol = Protocol::query;
  }
  impl->counters->handshakes_failed += !arrival.good;
  co_return arrival;
}

template <class Impl>
asio::awaitable<void> converse(std::shared_ptr<Impl> impl, ConnectionPtr connection) {
  impl->act();
  start_writing(impl, connection);
  if (connection->tls) {
    co_await read_all(impl, connection, &*connection->tls);
  } else {
    co_await read_all(impl, connection, &connection->socket);
  }
}

template <class Impl>
asio::awaitable<void> take_in(std::shared_ptr<Impl> impl, ConnectionPtr connection,
                              std::string source) {
  Arrival arrival = co_await recognise(impl, connection, false);
  const bool query = arrival.good && arrival.protocol == Protocol::query && !impl->stopped;
  if (query && impl->node.denies(arrival.from.nodes)) {
    ++impl->counters->queries_refused;
    impl->notice("a query of " + arrival.from.nodes.front() + " is refused: peers denies it");
  } else if (query) {
    co_await QueryPort::take_in(impl->queries, connection, arrival.from, !arrival.first.empty());
  }
  impl->end_handshake(source);
  if (!arrival.good || arrival.protocol == Protocol::query || impl->stopped) co_return;
  connection->ready = true;
  connection->link = impl->node.accepted(impl->now(), arrival.from);
  if (connection->link == 0) co_return;
  impl->links[connection->link] = connection;
  if (!arrival.first.empty()) impl->node.received(connection->link, arrival.first, impl->now());
  co_await converse(impl, connection);
}

template <class Impl>
asio::awaitable<void> accept_all(std::shared_ptr<Impl> impl) {
  while (!impl->stopped) {
    auto connection = std::make_shared<Connection>(impl->io);
    ErrorCode error;
    co_await impl->acceptor.async_accept(connection->socket,
                                         asio::redirect_error(asio::use_awaitable, error));
    if (impl->stopped) co_return;
    if (error || impl->handshakes >= impl->settings.max_handshakes) {
      asio::steady_timer pause(impl->io);  // out of descriptors, or flooded
      pause.expires_after(std::chrono::milliseconds(100));
      co_await pause.async_wait(asio::redirect_error(asio::use_awaitable, error));
      continue;
    }
    const std::string source = remote_host(connection->socket);
    if (!impl->begin_handshake(source)) {
      ++impl->counters->sources_refused;
      continue;  // the socket closes
    }
    set_link_options(connection->socket, impl->settings.user_timeout_ms);
    ++impl->counters->accepted;
    asio::co_spawn(impl->io, take_in(impl, connection, source), asio::detached);
  }
}

template <class Impl>
asio::awaitable<void> reach_out(std::shared_ptr<Impl> impl, ConnectionPtr connection,
                                tcp::endpoint endpoint) {
  ErrorCode error;
  co_await connection->socket.async_connect(endpoint,
                                            asio::redirect_error(asio::use_awaitable, error));
  bool good = !error && !connection->closing && !impl->stopped;
  if (good) set_link_options(connection->socket, impl->settings.user_timeout_ms);
  Arrival arrival;
  if (good) {
    arrival = co_await recognise(impl, connection, true);
    good = arrival.good;
  }
  if (!good || connection->closing || impl->stopped) {
    ++impl->counters->connects_failed;
    if (!connection->closing) impl->lost(connection);
    co_return;
  }
  connection->ready = true;
  impl->node.connected(connection->link, impl->now(), arrival.from);
  co_await converse(impl, connection);
}

template <class Impl>
asio::awaitable<void> resolve_all(std::shared_ptr<Impl> impl, std::vector<std::string> peers) {
  for (size_t i = 0; i < peers.size() && !impl->stopped; ++i) {
    const auto parts = split_address(peers[i]);
    if (!parts.ok()) continue;
    ErrorCode error;
    const auto found = co_await impl->resolver.async_resolve(
        parts->host, parts->port, asio::redirect_error(asio::use_awaitable, error));
    if (impl->stopped) co_return;
    if (error) {  // what it was before is still worth a try
      ++impl->counters->unresolved;
      impl->notice("cannot find peer " + peers[i] + ": " + error.message());
      continue;
    }
    auto& addresses = impl->resolved[peers[i]];
    addresses.clear();
    for (const auto& entry : found) addresses.push_back(to_text(entry.endpoint()));
  }
  impl->resolving = false;
  impl->publish_addresses();
}

}  // namespace detail

// --- the driver

Status PeerDriver::Impl::listen() {
  if (settings.listen.empty()) return Ok{};
  NINES_TRY(const tcp::endpoint endpoint, to_endpoint(settings.listen));
  if (!may_speak(endpoint)) {
    return Error{Errc::invalid_argument,
                 "peers would be spoken to without TLS at " + settings.listen +
                     "; make certificates with 'nines pki', or listen on 127.0.0.1"};
  }
  ErrorCode error;
  acceptor.open(endpoint.protocol(), error);
  if (!error) acceptor.set_option(tcp::acceptor::reuse_address(true), error);
  if (!error) acceptor.bind(endpoint, error);
  if (!error) acceptor.listen(64, error);
  if (error) {
    return Error{Errc::io, "cannot listen for peers on " + settings.listen + ": " + error.message(),
                 error.value()};
  }
  node.set_port(acceptor.local_endpoint(error).port());
  asio::co_spawn(io, detail::accept_all(shared_from_this()), asio::detached);
  return Ok{};
}

void PeerDriver::Impl::act() {
  Output out = node.take();
  for (const auto& one : out.dials) dial(one);
  for (const auto& one : out.sends) send(one);
  for (const auto& one : out.closes) {
    const auto found = links.find(one.link);
    if (found != links.end()) hang_up(ConnectionPtr(found->second));
  }
  for (const auto& one : out.calls) queries->called(one);
  for (const auto& one : out.no_calls) queries->declined(one);
  if (!on_decision) return;
  for (const auto& decision : out.decisions) on_decision(decision);
}

void PeerDriver::Impl::dial(const Output::Dial& dial) {
  const auto endpoint = to_endpoint(dial.address);
  auto connection = std::make_shared<Connection>(io);
  connection->link = dial.link;
  links[dial.link] = connection;
  if (!endpoint.ok() || !may_speak(*endpoint)) {
    ++counters->connects_failed;
    notice("not connecting to " + dial.address + " without TLS");
    asio::post(io, [self = shared_from_this(), connection] { self->lost(connection); });
    return;
  }
  asio::co_spawn(io, detail::reach_out(shared_from_this(), connection, *endpoint), asio::detached);
}

void PeerDriver::Impl::send(const Output::Send& send) {
  const auto found = links.find(send.link);
  if (found == links.end() || found->second->closing) return;
  found->second->queue.push_back(send.bytes);
  detail::start_writing(shared_from_this(), found->second);
}

void PeerDriver::Impl::hang_up(const ConnectionPtr& connection) {
  connection->closing = true;
  links.erase(connection->link);
  ErrorCode ignored;
  const bool more = connection->writing || (connection->ready && !connection->queue.empty());
  if (!more) {
    connection->socket.close(ignored);
    return;
  }
  auto linger = std::make_shared<asio::steady_timer>(io);
  linger->expires_after(std::chrono::milliseconds(kLingerMs));
  linger->async_wait([connection, linger](ErrorCode) {
    ErrorCode closed;
    connection->socket.close(closed);
  });
}

void PeerDriver::Impl::lost(const ConnectionPtr& connection) {
  if (connection->closing) return;
  connection->closing = true;
  ErrorCode ignored;
  connection->socket.close(ignored);
  links.erase(connection->link);
  if (stopped) return;
  node.closed(connection->link, now());
  act();
}

void PeerDriver::Impl::refresh_files() {
  if (!files.enabled() || clock.mono() < next_reload) return;
  next_reload = {clock.mono().ns + settings.reload_every_ms * kNsPerMs};
  const auto before = files.context();
  const auto status = files.refresh();
  if (!status.ok()) {
    ++counters->reloads_failed;
    notice(status.error().message + "; the certificate read before stays in use");
  } else if (files.context() != before) {
    ++counters->reloads;
    notice("certificates for peers were read again");
    use_files();
  }
}

void PeerDriver::Impl::use_files() {
  node.set_role(files.role());
  const std::string warning = files.key_warning();
  if (!warning.empty()) notice(warning);
}

void PeerDriver::Impl::open_queries() {
  const std::weak_ptr<Impl> weak = weak_from_this();
  QueryPort::Hooks hooks;
  hooks.route = [weak](const std::string& name) {
    const auto self = weak.lock();
    if (!self || self->stopped) return QueryPort::Route{};
    const auto way = self->node.way_to(name);
    return QueryPort::Route{way.address, way.callable, way.known};
  };
  hooks.call = [weak](const std::string& name, const std::string& token) {
    const auto self = weak.lock();
    if (!self || self->stopped || !self->node.call(name, token)) return false;
    self->act();
    return true;
  };
  hooks.decline = [weak](LinkId link, const std::string& token, const std::string& why) {
    const auto self = weak.lock();
    if (!self || self->stopped) return;
    self->node.decline(link, token, why);
    // Not from within act(), which may have asked.
    asio::post(self->io, [self] {
      if (!self->stopped) self->act();
    });
  };
  hooks.context = [weak] {
    const auto self = weak.lock();
    return self ? self->files.context() : nullptr;
  };
  queries = std::make_shared<QueryPort>(io, clock, settings, node.name(), counters, hooks);
  queries->keep_connections();
}

void PeerDriver::Impl::publish_addresses() {
  std::set<std::string> all;
  for (const auto& peer : settings.peers) {
    const auto literal = to_endpoint(peer);
    if (literal.ok()) all.insert(to_text(*literal));
    const auto found = resolved.find(peer);
    if (found != resolved.end()) all.insert(found->second.begin(), found->second.end());
  }
  node.set_addresses({all.begin(), all.end()}, now());
}

void PeerDriver::Impl::tick() {
  if (stopped) return;
  refresh_files();
  if (!resolving && clock.mono() >= next_resolve) {
    next_resolve = {clock.mono().ns + settings.resolve_every_ms * kNsPerMs};
    std::vector<std::string> names;
    for (const auto& peer : settings.peers) {
      if (!to_endpoint(peer).ok()) names.push_back(peer);
    }
    publish_addresses();
    if (!names.empty()) {
      resolving = true;
      asio::co_spawn(io, detail::resolve_all(shared_from_this(), std::move(names)), asio::detached);
    }
  }
  node.tick(now());
  queries->tick();
  act();
  timer.expires_after(std::chrono::milliseconds(settings.tick_ms));
  timer.async_wait([self = shared_from_this()](ErrorCode error) {
    if (!error) self->tick();
  });
}

void PeerDriver::Impl::close_all() {
  node.leave(now());
  act();
  stopped = true;
  queries->stop();
  ErrorCode ignored;
  acceptor.close(ignored);
  resolver.cancel();
  timer.cancel();
  // Links that are still telling goodbye keep themselves alive until that is out.
  links.clear();
}

Result<std::unique_ptr<PeerDriver>> PeerDriver::start(asio::io_context& io, const Clock& clock,
                                                      DriverSettings settings, PeerNode& node,
                                                      OnDecision on_decision, OnNotice on_notice) {
  const auto& tls = settings.tls;
  const bool some = !tls.authority.empty() || !tls.certificate.empty() || !tls.key.empty();
  const bool all = !tls.authority.empty() && !tls.certificate.empty() && !tls.key.empty();
  if (some && !all) {
    return Error{Errc::invalid_argument,
                 "TLS between peers needs an authority, a certificate and a key; one is missing"};
  }
  for (const auto& peer : settings.peers) {
    const auto address = split_address(peer);
    if (!address.ok()) return address.error();
  }
  auto impl = std::make_shared<Impl>(io, clock, std::move(settings), node);
  impl->on_decision = std::move(on_decision);
  impl->on_notice = std::move(on_notice);
  if (impl->files.enabled()) {
    NINES_CHECK(impl->files.refresh());
    impl->use_files();
  }
  impl->open_queries();
  NINES_CHECK(impl->listen());
  impl->tick();
  return std::unique_ptr<PeerDriver>(new PeerDriver(std::move(impl)));
}

PeerDriver::PeerDriver(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}
PeerDriver::~PeerDriver() { impl_->close_all(); }

uint16_t PeerDriver::port() const {
  ErrorCode error;
  const auto endpoint = impl_->acceptor.local_endpoint(error);
  return error ? uint16_t{0} : endpoint.port();
}

void PeerDriver::tell() {
  impl_->node.tell(impl_->now());
  impl_->act();
}

void PeerDriver::set_peers(std::vector<std::string> peers) {
  impl_->settings.peers = std::move(peers);
  impl_->next_resolve = {};
}

void PeerDriver::serve_queries(OnQuery on_query) { impl_->queries->serve(std::move(on_query)); }

Result<std::unique_ptr<stream::ByteStream>> PeerDriver::open_query(const std::string& node,
                                                                   Instant deadline) {
  return impl_->queries->open(node, deadline);
}

void PeerDriver::stop_queries() { impl_->queries->stop(); }

const PeerDriver::Counters& PeerDriver::counters() const { return *impl_->counters; }

}  // namespace nines::peer
