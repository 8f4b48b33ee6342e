// Real sockets for the HTTP tests: a server under test on its own thread, and a raw client that can
// misbehave. No test waits for wall time: every read ends by data, by close or by a generous guard.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <chrono>
#include <future>
#include <string>
#include <thread>

#include "http/server.hpp"
#include "net/asio.hpp"

namespace nines::agent::test {

class RunningServer {
 public:
  template <class AnyHandler>  // http::Handler or http::AsyncHandler
  RunningServer(http::ServerOptions options, AnyHandler handler) {
    options.listen = "127.0.0.1:0";
    auto started = http::HttpServer::start(io_, options, std::move(handler));
    REQUIRE(started.ok());
    server_ = std::move(*started);
    port_ = server_->port();
    url_ = server_->url();
    thread_ = std::thread([this] { io_.run(); });
  }
  ~RunningServer() {
    boost::asio::post(io_, [this] { server_.reset(); });
    thread_.join();
  }
  uint16_t port() const { return port_; }
  const std::string& url() const { return url_; }
  boost::asio::io_context& io() { return io_; }
  http::ServerStats stats() {
    std::promise<http::ServerStats> promise;
    auto result = promise.get_future();
    boost::asio::post(io_, [&] { promise.set_value(server_->stats()); });
    return result.get();
  }
  // A client may see its connection closed before the server's coroutine has run on to count it:
  // asks until `done` is content, for 10 s at most.
  template <typename Condition>
  http::ServerStats stats_when(Condition done) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    http::ServerStats now = stats();
    while (!done(now) && std::chrono::steady_clock::now() < deadline) now = stats();
    return now;
  }

 private:
  boost::asio::io_context io_{1};
  std::unique_ptr<http::HttpServer> server_;
  uint16_t port_ = 0;
  std::string url_;
  std::thread thread_;
};

class RawClient {
 public:
  explicit RawClient(uint16_t port) : fd_(::socket(AF_INET, SOCK_STREAM, 0)) {
    const timeval guard{20, 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &guard, sizeof guard);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connected_ = ::connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
  }
  ~RawClient() { ::close(fd_); }
  RawClient(const RawClient&) = delete;
  RawClient& operator=(const RawClient&) = delete;

  bool connected() const { return connected_; }
  bool send(std::string_view text) {
    return ::send(fd_, text.data(), text.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(text.size());
  }
  // Until the text is there or the server closes.
  std::string read_until(std::string_view end) {
    char buffer[4096];
    while (end.empty() || received_.find(end) == std::string::npos) {
      const ssize_t n = ::recv(fd_, buffer, sizeof buffer, 0);
      if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
        FAIL("the server neither answers nor closes");
      if (n <= 0) break;
      received_.append(buffer, static_cast<size_t>(n));
    }
    return std::exchange(received_, {});
  }
  std::string read_to_close() { return read_until(""); }

 private:
  int fd_;
  bool connected_ = false;
  std::string received_;
};

}  // namespace nines::agent::test
