#include "http/client.hpp"

#include <boost/asio/ssl.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/buffer_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <limits>
#include <memory>

#include "http/message.hpp"
#include "net/asio.hpp"

namespace nines::agent::http {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
using net::ErrorCode;
using net::tcp;

// One exchange. Its deadline completes the caller even where the operating system cannot be
// interrupted (name resolution); what comes later is ignored.
struct Exchange;
using ExchangePtr = std::shared_ptr<Exchange>;

struct Exchange {
  Exchange(asio::io_context& io, ClientRequest what,
           std::function<void(Result<ClientResponse>)> tell)
      : request(std::move(what)), done(std::move(tell)), socket(io), resolver(io), timer(io) {}

  void complete(Result<ClientResponse> result) {
    if (const auto tell = abandon()) tell(std::move(result));
  }

  // Ends it; gives whom to tell, the first time.
  std::function<void(Result<ClientResponse>)> abandon() {
    if (!done) return nullptr;
    timer.cancel();
    ErrorCode ignored;
    socket.close(ignored);
    resolver.cancel();
    return std::exchange(done, nullptr);
  }

  bool streams() const { return on_data != nullptr; }

  // From now on `limit_ms` remain, unless it is set again.
  void set_deadline(const ExchangePtr& self, int64_t limit_ms) {
    timer.expires_after(std::chrono::milliseconds(limit_ms));
    // A wait that ran out just as the next was set is not that one.
    timer.async_wait([x = self, limit_ms, mine = ++deadlines](ErrorCode cancelled) {
      if (cancelled || mine != x->deadlines) return;
      x->complete(Error{Errc::timeout, x->url.authority() + " did not answer within " +
                                           std::to_string(limit_ms) + " ms"});
    });
  }

