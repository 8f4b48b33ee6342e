#include "peer/wire.hpp"

#include <netinet/tcp.h>

#include <chrono>

namespace nines::peer {
namespace {

constexpr int kKeepIdleS = 10, kKeepEveryS = 5, kKeepTries = 4;

template <int kName>
using TcpOption = asio::detail::socket_option::integer<IPPROTO_TCP, kName>;

}  // namespace

Result<HostPort> split_address(const std::string& text) {
  const size_t colon = text.rfind(':');
  HostPort address;
  if (colon != std::string::npos) {
    address = {text.substr(0, colon), text.substr(colon + 1)};
    if (address.host.size() > 2 && address.host.front() == '[' && address.host.back() == ']') {
      address.host = address.host.substr(1, address.host.size() - 2);
    }
  }
  const bool port = !address.port.empty() && address.port.size() <= 5 &&
                    address.port.find_first_not_of("0123456789") == std::string::npos &&
                    std::stoi(address.port) <= 65535;
  if (address.host.empty() || !port) {
    return Error{Errc::invalid_argument,
                 "'" + text +
                     "' is no address of a peer; expected host:port, for example "
                     "node-2.example.org:9991 or [fd00::2]:9991"};
  }
  return address;
}

std::string to_text(const tcp::endpoint& endpoint) {
  const std::string host = endpoint.address().to_string();
  return (endpoint.address().is_v6() ? "[" + host + "]" : host) + ":" +
         std::to_string(endpoint.port());
}

Result<tcp::endpoint> to_endpoint(const std::string& text) {
  NINES_TRY(const HostPort parts, split_address(text));
  ErrorCode error;
  const auto address =
      asio::ip::make_address(parts.host == "localhost" ? "127.0.0.1" : parts.host, error);
  if (error) return Error{Errc::invalid_argument, "'" + parts.host + "' is not an IP address"};
  return tcp::endpoint(address, static_cast<uint16_t>(std::stoi(parts.port)));
}

std::string remote_host(const tcp::socket& socket) {
  ErrorCode error;
  const auto endpoint = socket.remote_endpoint(error);
  return error ? std::string() : endpoint.address().to_string();
}

std::string remote_text(const tcp::socket& socket) {
  ErrorCode error;
  const auto endpoint = socket.remote_endpoint(error);
  return error ? std::string("gone") : to_text(endpoint);
}

void set_link_options(tcp::socket& socket, int user_timeout_ms) {
  ErrorCode ignored;
  socket.set_option(tcp::no_delay(true), ignored);
  socket.set_option(TcpOption<TCP_USER_TIMEOUT>(user_timeout_ms), ignored);
}

void set_stream_options(tcp::socket& socket) {
  ErrorCode ignored;
  socket.set_option(tcp::no_delay(true), ignored);
  socket.set_option(TcpOption<TCP_USER_TIMEOUT>(0), ignored);
  socket.set_option(asio::socket_base::keep_alive(true), ignored);
  socket.set_option(TcpOption<TCP_KEEPIDLE>(kKeepIdleS), ignored);
  socket.set_option(TcpOption<TCP_KEEPINTVL>(kKeepEveryS), ignored);
  socket.set_option(TcpOption<TCP_KEEPCNT>(kKeepTries), ignored);
}

CutOff::CutOff(asio::io_context& io, const WirePtr& wire, int64_t ms)
    : armed_(std::make_shared<bool>(true)), timer_(io) {
  timer_.expires_after(std::chrono::milliseconds(ms));
  timer_.async_wait([armed = armed_, weak = std::weak_ptr<Wire>(wire)](ErrorCode cancelled) {
    const auto late = weak.lock();
    if (cancelled || !*armed || !late) return;
    ErrorCode ignored;
    late->socket.close(ignored);
  });
}

}  // namespace nines::peer
