#include "http/server.hpp"

#include <array>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <optional>
#include <set>

#include "net/asio.hpp"
#include "net/deadline.hpp"

namespace nines::agent::http {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
using net::ErrorCode;
using net::tcp;
using Parser = beast::http::request_parser<beast::http::string_body>;

struct Endpoint {
  std::string host, port;
};

Error bad_listen(const std::string& listen, const std::string& why) {
  return {Errc::invalid_argument,
          "cannot listen on '" + listen + "': " + why +
              "; expected host:port, for example 127.0.0.1:9990 or [::1]:9990"};
}

Result<tcp::endpoint> parse_listen(const std::string& listen) {
  const size_t colon = listen.rfind(':');
  if (colon == std::string::npos) return bad_listen(listen, "the port is missing");
  std::string host = listen.substr(0, colon);
  const std::string port = listen.substr(colon + 1);
  if (host.size() >= 2 && host.front() == '[' && host.back() == ']') {
    host = host.substr(1, host.size() - 2);
  }
  if (host == "localhost") host = "127.0.0.1";
  if (host.empty() || host == "*") host = "0.0.0.0";
  if (port.empty() || port.size() > 5 ||
      port.find_first_not_of("0123456789") != std::string::npos || std::stoi(port) > 65535) {
    return bad_listen(listen, "'" + port + "' is not a port");
  }
  ErrorCode error;
  const auto address = asio::ip::make_address(host, error);
  if (error) return bad_listen(listen, "'" + host + "' is not an IP address or localhost");
  return tcp::endpoint(address, static_cast<uint16_t>(std::stoi(port)));
}

Error listen_error(const std::string& listen, const tcp::endpoint& endpoint,
                   const ErrorCode& error) {
  const std::string port = std::to_string(endpoint.port());
  Error out{Errc::io, "cannot listen on " + listen + ": " + error.message(), error.value()};
  if (error == asio::error::address_in_use) {
    out.message = "cannot listen on " + listen + ": port " + port +
                  " is in use, perhaps by another nines agent (`ss -ltnp 'sport = :" + port +
                  "'` shows by whom); stop it or set `listen` to another port";
  } else if (error == asio::error::access_denied) {
    out.message += "; ports below 1024 need a privilege that nines does not want: use 9990";
  }
  return out;
}

std::string serialize_head(const HttpResponse& response, bool keep_alive) {
  std::string head = "HTTP/1.1 " + std::to_string(response.status) + " " +
                     reason_phrase(response.status) +
                     "\r\nServer: nines\r\nContent-Type: " + response.content_type +
                     "\r\nX-Content-Type-Options: nosniff\r\n";
  // RFC 9110: neither has a body; a stream ends with its connection.
  const bool sized = response.status != 204 && response.status != 304 && !response.stream;
  if (sized) head += "Content-Length: " + std::to_string(response.body.size()) + "\r\n";
  if (response.header("Cache-Control") == nullptr) head += "Cache-Control: no-store\r\n";
  for (const auto& [name, value] : response.headers) head += name + ": " + value + "\r\n";
  head += keep_alive ? "Connection: keep-alive\r\n\r\n" : "Connection: close\r\n\r\n";
  return head;
}

// Deserves an answer; anything else (closed, timed out, cut short) has nobody to answer to.
bool is_protocol_error(const ErrorCode& error) {
  return error.category() == make_error_code(beast::http::error::bad_version).category() &&
         error != beast::http::error::end_of_stream && error != beast::http::error::partial_message;
}

HttpResponse parse_failure(const ErrorCode& error) {
  if (error == beast::http::error::header_limit) {
    return problem(431, "the request header is too large");
  }
  if (error == beast::http::error::body_limit) return problem(413, "the request body is too large");
  return problem(400, "not a valid HTTP request: " + error.message());
}

std::string field(const Parser::value_type& message, std::string_view name) {
  const auto found = message.find(beast::string_view(name.data(), name.size()));
  if (found == message.end()) return {};
  return std::string(found->value().data(), found->value().size());
}

bool is_served(beast::http::verb method, bool writes) {
  using beast::http::verb;
  if (method == verb::get || method == verb::head) return true;
  return writes && (method == verb::post || method == verb::put || method == verb::patch ||
                    method == verb::delete_ || method == verb::options);
}

// The request as handlers see it, or the answer to one that none shall see.
std::optional<HttpResponse> read_request(const Parser::value_type& message, bool writes,
                                         HttpRequest& request) {
  const std::string target(message.target());
  request.method = std::string(message.method_string());
  if (!is_served(message.method(), writes)) {
    const std::string allowed =
        writes ? "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS" : "GET, HEAD";
    HttpResponse refused = problem(405, "only " + allowed + " are served here");
    refused.headers.emplace_back("Allow", allowed);
    return refused;
  }
  const size_t mark = target.find('?');
  if (mark != std::string::npos) request.query = target.substr(mark + 1);
  if (target.empty() || target.front() != '/' ||
      !percent_decode(std::string_view(target).substr(0, mark), request.path)) {
    return problem(400, "the request target is not a valid path");
  }
  request.authorization = field(message, "Authorization");
  request.accept = field(message, "Accept");
  request.accept_encoding = field(message, "Accept-Encoding");
  request.if_none_match = field(message, "If-None-Match");
  request.origin = field(message, "Origin");
  request.last_event_id = field(message, "Last-Event-ID");
  request.host = field(message, "Host");
  request.body = message.body();
  return std::nullopt;
}

// Where the answer of an AsyncHandler arrives, now or later. Owned by the request that waits for
// it; a Reply may be kept for longer, even longer than the io_context, and then does nothing.
struct Answer {
  explicit Answer(asio::io_context& io) : timer(io) {}
  std::optional<HttpResponse> response;
  asio::steady_timer timer;
};

void call(const AsyncHandler& handler, const HttpRequest& request,
          const std::shared_ptr<Answer>& answer) {
  const Reply reply = [waiting = std::weak_ptr(answer)](HttpResponse response) {
    const auto to = waiting.lock();
    if (to == nullptr || to->response) return;
    to->response = std::move(response);
    to->timer.cancel();
  };
  try {
    handler(request, reply);
  } catch (const std::exception&) {
    reply(problem(500, "the request could not be answered; the agent's log says why"));
  }
}

AsyncHandler at_once(Handler handler) {
  return [handler = std::move(handler)](const HttpRequest& request, const Reply& reply) {
    reply(handler(request));
  };
}

// Shared by the owner and every session, so that whichever ends last finds it alive.
struct ServerState {
  ServerState(asio::io_context& context, ServerOptions server_options, AsyncHandler route,
              bool takes_writes)
      : io(context),
        acceptor(context),
        options(std::move(server_options)),
        handler(std::move(route)),
        writes(takes_writes) {}

