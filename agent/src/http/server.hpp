// HttpServer: GET and HEAD (and what writes, for an AsyncHandler) over plain HTTP/1.1 on the
// control io_context, with every limit declared. Handlers run on that thread and must not block. A
// client that is slow, silent or sends too much is closed; none of them can hold more than one of
// max_connections places for longer than idle_ms, but for a stream that it reads.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "http/message.hpp"
#include "nines/base/result.hpp"

namespace boost::asio {
class io_context;
}

namespace nines::agent::http {

struct ServerOptions {
  std::string listen = "127.0.0.1:9990";  // host:port, [v6]:port; port 0: any free one
  bool allow_non_loopback = false;        // law 9: without TLS and a credential only loopback
  size_t max_connections = 64;            // beyond: 503 and closed, counted
  size_t max_header_bytes = 8 * 1024;
  size_t max_body_bytes = 64 * 1024;
  int64_t idle_ms = 15'000;  // for a whole request to arrive, and for a response to be taken
  // A stream with nothing to say says so this often, which is how a client that is gone is noticed.
  int64_t heartbeat_ms = 15'000;
};

struct ServerStats {
  uint64_t requests = 0, errors = 0;  // errors: answered with 4xx or 5xx
  uint64_t refused_connections = 0, timeouts = 0;
  size_t connections = 0;
};

class HttpServer {
 public:
  // Listens at once; serves while `io` runs. The server must be destroyed (or stopped) on the
  // thread of `io`, before `io`.
  static Result<std::unique_ptr<HttpServer>> start(boost::asio::io_context& io,
                                                   const ServerOptions& options, Handler handler);
  // The same with POST, PUT, PATCH, DELETE and OPTIONS. An answer that has not come after idle_ms
  // becomes a 503.
  static Result<std::unique_ptr<HttpServer>> start(boost::asio::io_context& io,
                                                   const ServerOptions& options,
                                                   AsyncHandler handler);
  ~HttpServer();

  // "http://127.0.0.1:9990"
  std::string url() const;
  uint16_t port() const;
  ServerStats stats() const;
  // Closes the listener and every connection.
  void stop();

 private:
  struct Impl;
  explicit HttpServer(std::shared_ptr<Impl> impl);
  static Result<std::unique_ptr<HttpServer>> listen(std::shared_ptr<Impl> impl);
  std::shared_ptr<Impl> impl_;
};

}  // namespace nines::agent::http
