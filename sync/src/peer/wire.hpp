// A TCP connection between nodes, with or without TLS on it, and the addresses of such.
#pragma once

#include "nines/net/asio.hpp"
// After it: <utility> comes first.
#include <boost/asio/ssl.hpp>
#include <memory>
#include <optional>
#include <string>

#include "nines/base/result.hpp"
#include "nines/base/time.hpp"

namespace nines::peer {

namespace asio = boost::asio;
using ErrorCode = boost::system::error_code;
using tcp = asio::ip::tcp;
using Tls = asio::ssl::stream<tcp::socket&>;

struct Wire {
  explicit Wire(asio::io_context& io) : socket(io) {}
  tcp::socket socket;
  std::shared_ptr<asio::ssl::context> context;
  std::optional<Tls> tls;
};
using WirePtr = std::shared_ptr<Wire>;

struct HostPort {
  std::string host, port;
};
Result<HostPort> split_address(const std::string& text);
std::string to_text(const tcp::endpoint& endpoint);
// Only of addresses that need no looking up.
Result<tcp::endpoint> to_endpoint(const std::string& text);
// "10.0.0.7", "" when it is not connected (any more).
std::string remote_host(const tcp::socket& socket);
std::string remote_text(const tcp::socket& socket);

// For links of peers, where each side hears the other every few seconds: unacknowledged bytes mean
// that the link is dead.
void set_link_options(tcp::socket& socket, int user_timeout_ms);
// For streams of queries. No TCP_USER_TIMEOUT: Linux counts the time that a reader keeps its window
// closed (a query piped into a pager) as unacknowledged. Who writes has a deadline; who waits to
// read is told by keep-alive within half a minute.
void set_stream_options(tcp::socket& socket);

// Closes the socket when its time is over, unless this has gone before.
class CutOff {
 public:
  CutOff(asio::io_context& io, const WirePtr& wire, int64_t ms);
  ~CutOff() { *armed_ = false; }
  CutOff(const CutOff&) = delete;
  CutOff& operator=(const CutOff&) = delete;

 private:
  std::shared_ptr<bool> armed_;
  asio::steady_timer timer_;
};

}  // namespace nines::peer
