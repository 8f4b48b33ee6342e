#include "http/client.hpp"

#include <boost/asio/ssl.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <memory>

#include "net/asio.hpp"

namespace nines::agent::http {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
using net::ErrorCode;
using net::tcp;

// One exchange. Its deadline completes the caller even where the operating system cannot be
// interrupted (name resolution); what comes later is ignored.
struct Exchange {
  Exchange(asio::io_context& io, ClientRequest what,
           std::function<void(Result<ClientResponse>)> tell)
      : request(std::move(what)), done(std::move(tell)), socket(io), resolver(io), timer(io) {}

  void complete(Result<ClientResponse> result) {
    if (!done) return;
    const auto tell = std::exchange(done, nullptr);
    timer.cancel();
    ErrorCode ignored;
    socket.close(ignored);
    resolver.cancel();
    tell(std::move(result));
  }

  ClientRequest request;
  Url url;
  std::function<void(Result<ClientResponse>)> done;
  tcp::socket socket;
  tcp::resolver resolver;
  asio::steady_timer timer;
};
using ExchangePtr = std::shared_ptr<Exchange>;

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
  ClientResponse response;
  response.status = static_cast<int>(message.result_int());
  response.retry_after = std::string(message[beast::http::field::retry_after]);
  response.date = std::string(message[beast::http::field::date]);
  response.body = std::move(message.body());
  x->complete(std::move(response));
}

asio::awaitable<void> converse_tls(ExchangePtr x) {
  asio::ssl::context context(asio::ssl::context::tls_client);
  ErrorCode error;
  if (x->request.ca_file.empty())
    context.set_default_verify_paths(error);
  else
    context.load_verify_file(x->request.ca_file, error);
  if (error) {
    x->complete(failure(*x, "load the certificate authorities to verify", error));
    co_return;
  }
  asio::ssl::stream<tcp::socket&> stream(x->socket, context);
  SSL_set_min_proto_version(stream.native_handle(), TLS1_2_VERSION);
  // The macro SSL_set_tlsext_host_name casts in C; this is what it expands to.
  SSL_ctrl(stream.native_handle(), SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name,
           x->url.host.data());
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

void async_fetch(asio::io_context& io, ClientRequest request,
                 std::function<void(Result<ClientResponse>)> done) {
  auto url = parse_url(request.url);
  auto x = std::make_shared<Exchange>(io, std::move(request), std::move(done));
  if (!url.ok()) {
    asio::post(io, [x, error = url.error()] { x->complete(error); });
    return;
  }
  x->url = std::move(*url);
  x->timer.expires_after(std::chrono::milliseconds(x->request.timeout_ms));
  x->timer.async_wait([x](ErrorCode cancelled) {
    if (cancelled) return;
    x->complete(Error{Errc::timeout, x->url.authority() + " did not answer within " +
                                         std::to_string(x->request.timeout_ms) + " ms"});
  });
  asio::co_spawn(io, run(x), [x](const std::exception_ptr& thrown) {
    if (thrown)
      x->complete(Error{Errc::unavailable, "the exchange with " + x->url.authority() + " failed"});
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
