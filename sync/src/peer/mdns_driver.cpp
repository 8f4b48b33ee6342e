#include "nines/peer/mdns_driver.hpp"

#include "nines/net/asio.hpp"
// After it: <utility> comes first.
#include <ifaddrs.h>
#include <linux/if.h>
#include <netinet/in.h>

#include <algorithm>
#include <array>
#include <boost/asio/ip/multicast.hpp>
#include <boost/asio/ip/udp.hpp>
#include <chrono>
#include <cstring>
#include <set>

namespace nines::peer {
namespace {

namespace asio = boost::asio;
using asio::ip::udp;
using ErrorCode = boost::system::error_code;

constexpr uint16_t kPort = 5353;
constexpr std::array<uint8_t, 4> kGroup = {224, 0, 0, 251};
constexpr auto kTick = std::chrono::milliseconds(500);
constexpr int kTicksPerLook = 20;  // networks come and go

// Of networks that take multicast, without loopback.
std::vector<Mdns::Address> addresses_here() {
  std::vector<Mdns::Address> out;
  ifaddrs* list = nullptr;
  if (::getifaddrs(&list) != 0) return out;
  for (const ifaddrs* one = list; one != nullptr; one = one->ifa_next) {
    if (one->ifa_addr == nullptr || one->ifa_addr->sa_family != AF_INET) continue;
    const unsigned flags = one->ifa_flags;
    if ((flags & IFF_UP) == 0 || (flags & IFF_LOOPBACK) != 0 || (flags & IFF_MULTICAST) == 0) {
      continue;
    }
    sockaddr_in address{};
    std::memcpy(&address, one->ifa_addr, sizeof address);
    Mdns::Address bytes{};
    std::memcpy(bytes.data(), &address.sin_addr, bytes.size());
    out.push_back(bytes);
  }
  ::freeifaddrs(list);
  std::sort(out.begin(), out.end());
  return out;
}

}  // namespace

struct MdnsDriver::Impl : std::enable_shared_from_this<Impl> {
  Impl(asio::io_context& io, const Clock& given, MdnsSettings settings, OnFound on_found)
      : clock(given),
        node(std::move(settings), given.mono()),
        socket(io),
        timer(io),
        found(std::move(on_found)) {}

  Status open() {
    ErrorCode error;
    socket.open(udp::v4(), error);
    if (!error) socket.set_option(udp::socket::reuse_address(true), error);
    using ReusePort = asio::detail::socket_option::boolean<SOL_SOCKET, SO_REUSEPORT>;
    if (!error) socket.set_option(ReusePort(true), error);
    if (!error) socket.bind({asio::ip::address_v4::any(), kPort}, error);
    if (!error) socket.set_option(asio::ip::multicast::enable_loopback(true), error);
    if (!error) socket.set_option(asio::ip::multicast::hops(255), error);  // RFC 6762, 11
    if (!error) socket.non_blocking(true, error);
    if (error) {
      return Error{Errc::io,
                   "multicast DNS: UDP port " + std::to_string(kPort) + ": " + error.message() +
                       "; name the peers in nodes instead, or turn mdns off",
                   error.value()};
    }
    look();
    return Ok{};
  }

  // Joins the group where it is new.
  void look() {
    std::vector<Mdns::Address> here = addresses_here();
    for (const Mdns::Address& address : here) {
      if (!joined.insert(address).second) continue;
      ErrorCode ignored;  // joined already, by another address of the same network
      socket.set_option(asio::ip::multicast::join_group(asio::ip::address_v4(kGroup),
                                                        asio::ip::address_v4(address)),
                        ignored);
    }
    std::erase_if(joined, [&](const Mdns::Address& address) {
      return !std::binary_search(here.begin(), here.end(), address);
    });
    node.set_addresses(std::move(here), clock.mono());
  }

  void send() {
    for (const std::string& datagram : node.take()) {
      for (const Mdns::Address& from : joined) {
        ErrorCode ignored;  // a network that is gone is found gone by look()
        socket.set_option(asio::ip::multicast::outbound_interface(asio::ip::address_v4(from)),
                          ignored);
        socket.send_to(asio::buffer(datagram), {asio::ip::address_v4(kGroup), kPort}, 0, ignored);
      }
    }
  }

  void tell() {
    auto now = node.found(clock.mono());
    if (now == told) return;
    told = std::move(now);
    if (found) found(told);
  }

  void receive() {
    socket.async_receive_from(
        asio::buffer(buffer), sender,
        [self = shared_from_this()](const ErrorCode& error, size_t size) {
          if (self->closed || error == asio::error::operation_aborted) return;
          // Only of this link: routers let no such datagram through, but unicast ones.
          if (!error) self->node.received({self->buffer.data(), size}, self->clock.mono());
          self->send();
          self->tell();
          self->receive();
        });
  }

  void tick() {
    timer.expires_after(kTick);
    timer.async_wait([self = shared_from_this()](const ErrorCode& error) {
      if (self->closed || error) return;
      if (++self->ticks % kTicksPerLook == 0) self->look();
      self->node.tick(self->clock.mono());
      self->send();
      self->tell();
      self->tick();
    });
  }

  void close() {
    node.leave();
    send();
    closed = true;
    ErrorCode ignored;
    socket.close(ignored);
    timer.cancel();
  }

  const Clock& clock;
  Mdns node;
  udp::socket socket;
  asio::steady_timer timer;
  OnFound found;
  std::set<Mdns::Address> joined;
  std::vector<std::string> told;
  std::array<char, 9000> buffer{};
  udp::endpoint sender;
  int ticks = 0;
  bool closed = false;
};

MdnsDriver::MdnsDriver(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}
MdnsDriver::~MdnsDriver() { impl_->close(); }

const Mdns& MdnsDriver::node() const { return impl_->node; }

Result<std::unique_ptr<MdnsDriver>> MdnsDriver::start(asio::io_context& io, const Clock& clock,
                                                      MdnsSettings settings, OnFound found) {
  auto impl = std::make_shared<Impl>(io, clock, std::move(settings), std::move(found));
  NINES_CHECK(impl->open());
  impl->receive();
  impl->tick();
  return std::unique_ptr<MdnsDriver>(new MdnsDriver(std::move(impl)));
}

}  // namespace nines::peer