  asio::io_context& io;
  tcp::acceptor acceptor;
  tcp::endpoint local;
  ServerOptions options;
  AsyncHandler handler;
  bool writes;
  ServerStats stats;
  std::set<tcp::socket*> sockets;
};

struct Session {
  Session(std::shared_ptr<ServerState> server, tcp::socket accepted)
      : impl(std::move(server)), socket(std::move(accepted)) {
    impl->sockets.insert(&socket);
  }
  ~Session() { impl->sockets.erase(&socket); }
  std::shared_ptr<ServerState> impl;
  tcp::socket socket;
  beast::flat_buffer buffer;
};

// What the handler says to a request that could be read.
asio::awaitable<HttpResponse> response_to(std::shared_ptr<Session> session, Parser* parser) {
  ServerState& impl = *session->impl;
  HttpRequest request;
  if (auto refused = read_request(parser->get(), impl.writes, request)) co_return *refused;
  ErrorCode unknown;
  const auto peer = session->socket.remote_endpoint(unknown);
  if (!unknown) request.address = peer.address().to_string();
  auto answer = std::make_shared<Answer>(impl.io);
  answer->timer.expires_after(std::chrono::milliseconds(impl.options.idle_ms));
  call(impl.handler, request, answer);
  ErrorCode ignored;
  if (!answer->response) {
    co_await answer->timer.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
  }
  if (!answer->response) {
    answer->response =
        problem(503, "the agent did not answer in time; what was asked may still happen");
  }
  co_return *answer->response;
}

// Ends the wait of a stream whose client is gone.
asio::awaitable<void> watch_for_end(std::shared_ptr<Session> session,
                                    std::shared_ptr<asio::steady_timer> timer,
                                    std::shared_ptr<bool> gone) {
  std::array<char, 256> ignored;
  ErrorCode error;
  while (!error) {
    co_await session->socket.async_read_some(asio::buffer(ignored),
                                             asio::redirect_error(asio::use_awaitable, error));
  }
  *gone = true;
  timer->cancel();
}

// What the stream has to say, until one of both ends it. The client's share of memory is the piece
// that is being written.
asio::awaitable<void> send_stream(std::shared_ptr<Session> session,
                                  std::shared_ptr<Stream> stream) {
  ServerState& impl = *session->impl;
  auto timer = std::make_shared<asio::steady_timer>(impl.io);
  auto gone = std::make_shared<bool>(false);
  stream->on_more([waiting = std::weak_ptr(timer)] {
    if (const auto one = waiting.lock()) one->cancel();
  });
  asio::co_spawn(impl.io, watch_for_end(session, timer, gone), asio::detached);
  ErrorCode error;
  while (!error && !*gone) {
    std::optional<std::string> piece = stream->next();
    if (!piece) break;
    if (piece->empty()) {
      timer->expires_after(
          std::chrono::milliseconds(stream->silence_ms(impl.options.heartbeat_ms)));
      ErrorCode woken;
      co_await timer->async_wait(asio::redirect_error(asio::use_awaitable, woken));
      if (woken) continue;
      piece = stream->still_here();
    }
    net::Deadline deadline(session->socket, impl.options.idle_ms);
    co_await asio::async_write(session->socket, asio::buffer(*piece),
                               asio::redirect_error(asio::use_awaitable, error));
    if (deadline.expired()) ++impl.stats.timeouts;
  }
  stream->on_more(nullptr);
}

// One request and its response. False: the connection is to be closed.
asio::awaitable<bool> exchange(std::shared_ptr<Session> session) {
  ServerState& impl = *session->impl;
  Parser parser;
  parser.header_limit(static_cast<uint32_t>(impl.options.max_header_bytes));
  parser.body_limit(impl.options.max_body_bytes);
  ErrorCode error;
  {
    net::Deadline deadline(session->socket, impl.options.idle_ms);
    // In two steps: Beast 1.74 forgets a body_limit error when body bytes arrive with the header.
    co_await beast::http::async_read_header(session->socket, session->buffer, parser,
                                            asio::redirect_error(asio::use_awaitable, error));
    if (!error) {
      co_await beast::http::async_read(session->socket, session->buffer, parser,
                                       asio::redirect_error(asio::use_awaitable, error));
    }
    if (deadline.expired()) ++impl.stats.timeouts;
  }
  if (error && !is_protocol_error(error)) co_return false;
  bool keep_alive = !error && parser.get().keep_alive();
  const bool head_only = !error && parser.get().method() == beast::http::verb::head;
  HttpResponse response;
  if (error) {
    response = parse_failure(error);
  } else {
    response = co_await response_to(session, &parser);
  }
  ++impl.stats.requests;
  impl.stats.errors += response.status >= 400;
  keep_alive = keep_alive && !response.stream;
  const std::string head = serialize_head(response, keep_alive);
  const std::array<asio::const_buffer, 2> pieces{
      asio::buffer(head), asio::buffer(response.body.data(), head_only ? 0 : response.body.size())};
  {
    net::Deadline deadline(session->socket, impl.options.idle_ms);
    co_await asio::async_write(session->socket, pieces,
                               asio::redirect_error(asio::use_awaitable, error));
    if (deadline.expired()) ++impl.stats.timeouts;
  }
  if (!error && response.stream && !head_only) {
    co_await send_stream(session, response.stream);
    session->socket.close(error);  // ends the watch over it, too
    co_return false;
  }
  co_return !error && keep_alive;
}

// Closing with unread bytes resets the connection, which may take the answer with it: a bounded
// part of what the client still sends is read away first.
asio::awaitable<void> drain(std::shared_ptr<Session> session) {
  ErrorCode error;
  session->socket.shutdown(tcp::socket::shutdown_send, error);
  net::Deadline deadline(session->socket, std::min<int64_t>(session->impl->options.idle_ms, 1000));
  std::array<char, 4096> sink;
  for (int reads = 0; reads < 64 && !error; ++reads) {
    co_await session->socket.async_read_some(asio::buffer(sink),
                                             asio::redirect_error(asio::use_awaitable, error));
  }
}

asio::awaitable<void> serve(std::shared_ptr<Session> session) {
  // Not in the loop's condition: g++ 12 destroys arguments of a co_await in a condition twice.
  for (bool more = true; more;) {
    more = co_await exchange(session);
  }
  if (session->socket.is_open()) co_await drain(session);
}

// Best effort: the kernel's send buffer of a fresh connection always has room for this.
void refuse(tcp::socket socket) {
  const HttpResponse response = problem(503, "too many connections; try again");
  const std::string text = serialize_head(response, false) + response.body;
  ErrorCode ignored;
  socket.non_blocking(true, ignored);
  socket.write_some(asio::buffer(text), ignored);
  socket.shutdown(tcp::socket::shutdown_send, ignored);
}

// Out of file descriptors, for example: trying again at once would spin.
asio::awaitable<void> pause_accepting(asio::io_context* io) {
  asio::steady_timer timer(*io, std::chrono::milliseconds(200));
  ErrorCode ignored;
  co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
}

asio::awaitable<void> accept_loop(std::shared_ptr<ServerState> impl) {
  while (impl->acceptor.is_open()) {
    ErrorCode error;
    tcp::socket socket(impl->io);
    co_await impl->acceptor.async_accept(socket, asio::redirect_error(asio::use_awaitable, error));
    if (!impl->acceptor.is_open()) co_return;
    if (error) {
      co_await pause_accepting(&impl->io);
      continue;
    }
    if (impl->sockets.size() >= impl->options.max_connections) {
      ++impl->stats.refused_connections;
      refuse(std::move(socket));
      continue;
    }
    auto session = std::make_shared<Session>(impl, std::move(socket));
    asio::co_spawn(impl->io, serve(std::move(session)), asio::detached);
  }
}

}  // namespace

