#include "query/fd_stream.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <utility>

namespace nines::agent::query {
namespace {

constexpr int kLongestWaitMs = 60'000;

class FdStream final : public stream::ByteStream {
 public:
  FdStream(const Clock& clock, FdStreamSettings settings, int wake)
      : clock_(clock), settings_(std::move(settings)), wake_(wake) {}
  ~FdStream() override {
    close();
    ::close(settings_.in);
    if (settings_.out != settings_.in) ::close(settings_.out);
    ::close(wake_);
    if (settings_.closed) settings_.closed();
  }

  Result<size_t> read(std::span<char> into, Instant deadline) override {
    while (true) {
      NINES_CHECK(wait(settings_.in, POLLIN, deadline));
      const ssize_t n = ::read(settings_.in, into.data(), into.size());
      if (n > 0) {
        in_ += static_cast<uint64_t>(n);
        return static_cast<size_t>(n);
      }
      if (n == 0) {
        const std::string why = settings_.why ? settings_.why() : "";
        if (why.empty()) return size_t{0};
        return Error{Errc::unavailable, why};
      }
      if (errno != EAGAIN && errno != EINTR) return broken(errno);
    }
  }

  Status write(std::string_view bytes, Instant deadline) override {
    while (!bytes.empty()) {
      NINES_CHECK(wait(settings_.out, POLLOUT, deadline));
      const ssize_t n = ::write(settings_.out, bytes.data(), bytes.size());
      if (n > 0) {
        out_ += static_cast<uint64_t>(n);
        bytes.remove_prefix(static_cast<size_t>(n));
      } else if (n < 0 && errno != EAGAIN && errno != EINTR) {
        return broken(errno);
      }
    }
    return Ok{};
  }

  void close() override {
    closing_ = true;
    const uint64_t one = 1;
    [[maybe_unused]] const ssize_t told = ::write(wake_, &one, sizeof one);
  }
  Traffic traffic() const override { return {in_.load(), out_.load()}; }
  std::string where() const override { return settings_.where; }

 private:
  Error broken(int error) const {
    const std::string why = settings_.why ? settings_.why() : "";
    return Error{Errc::unavailable, why.empty() ? std::strerror(error) : why, error};
  }

  Status wait(int fd, short events, Instant deadline) {
    while (true) {
      if (closing_) return Error{Errc::cancelled, "closed"};
      pollfd ready[2] = {{fd, events, 0}, {wake_, POLLIN, 0}};
      const int64_t left_ms = (deadline.ns - clock_.mono().ns + kNsPerMs - 1) / kNsPerMs;
      if (deadline.ns != INT64_MAX && left_ms <= 0) return Error{Errc::timeout, "timed out"};
      const int wait_ms = static_cast<int>(
          std::min<int64_t>(deadline.ns == INT64_MAX ? kLongestWaitMs : left_ms, kLongestWaitMs));
      const int n = ::poll(ready, 2, wait_ms);
      if (n < 0 && errno != EINTR) return broken(errno);
      if (n > 0 && ready[0].revents != 0) return Ok{};
    }
  }

  const Clock& clock_;
  FdStreamSettings settings_;
  int wake_;
  std::atomic<bool> closing_{false};
  std::atomic<uint64_t> in_{0}, out_{0};
};

}  // namespace

Result<std::unique_ptr<stream::ByteStream>> make_fd_stream(const Clock& clock,
                                                           FdStreamSettings settings) {
  for (const int fd : {settings.in, settings.out}) {
    const int flags = ::fcntl(fd, F_GETFL);
    if (flags < 0 || ::fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0) {
      return Error{Errc::io, settings.where + ": " + std::strerror(errno), errno};
    }
  }
  const int wake = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (wake < 0) return Error{Errc::io, std::string("eventfd: ") + std::strerror(errno), errno};
  return std::unique_ptr<stream::ByteStream>(
      std::make_unique<FdStream>(clock, std::move(settings), wake));
}

}  // namespace nines::agent::query
