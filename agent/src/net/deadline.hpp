// Deadline: closes a socket when the guarded work takes too long; the pending operation then ends
// with operation_aborted. Boost 1.74 has no cancellation slots, hence this guard. Used by the
// thread of the io_context only.
#pragma once

#include <chrono>
#include <memory>

#include "net/asio.hpp"

namespace nines::agent::net {

class Deadline {
 public:
  // `socket` must outlive the guard.
  Deadline(tcp::socket& socket, int64_t timeout_ms)
      : timer_(socket.get_executor()), expired_(std::make_shared<bool>(false)) {
    timer_.expires_after(std::chrono::milliseconds(timeout_ms));
    // A handler may be queued already when the guard dies: the weak pointer makes it harmless.
    timer_.async_wait([&socket, alive = std::weak_ptr<bool>(expired_)](ErrorCode error) {
      const auto expired = alive.lock();
      if (error || !expired) return;
      *expired = true;
      ErrorCode ignored;
      socket.close(ignored);
    });
  }
  Deadline(const Deadline&) = delete;
  Deadline& operator=(const Deadline&) = delete;

  bool expired() const { return *expired_; }

 private:
  asio::steady_timer timer_;
  std::shared_ptr<bool> expired_;
};

}  // namespace nines::agent::net