struct HttpServer::Impl : ServerState {
  using ServerState::ServerState;
};

HttpServer::HttpServer(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}
HttpServer::~HttpServer() { stop(); }

Result<std::unique_ptr<HttpServer>> HttpServer::start(asio::io_context& io,
                                                      const ServerOptions& options,
                                                      Handler handler) {
  return listen(std::make_shared<Impl>(io, options, at_once(std::move(handler)), false));
}

Result<std::unique_ptr<HttpServer>> HttpServer::start(asio::io_context& io,
                                                      const ServerOptions& options,
                                                      AsyncHandler handler) {
  return listen(std::make_shared<Impl>(io, options, std::move(handler), true));
}

Result<std::unique_ptr<HttpServer>> HttpServer::listen(std::shared_ptr<Impl> impl) {
  const ServerOptions& options = impl->options;
  NINES_TRY(const tcp::endpoint endpoint, parse_listen(options.listen));
  if (!endpoint.address().is_loopback() && !options.allow_non_loopback) {
    return Error{
        Errc::invalid_argument,
        "refusing to listen on " + options.listen +
            ": it is reachable from outside and has neither TLS nor a credential; listen on "
            "127.0.0.1:" +
            std::to_string(endpoint.port()) +
            ", or allow it explicitly where the network itself is trusted (a pod)"};
  }
  ErrorCode error;
  impl->acceptor.open(endpoint.protocol(), error);
  if (!error) impl->acceptor.set_option(tcp::acceptor::reuse_address(true), error);
  if (!error) impl->acceptor.bind(endpoint, error);
  if (!error) impl->acceptor.listen(64, error);
  if (error) return listen_error(options.listen, endpoint, error);
  impl->local = impl->acceptor.local_endpoint(error);
  if (error) return listen_error(options.listen, endpoint, error);
  asio::co_spawn(impl->io, accept_loop(impl), asio::detached);
  return std::unique_ptr<HttpServer>(new HttpServer(std::move(impl)));
}

std::string HttpServer::url() const {
  const auto address = impl_->local.address();
  const std::string host = address.is_v6() ? "[" + address.to_string() + "]" : address.to_string();
  return "http://" + host + ":" + std::to_string(port());
}

uint16_t HttpServer::port() const { return impl_->local.port(); }

ServerStats HttpServer::stats() const {
  ServerStats stats = impl_->stats;
  stats.connections = impl_->sockets.size();
  return stats;
}

void HttpServer::stop() {
  ErrorCode ignored;
  impl_->acceptor.close(ignored);
  for (tcp::socket* socket : impl_->sockets) socket->close(ignored);
}

}  // namespace nines::agent::http
