// Where syslog listens: URIs and the sockets made of them.
#pragma once

#include <string>

#include "file/fs.hpp"
#include "nines/base/result.hpp"

struct sockaddr_storage;

namespace nines::collector {

struct SyslogListener {
  UniqueFd fd;
  std::string uri;        // with the port that the kernel chose, when it was 0
  std::string unix_path;  // empty: not a socket file
  FileStat made;          // the socket file that is ours
  bool datagrams = false;
};
Result<SyslogListener> listen_for_syslog(const std::string& uri, size_t rcvbuf_bytes);
// Removes our socket file, unless it was replaced.
void remove_socket_file(const SyslogListener& listener) noexcept;
// "syslog+tcp://10.0.0.7"; IPv6 in brackets, IPv4 plain also on a socket for both.
std::string peer_path(const SyslogListener& listener, const sockaddr_storage& address);

}  // namespace nines::collector
