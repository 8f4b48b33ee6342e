// HTTP/1.1 client for what the agent tells (webhooks) and what the command line asks it: one
// request a connection, http and https (the peer's certificate and name are verified), one deadline
// over the whole exchange including name resolution, a bounded response. Redirects are not
// followed.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "nines/base/result.hpp"

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
};

struct ClientResponse {
  int status = 0;
  std::string body;
  std::string retry_after;  // headers as sent, for retry_after_ms()
  std::string date;
};

// Milliseconds that Retry-After asks for: seconds, or an HTTP date measured against the response's
// own Date header, so that no clock of ours takes part. nullopt: absent or not understood.
std::optional<int64_t> retry_after_ms(const ClientResponse& response);

// Calls `done` once on the thread of `io`, at the latest after timeout_ms.
void async_fetch(boost::asio::io_context& io, ClientRequest request,
                 std::function<void(Result<ClientResponse>)> done);

// Blocking.
Result<ClientResponse> fetch(const ClientRequest& request);
// GET that must answer 200; the body is returned as text.
Result<std::string> fetch_json(const std::string& url, int64_t timeout_ms);

}  // namespace nines::agent::http
