// ServiceManager: tells whoever started the agent (systemd, or anything else that speaks
// sd_notify's protocol) how it is: ready, reloading, stopping, alive, and one line for
// `systemctl status`. Started by nobody of that kind it does nothing. Without libsystemd, which
// Debian has as a shared library only. Datagrams are never waited for: what the manager's queue
// has no room for is dropped and counted; the next WATCHDOG=1 comes in half a period. Control
// thread only.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "nines/base/time.hpp"

namespace nines::agent {

class ServiceManager {
 public:
  // Where it listens and how often it wants to hear that we live, as the environment says.
  struct Address {
    std::string socket;         // a path, or '@' and an abstract name; empty: nobody listens
    int64_t watchdog_usec = 0;  // 0: no watchdog
  };
  // Of this process. Takes the variables out of the environment, so that programs started by the
  // agent do not speak in its name; call it before there are threads.
  static Address take_address();

  ServiceManager() = default;
  explicit ServiceManager(Address address);
  ~ServiceManager();
  ServiceManager(const ServiceManager&) = delete;
  ServiceManager& operator=(const ServiceManager&) = delete;

  void ready();
  void reloading(Instant now);  // ready() ends it
  void stopping();
  void alive();
  // One line; said only when it is another one than before. Control bytes become blanks, and more
  // than kMaxStatus bytes are cut.
  void status(std::string_view text);

  // How often alive() is to be called: half of what the manager waits. Unset: it does not ask.
  std::optional<std::chrono::microseconds> alive_every() const noexcept;
  // Datagrams that could not be delivered.
  uint64_t dropped() const noexcept { return dropped_; }

  static constexpr size_t kMaxStatus = 256;

 private:
  void send(std::string_view datagram);

  Address address_;
  int fd_ = -1;
  std::string status_;
  uint64_t dropped_ = 0;
};

}  // namespace nines::agent
