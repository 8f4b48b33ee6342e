// A TCP connection to this machine without any manners.
#pragma once

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cerrno>
#include <string>
#include <string_view>

namespace nines::peer::test {

class RawSocket {
 public:
  // From another address of loopback's, as another machine would.
  explicit RawSocket(uint16_t port, uint32_t from = INADDR_ANY)
      : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in own{};
    own.sin_family = AF_INET;
    own.sin_addr.s_addr = htonl(from);
    const void* const at = &own;
    REQUIRE(::bind(socket_, static_cast<const sockaddr*>(at), sizeof own) == 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const timeval limit{10, 0};
    ::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    const void* const to = &address;
    REQUIRE(::connect(socket_, static_cast<const sockaddr*>(to), sizeof address) == 0);
  }
  ~RawSocket() { ::close(socket_); }
  RawSocket(const RawSocket&) = delete;
  RawSocket& operator=(const RawSocket&) = delete;

  void say(std::string_view bytes) {
    CHECK(::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL) ==
          static_cast<ssize_t>(bytes.size()));
  }
  std::string hear(size_t size) {
    std::string text(size, '\0');
    const ssize_t got = ::recv(socket_, text.data(), size, MSG_WAITALL);
    text.resize(got > 0 ? static_cast<size_t>(got) : 0);
    return text;
  }
  bool is_hung_up() {
    char byte = 0;
    ssize_t got = 1;
    while (got > 0) got = ::recv(socket_, &byte, 1, 0);
    return got == 0 || errno == ECONNRESET;
  }

 private:
  int socket_;
};

}  // namespace nines::peer::test
