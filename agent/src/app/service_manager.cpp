#include "app/service_manager.hpp"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <utility>

namespace nines::agent {
namespace {

std::string take_variable(const char* name) {
  const char* value = std::getenv(name);
  std::string out = value == nullptr ? "" : value;
  ::unsetenv(name);
  return out;
}

int64_t number_of(const std::string& text) {
  int64_t out = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  return error == std::errc() && end == text.data() + text.size() && out > 0 ? out : 0;
}

// Of a character of several bytes, not its first one.
bool is_continuation(char c) { return (static_cast<unsigned char>(c) & 0xC0) == 0x80; }

// False: not an address that a datagram can be sent to.
bool unix_address(const std::string& name, sockaddr_un& out, socklen_t& length) {
  const bool known = !name.empty() && (name[0] == '/' || name[0] == '@');
  if (!known || name.size() < 2 || name.size() >= sizeof out.sun_path) return false;
  out = {};
  out.sun_family = AF_UNIX;
  std::memcpy(out.sun_path, name.data(), name.size());
  if (name[0] == '@') out.sun_path[0] = '\0';
  const size_t path = offsetof(sockaddr_un, sun_path);
  length = static_cast<socklen_t>(path + name.size() + (name[0] == '/' ? 1 : 0));
  return true;
}

}  // namespace

ServiceManager::Address ServiceManager::take_address() {
  Address out{take_variable("NOTIFY_SOCKET"), number_of(take_variable("WATCHDOG_USEC"))};
  const std::string of = take_variable("WATCHDOG_PID");  // of another process: not for us
  if (!of.empty() && number_of(of) != ::getpid()) out.watchdog_usec = 0;
  return out;
}

ServiceManager::ServiceManager(Address address) : address_(std::move(address)) {
  if (address_.socket.empty()) return;
  fd_ = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
}

ServiceManager::~ServiceManager() {
  if (fd_ >= 0) ::close(fd_);
}

void ServiceManager::ready() { send("READY=1"); }

void ServiceManager::reloading(Instant now) {
  send("RELOADING=1\nMONOTONIC_USEC=" + std::to_string(now.ns / 1000));
}

void ServiceManager::stopping() { send("STOPPING=1"); }

void ServiceManager::alive() {
  if (alive_every()) send("WATCHDOG=1");
}

void ServiceManager::status(std::string_view text) {
  size_t length = std::min(text.size(), kMaxStatus);
  while (length < text.size() && length > 0 && is_continuation(text[length])) --length;
  std::string line(text.substr(0, length));
  for (char& c : line) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7f) c = ' ';
  }
  if (line == status_) return;
  status_ = std::move(line);
  send("STATUS=" + status_);
}

std::optional<std::chrono::microseconds> ServiceManager::alive_every() const noexcept {
  if (fd_ < 0 || address_.watchdog_usec <= 0) return std::nullopt;
  return std::chrono::microseconds((address_.watchdog_usec + 1) / 2);
}

// Addressed anew each time: the manager's socket is another one after it was re-executed.
void ServiceManager::send(std::string_view datagram) {
  if (fd_ < 0) return;
  sockaddr_un to{};
  socklen_t length = 0;
  const bool sent = unix_address(address_.socket, to, length) &&
                    ::sendto(fd_, datagram.data(), datagram.size(), MSG_NOSIGNAL,
                             reinterpret_cast<const sockaddr*>(&to),
                             length) == static_cast<ssize_t>(datagram.size());
  if (!sent) ++dropped_;
}

}  // namespace nines::agent