  ClientRequest request;
  std::function<void(int)> on_head;
  OnData on_data;       // set: the body is streamed
  int64_t idle_ms = 0;  // between two pieces of a streamed body
  uint64_t deadlines = 0;
  Url url;
  std::function<void(Result<ClientResponse>)> done;
  tcp::socket socket;
  tcp::resolver resolver;
  asio::steady_timer timer;
};

Error failure(const Exchange& x, const std::string& step, const ErrorCode& error) {
  const bool refused = error == asio::error::connection_refused;
  return {Errc::unavailable,
          "cannot " + step + " " + x.url.authority() + ": " + error.message() +
              (refused ? " (nothing listens there)" : ""),
          error.value()};
}

std::string serialize(const Exchange& x) {
  std::string text = x.request.method + " " + x.url.target +
                     " HTTP/1.1\r\nHost: " + x.url.authority() + "\r\nUser-Agent: nines\r\n" +
                     "Connection: close\r\n";
  for (const auto& [name, value] : x.request.headers) text += name + ": " + value + "\r\n";
  if (x.request.method != "GET") {
    text += "Content-Length: " + std::to_string(x.request.body.size()) + "\r\n";
  }
  return text + "\r\n" + x.request.body;
}

template <class Message>
ClientResponse head_of(const Message& message) {
  ClientResponse response;
  response.status = static_cast<int>(message.result_int());
  response.retry_after = std::string(message[beast::http::field::retry_after]);
  response.date = std::string(message[beast::http::field::date]);
  response.complete = message[kCompleteHeader] != "false";
  response.raised = message.count("X-Amz-Function-Error") > 0;
  return response;
}

// A piece of the body for whom it is for; false: no more is wanted.
bool deliver(Exchange& x, ClientResponse& response, std::string_view piece) {
  if (response.status / 100 == 2) return piece.empty() || x.on_data(piece);
  const size_t room = x.request.max_response_bytes - response.body.size();
  response.body.append(piece.substr(0, room));
  return true;
}

template <class Stream>
asio::awaitable<void> receive_stream(ExchangePtr x, Stream* stream) {
  namespace http = beast::http;
  constexpr size_t kBufferBytes = 16 * 1024;
  ErrorCode error;
  beast::flat_buffer buffer(kBufferBytes);
  http::response_parser<http::buffer_body> parser;
  // Beast 1.74 takes "none" for a limit of nothing where the length is told.
  parser.body_limit(std::numeric_limits<uint64_t>::max());
  co_await http::async_read_header(*stream, buffer, parser,
                                   asio::redirect_error(asio::use_awaitable, error));
  if (error) {
    x->complete(failure(*x, "read the answer of", error));
    co_return;
  }
  ClientResponse response = head_of(parser.get());
  if (x->on_head && x->done) x->on_head(response.status);
  const auto piece = std::make_unique<std::array<char, kBufferBytes>>();
  while (!parser.is_done() && x->done) {
    x->set_deadline(x, x->idle_ms);
    parser.get().body().data = piece->data();
    parser.get().body().size = piece->size();
    co_await http::async_read_some(*stream, buffer, parser,
                                   asio::redirect_error(asio::use_awaitable, error));
    if (!x->done) co_return;                            // the deadline passed, or it was cancelled
    if (error == http::error::need_buffer) error = {};  // the piece is full
    const size_t bytes = piece->size() - parser.get().body().size;
    if (!deliver(*x, response, {piece->data(), bytes})) {
      x->complete(
          Error{Errc::cancelled, "the answer of " + x->url.authority() + " was not wanted"});
      co_return;
    }
    const bool whole = error == asio::ssl::error::stream_truncated && parser.is_done();
    if (error && !whole) {
      x->complete(failure(*x, "read the answer of", error));
      co_return;
    }
  }
  x->complete(std::move(response));
}

template <class Stream>
asio::awaitable<void> converse(ExchangePtr x, Stream* stream) {
  const std::string text = serialize(*x);
  ErrorCode error;
  co_await asio::async_write(*stream, asio::buffer(text),
                             asio::redirect_error(asio::use_awaitable, error));
  if (error) {
    x->complete(failure(*x, "send to", error));
    co_return;
  }
  if (x->streams()) {
    co_await receive_stream(x, stream);
    co_return;
  }
  beast::flat_buffer buffer;
  beast::http::response_parser<beast::http::string_body> parser;
  parser.body_limit(x->request.max_response_bytes);
  // In two steps: Beast 1.74 forgets a body_limit error when body bytes arrive with the header.
  co_await beast::http::async_read_header(*stream, buffer, parser,
                                          asio::redirect_error(asio::use_awaitable, error));
  if (!error) {
    co_await beast::http::async_read(*stream, buffer, parser,
                                     asio::redirect_error(asio::use_awaitable, error));
  }
  // Many servers end TLS without close_notify; a response known to be whole is not harmed by it.
  const bool whole = error == asio::ssl::error::stream_truncated && parser.is_done();
  if (error && !whole) {
    x->complete(failure(*x, "read the answer of", error));
    co_return;
  }
  auto message = parser.release();
  ClientResponse response = head_of(message);
  response.body = std::move(message.body());
  x->complete(std::move(response));
}

// False: told why not.
bool load_certificates(Exchange& x, asio::ssl::context& context) {
  ErrorCode error;
  if (x.request.ca_file.empty())
    context.set_default_verify_paths(error);
  else
    context.load_verify_file(x.request.ca_file, error);
  if (error) {
    x.complete(failure(x, "load the certificate authorities to verify", error));
    return false;
  }
  if (x.request.cert_file.empty()) return true;
  context.use_certificate_chain_file(x.request.cert_file, error);
  if (!error) context.use_private_key_file(x.request.key_file, asio::ssl::context::pem, error);
  if (!error) return true;
  x.complete(failure(x, "load " + x.request.cert_file + " and its key for", error));
  return false;
}

asio::awaitable<void> converse_tls(ExchangePtr x) {
  asio::ssl::context context(asio::ssl::context::tls_client);
  const bool loaded = load_certificates(*x, context);
  if (!loaded) co_return;
  ErrorCode error;
  asio::ssl::stream<tcp::socket&> stream(x->socket, context);
  SSL_set_min_proto_version(stream.native_handle(), TLS1_2_VERSION);
  ErrorCode not_an_address;
  asio::ip::make_address(x->url.host, not_an_address);
  if (not_an_address) {  // an address is no server name (RFC 6066)
    // The macro SSL_set_tlsext_host_name casts in C; this is what it expands to.
    SSL_ctrl(stream.native_handle(), SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name,
             x->url.host.data());
  }
  if (x->request.verify_peer) {
    stream.set_verify_mode(asio::ssl::verify_peer, error);
    stream.set_verify_callback(asio::ssl::host_name_verification(x->url.host), error);
  }
  co_await stream.async_handshake(asio::ssl::stream_base::client,
                                  asio::redirect_error(asio::use_awaitable, error));
  if (error) {
    x->complete(failure(*x, "agree on TLS with", error));
    co_return;
  }
  co_await converse(x, &stream);
}

// A literal address never goes through the resolver, whose thread outlives a deadline.
asio::awaitable<bool> connect(ExchangePtr x) {
  ErrorCode error;
  const auto address =
      asio::ip::make_address(x->url.host == "localhost" ? "127.0.0.1" : x->url.host, error);
  if (!error) {
    const tcp::endpoint endpoint(address, static_cast<uint16_t>(std::stoi(x->url.port)));
    co_await x->socket.async_connect(endpoint, asio::redirect_error(asio::use_awaitable, error));
  } else {
    const auto endpoints = co_await x->resolver.async_resolve(
        x->url.host, x->url.port, asio::redirect_error(asio::use_awaitable, error));
    if (error) {
      x->complete(failure(*x, "find", error));
      co_return false;
    }
    if (!x->done) co_return false;
    co_await asio::async_connect(x->socket, endpoints,
                                 asio::redirect_error(asio::use_awaitable, error));
  }
  if (error) x->complete(failure(*x, "connect to", error));
  co_return !error;
}

// g++ 12 destroys arguments twice where co_await stands inside a condition; hence the plain
// statements.
asio::awaitable<void> run(ExchangePtr x) {
  const bool connected = co_await connect(x);
  if (!connected || !x->done) co_return;  // !done: the deadline passed meanwhile
  if (x->url.tls) {
    co_await converse_tls(x);
  } else {
    co_await converse(x, &x->socket);
  }
}

}  // namespace

