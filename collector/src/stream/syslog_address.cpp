#include "stream/syslog_address.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstring>
#include <utility>

namespace nines::collector {
namespace {

struct Address {
  sockaddr_storage storage{};
  socklen_t size = 0;
  bool any = false;  // both families
  sockaddr* get() noexcept { return static_cast<sockaddr*>(static_cast<void*>(&storage)); }
};

template <class T>
T& as(sockaddr_storage& storage) noexcept {
  return *static_cast<T*>(static_cast<void*>(&storage));
}
template <class T>
const T& as(const sockaddr_storage& storage) noexcept {
  return *static_cast<const T*>(static_cast<const void*>(&storage));
}

const char* way_out(int error) noexcept {
  switch (error) {
    case EACCES:
    case EPERM:
      return "; a port below 1024 needs CAP_NET_BIND_SERVICE (take 5514, say), a path a directory "
             "that we may write to";
    case EADDRINUSE: return "; another program listens there: ss -lntuxp shows which";
    case EADDRNOTAVAIL: return "; no interface has this address: leave HOST empty for all";
    case ENOENT: return "; its directory does not exist";
    case EAFNOSUPPORT: return "; this kernel has no such address family (IPv6 switched off?)";
    case EMFILE:
    case ENFILE: return "; out of descriptors: raise ulimit -n (LimitNOFILE)";
    default: return "";
  }
}

Error refused(const std::string& uri, int error) {
  return Error{Errc::io, "cannot listen on " + uri + ": " + std::strerror(error) + way_out(error),
               error};
}

Error malformed(const std::string& uri) {
  return Error{Errc::invalid_argument,
               "syslog: " + uri +
                   " is none of udp://HOST:PORT, tcp://HOST:PORT, unix:///PATH, "
                   "unix-stream:///PATH; HOST is an address, localhost, or empty or * for any",
               0};
}

bool parse_port(std::string_view text, uint16_t& out) noexcept {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  return error == std::errc{} && end == text.data() + text.size();
}

void set_ipv6(Address& out, const in6_addr& host, uint16_t port) noexcept {
  auto& v6 = as<sockaddr_in6>(out.storage);
  v6.sin6_family = AF_INET6;
  v6.sin6_addr = host;
  v6.sin6_port = htons(port);
  out.size = sizeof v6;
}

void set_ipv4(Address& out, in_addr host, uint16_t port) noexcept {
  out = {};
  auto& v4 = as<sockaddr_in>(out.storage);
  v4.sin_family = AF_INET;
  v4.sin_addr = host;
  v4.sin_port = htons(port);
  out.size = sizeof v4;
}

bool parse_inet(std::string_view text, Address& out) {
  const size_t colon = text.rfind(':');
  uint16_t port = 0;
  if (colon == std::string_view::npos || !parse_port(text.substr(colon + 1), port)) return false;
  std::string host(text.substr(0, colon));
  if (host.empty() || host == "*") {
    out.any = true;
    set_ipv6(out, in6addr_any, port);
    return true;
  }
  if (host == "localhost") host = "127.0.0.1";
  in_addr v4{};
  in6_addr v6{};
  if (::inet_pton(AF_INET, host.c_str(), &v4) == 1) {
    set_ipv4(out, v4, port);
    return true;
  }
  if (host.size() < 3 || host.front() != '[' || host.back() != ']') return false;
  if (::inet_pton(AF_INET6, host.substr(1, host.size() - 2).c_str(), &v6) != 1) return false;
  set_ipv6(out, v6, port);
  return true;
}

int make_socket(int family, bool datagrams) noexcept {
  const int type = (datagrams ? SOCK_DGRAM : SOCK_STREAM) | SOCK_NONBLOCK | SOCK_CLOEXEC;
  return ::socket(family, type, 0);
}

void set_option(int fd, int level, int name, int value) noexcept {
  (void)::setsockopt(fd, level, name, &value, sizeof value);
}

int bind_once(SyslogListener& out, Address& address) noexcept {
  const int family = address.storage.ss_family;
  out.fd.reset(make_socket(family, out.datagrams));
  if (!out.fd.valid()) return errno;
  if (family == AF_INET6) set_option(out.fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, address.any ? 0 : 1);
  if (family != AF_UNIX && !out.datagrams) set_option(out.fd.get(), SOL_SOCKET, SO_REUSEADDR, 1);
  if (family == AF_UNIX) (void)::fchmod(out.fd.get(), 0660);  // the file begins with this mode
  return ::bind(out.fd.get(), address.get(), address.size) == 0 ? 0 : errno;
}

int bind_inet(SyslogListener& out, Address& address) noexcept {
  const int error = bind_once(out, address);
  if (!address.any || (error != EAFNOSUPPORT && error != EADDRNOTAVAIL)) return error;
  const uint16_t port = ntohs(as<sockaddr_in6>(address.storage).sin6_port);
  set_ipv4(address, {htonl(INADDR_ANY)}, port);
  return bind_once(out, address);
}

// A socket file that refuses connections has no listener any more.
bool stale(const std::string& path, Address& address) noexcept {
  struct stat st;
  if (::lstat(path.c_str(), &st) != 0 || !S_ISSOCK(st.st_mode)) return false;
  const UniqueFd probe(make_socket(AF_UNIX, false));
  if (!probe.valid() || ::connect(probe.get(), address.get(), address.size) == 0) return false;
  if (errno == ECONNREFUSED) return true;
  if (errno != EPROTOTYPE) return false;
  const UniqueFd other(make_socket(AF_UNIX, true));
  return other.valid() && ::connect(other.get(), address.get(), address.size) != 0 &&
         errno == ECONNREFUSED;
}

int bind_unix(SyslogListener& out, Address& address) noexcept {
  int error = bind_once(out, address);
  if (error == EADDRINUSE && stale(out.unix_path, address)) {
    (void)::unlink(out.unix_path.c_str());
    error = bind_once(out, address);
  }
  if (error != 0) return error;
  (void)::chmod(out.unix_path.c_str(), 0660);  // whatever the umask took away
  if (const auto st = stat_path(out.unix_path)) out.made = *st;
  return 0;
}

bool parse_unix(std::string_view path, SyslogListener& out, Address& address) {
  auto& un = as<sockaddr_un>(address.storage);
  if (!path.starts_with('/') || path.size() >= sizeof un.sun_path) return false;
  un.sun_family = AF_UNIX;
  std::memcpy(un.sun_path, path.data(), path.size());
  address.size = static_cast<socklen_t>(sizeof un);
  out.unix_path = path;
  return true;
}

// A socket bound to port 0 was given one.
void note_port(SyslogListener& out) {
  if (!out.unix_path.empty() || !out.uri.ends_with(":0")) return;
  Address bound;
  bound.size = sizeof bound.storage;
  if (::getsockname(out.fd.get(), bound.get(), &bound.size) != 0) return;
  const uint16_t port = bound.storage.ss_family == AF_INET
                            ? as<sockaddr_in>(bound.storage).sin_port
                            : as<sockaddr_in6>(bound.storage).sin6_port;
  out.uri.pop_back();
  out.uri += std::to_string(ntohs(port));
}

void set_buffer(int fd, size_t bytes) noexcept {
  const int value = static_cast<int>(bytes);
  if (::setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &value, sizeof value) != 0) {
    set_option(fd, SOL_SOCKET, SO_RCVBUF, value);
  }
  set_option(fd, SOL_SOCKET, SO_RXQ_OVFL, 1);
}

}  // namespace

