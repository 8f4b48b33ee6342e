// HTTP/1.1 client for what the agent tells (webhooks) and what the command line asks it: one
// request a connection, http and https (the peer's certificate and name are verified), one deadline
// over the whole exchange including name resolution, a bounded response (or a streamed one, with a
// deadline for silence instead). Redirects are not followed.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "nines/base/result.hpp"
#include "nines/base/time.hpp"

namespace boost::asio {
class io_context;
}

namespace nines::agent::http {

struct Url {
  bool tls = false;
  std::string host;               // without brackets
  std::string port;               // digits
  std::string target;             // path and query, starts with '/'
  std::string authority() const;  // for the Host header
};
// http:// or https:// only; user:password@ and fragments are refused.
Result<Url> parse_url(const std::string& text);

struct ClientRequest {
  std::string method = "GET";
  std::string url;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
  int64_t timeout_ms = 5000;
  size_t max_response_bytes = 16 * 1024 * 1024;
  std::string ca_file;  // PEM; empty: the system's authorities
  bool verify_peer = true;
  std::string cert_file, key_file;  // PEM, for receivers that ask who we are; read each time
};

struct ClientResponse {
  int status = 0;
  std::string body;
  std::string retry_after;  // headers as sent, for retry_after_ms()
  std::string date;
  bool complete = true;  // false: an agent says that the answer lacks something
  bool raised = false;   // X-Amz-Function-Error: a function of AWS Lambda that failed answers 200
};

// Milliseconds that Retry-After asks for: seconds, or an HTTP date measured against the response's
// own Date header, so that no clock of ours takes part. nullopt: absent or not understood.
std::optional<int64_t> retry_after_ms(const ClientResponse& response);

// What the answering machine's clock showed, in whole seconds.
std::optional<WallTime> date_of(const ClientResponse& response);

// Calls `done` once on the thread of `io`, at the latest after timeout_ms.
void async_fetch(boost::asio::io_context& io, ClientRequest request,
                 std::function<void(Result<ClientResponse>)> done);

// An answer that comes bit by bit and may not end for minutes (a watch): nothing of it is kept.
struct StreamRequest {
  ClientRequest request;                    // its timeout_ms holds until the header has come
  int64_t idle_ms = 60'000;                 // after which silence counts as a broken connection
  std::function<void(int status)> on_head;  // may be empty
};
// Bytes of the body of a 2xx answer; false ends the exchange.
using OnData = std::function<bool(std::string_view)>;

// Ends a streamed exchange: its `done` is not called any more. Safe after the end.
class StreamHandle {
 public:
  StreamHandle() = default;
  explicit StreamHandle(std::function<void()> cancel) : cancel_(std::move(cancel)) {}
  void cancel() {
    if (const auto cancel = std::exchange(cancel_, nullptr)) cancel();
  }

 private:
  std::function<void()> cancel_;
};

// Calls `on_data` as bytes come and `done` once, on the thread of `io`. The response holds the body
// of an answer that is not 2xx, up to max_response_bytes of the request, and none otherwise. An
// answer cut short, or ended by on_data (`cancelled`), is an error.
StreamHandle async_stream(boost::asio::io_context& io, StreamRequest request, OnData on_data,
                          std::function<void(Result<ClientResponse>)> done);

// Blocking.
Result<ClientResponse> fetch(const ClientRequest& request);
// GET that must answer 200; the body is returned as text.
Result<std::string> fetch_json(const std::string& url, int64_t timeout_ms);

}  // namespace nines::agent::http