namespace {

void start(asio::io_context& io, const ExchangePtr& x) {
  auto url = parse_url(x->request.url);
  if (!url.ok()) {
    asio::post(io, [x, error = url.error()] { x->complete(error); });
    return;
  }
  x->url = std::move(*url);
  x->set_deadline(x, x->request.timeout_ms);
  asio::co_spawn(io, run(x), [x](const std::exception_ptr& thrown) {
    if (thrown)
      x->complete(Error{Errc::unavailable, "the exchange with " + x->url.authority() + " failed"});
  });
}

}  // namespace

void async_fetch(asio::io_context& io, ClientRequest request,
                 std::function<void(Result<ClientResponse>)> done) {
  start(io, std::make_shared<Exchange>(io, std::move(request), std::move(done)));
}

StreamHandle async_stream(asio::io_context& io, StreamRequest request, OnData on_data,
                          std::function<void(Result<ClientResponse>)> done) {
  auto x = std::make_shared<Exchange>(io, std::move(request.request), std::move(done));
  x->on_data = std::move(on_data);
  x->on_head = std::move(request.on_head);
  x->idle_ms = request.idle_ms;
  start(io, x);
  return StreamHandle([weak = std::weak_ptr<Exchange>(x)] {
    const auto exchange = weak.lock();
    if (!exchange) return;
    exchange->abandon();
  });
}

Result<ClientResponse> fetch(const ClientRequest& request) {
  asio::io_context io(1);
  std::optional<Result<ClientResponse>> result;
  async_fetch(io, request, [&](Result<ClientResponse> r) { result.emplace(std::move(r)); });
  while (!result && io.run_one() != 0) {
  }
  if (!result) return Error{Errc::unavailable, "the exchange ended without an answer"};
  return std::move(*result);
}

Result<std::string> fetch_json(const std::string& url, int64_t timeout_ms) {
  ClientRequest request;
  request.url = url;
  request.timeout_ms = timeout_ms;
  request.headers.emplace_back("Accept", "application/json");
  auto response = fetch(request);
  if (!response.ok()) return response.error();
  if (response->status != 200) {
    return Error{Errc::unavailable, url + " answers " + std::to_string(response->status) + ": " +
                                        response->body.substr(0, 300)};
  }
  return std::move(response->body);
}

}  // namespace nines::agent::http