Result<SyslogListener> listen_for_syslog(const std::string& uri, size_t rcvbuf_bytes) {
  SyslogListener out;
  out.uri = uri;
  Address address;
  const std::string_view text = uri;
  const size_t colon = text.find("://");
  if (colon == std::string_view::npos) return malformed(uri);
  const std::string_view scheme = text.substr(0, colon), rest = text.substr(colon + 3);
  out.datagrams = scheme == "udp" || scheme == "unix";
  const bool unix_file = scheme == "unix" || scheme == "unix-stream";
  if (!unix_file && scheme != "udp" && scheme != "tcp") return malformed(uri);
  if (unix_file ? !parse_unix(rest, out, address) : !parse_inet(rest, address)) {
    return malformed(uri);
  }
  int error = unix_file ? bind_unix(out, address) : bind_inet(out, address);
  if (error == 0 && !out.datagrams && ::listen(out.fd.get(), 128) != 0) error = errno;
  if (error != 0) return refused(uri, error);
  if (out.datagrams) set_buffer(out.fd.get(), rcvbuf_bytes);
  note_port(out);
  return out;
}

void remove_socket_file(const SyslogListener& listener) noexcept {
  if (listener.unix_path.empty() || listener.made.ino == 0) return;
  const auto st = stat_path(listener.unix_path);
  if (st && st->dev == listener.made.dev && st->ino == listener.made.ino) {
    (void)::unlink(listener.unix_path.c_str());
  }
}

std::string peer_path(const SyslogListener& listener, const sockaddr_storage& address) {
  char text[INET6_ADDRSTRLEN] = "";
  if (address.ss_family == AF_INET) {
    ::inet_ntop(AF_INET, &as<sockaddr_in>(address).sin_addr, text, sizeof text);
    return std::string("syslog+tcp://") + text;
  }
  if (address.ss_family != AF_INET6) return "syslog+" + listener.uri;
  const in6_addr& host = as<sockaddr_in6>(address).sin6_addr;
  if (IN6_IS_ADDR_V4MAPPED(&host)) {
    ::inet_ntop(AF_INET, host.s6_addr + 12, text, sizeof text);
    return std::string("syslog+tcp://") + text;
  }
  ::inet_ntop(AF_INET6, &host, text, sizeof text);
  return std::string("syslog+tcp://[") + text + "]";
}

}  // namespace nines::collector
