// The driver of an SmtpSession over a socket, with TLS from the start or from the middle.
#include <boost/asio/ssl.hpp>
#include <memory>

#include "net/asio.hpp"
#include "notify/smtp.hpp"

namespace nines::agent::notify {
namespace {

namespace asio = boost::asio;
using net::ErrorCode;
using net::tcp;
using Need = SmtpSession::Need;

struct Sending;
using SendingPtr = std::shared_ptr<Sending>;

// The deadline completes the caller even where name resolution cannot be interrupted.
struct Sending {
  Sending(asio::io_context& io, SmtpServer to, SmtpMail what,
          std::function<void(Result<SmtpResult>)> tell)
      : server(std::move(to)),
        mail(std::move(what)),
        session(server, mail),
        done(std::move(tell)),
        socket(io),
        resolver(io),
        timer(io) {}

  void complete(Result<SmtpResult> result) {
    if (!done) return;
    const auto tell = std::exchange(done, nullptr);
    timer.cancel();
    ErrorCode ignored;
    socket.close(ignored);
    resolver.cancel();
    tell(std::move(result));
  }

  void failed(const std::string& step, const ErrorCode& error) {
    if (session.decided()) return complete(session.result());
    complete(
        Error{Errc::unavailable,
              "cannot " + step + " " + server.host + ":" + server.port + ": " + error.message(),
              error.value()});
  }

  SmtpServer server;
  SmtpMail mail;
  SmtpSession session;
  std::function<void(Result<SmtpResult>)> done;
  tcp::socket socket;
  tcp::resolver resolver;
  asio::steady_timer timer;
};

// Until the session ends (true), or wants TLS (false).
template <class Stream>
asio::awaitable<bool> converse(SendingPtr x, Stream* stream) {
  ErrorCode error;
  std::array<char, 4096> buffer;
  while (x->done && x->session.need() != Need::end) {
    if (x->session.need() == Need::handshake) co_return false;
    if (x->session.need() == Need::write) {
      const std::string text = x->session.take_output();
      co_await asio::async_write(*stream, asio::buffer(text),
                                 asio::redirect_error(asio::use_awaitable, error));
      if (error) x->failed("send to", error);
      continue;
    }
    const size_t bytes = co_await stream->async_read_some(
        asio::buffer(buffer), asio::redirect_error(asio::use_awaitable, error));
    if (error) {
      x->failed("read from", error);
    } else {
      x->session.feed({buffer.data(), bytes});
    }
  }
  co_return true;
}

asio::awaitable<void> converse_tls(SendingPtr x) {
  asio::ssl::context context(asio::ssl::context::tls_client);
  ErrorCode error;
  if (x->server.ca_file.empty()) {
    context.set_default_verify_paths(error);
  } else {
    context.load_verify_file(x->server.ca_file, error);
  }
  if (error) {
    x->failed("load the certificate authorities to verify", error);
    co_return;
  }
  asio::ssl::stream<tcp::socket&> stream(x->socket, context);
  SSL_set_min_proto_version(stream.native_handle(), TLS1_2_VERSION);
  ErrorCode not_an_address;
  asio::ip::make_address(x->server.host, not_an_address);
  if (not_an_address) {
    // The macro SSL_set_tlsext_host_name casts in C; this is what it expands to.
    SSL_ctrl(stream.native_handle(), SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name,
             x->server.host.data());
  }
  stream.set_verify_mode(asio::ssl::verify_peer, error);
  stream.set_verify_callback(asio::ssl::host_name_verification(x->server.host), error);
  co_await stream.async_handshake(asio::ssl::stream_base::client,
                                  asio::redirect_error(asio::use_awaitable, error));
  if (error) {
    x->failed("agree on TLS with", error);
    co_return;
  }
  if (x->session.need() == Need::handshake) x->session.handshaken();
  const bool ended = co_await converse(x, &stream);
  if (ended && x->done) x->complete(x->session.result());
}

asio::awaitable<bool> connect(SendingPtr x) {
  ErrorCode error;
  const std::string host = x->server.host == "localhost" ? "127.0.0.1" : x->server.host;
  const auto address = asio::ip::make_address(host, error);
  if (!error) {
    const tcp::endpoint endpoint(address, static_cast<uint16_t>(std::stoi(x->server.port)));
    co_await x->socket.async_connect(endpoint, asio::redirect_error(asio::use_awaitable, error));
  } else {
    const auto endpoints = co_await x->resolver.async_resolve(
        x->server.host, x->server.port, asio::redirect_error(asio::use_awaitable, error));
    if (!error && x->done) {
      co_await asio::async_connect(x->socket, endpoints,
                                   asio::redirect_error(asio::use_awaitable, error));
    }
  }
  if (error) x->failed("connect to", error);
  co_return !error;
}

asio::awaitable<void> run(SendingPtr x) {
  const bool connected = co_await connect(x);
  if (!connected || !x->done) co_return;
  if (x->server.tls != SmtpServer::Tls::implicit) {
    const bool ended = co_await converse(x, &x->socket);
    if (ended) {
      if (x->done) x->complete(x->session.result());
      co_return;
    }
  }
  co_await converse_tls(x);
}

}  // namespace

void async_send_mail(asio::io_context& io, SmtpServer server, SmtpMail mail,
                     std::function<void(Result<SmtpResult>)> done) {
  auto x = std::make_shared<Sending>(io, std::move(server), std::move(mail), std::move(done));
  const int64_t limit_ms = x->server.timeout_ms;
  x->timer.expires_after(std::chrono::milliseconds(limit_ms));
  x->timer.async_wait([x, limit_ms](ErrorCode cancelled) {
    if (cancelled) return;
    if (x->session.decided()) return x->complete(x->session.result());
    x->complete(Error{Errc::timeout, x->server.host + ":" + x->server.port +
                                         " did not end the dialogue within " +
                                         std::to_string(limit_ms) + " ms"});
  });
  asio::co_spawn(io, run(x), [x](const std::exception_ptr& thrown) {
    if (thrown)
      x->complete(Error{Errc::unavailable, "the dialogue with " + x->server.host + " failed"});
  });
}

}  // namespace nines::agent::notify
