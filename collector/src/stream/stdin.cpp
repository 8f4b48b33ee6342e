// Standard input: a pipe, a terminal or a file that somebody redirected.
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "nines/collector/inputs.hpp"
#include "stream/stream_buffer.hpp"

namespace nines::collector {
namespace {

class StdinInput final : public Input {
 public:
  StdinInput(StdinOptions options, RecordConsumer& consumer, const Clock& clock)
      : options_(std::move(options)),
        clock_(clock),
        buffer_(consumer, clock, options_.buffer_bytes) {
    LogStream& stream = buffer_.stream();
    stream.path = "stdin";
    stream.key = "stdin";
    stream.matched = options_.sources;
    buffer_.open();
  }

  void descriptors(std::vector<pollfd>& out) const override {
    if (!ended_ && !buffer_.full()) out.push_back({options_.fd, POLLIN, 0});
  }
  Instant due() const noexcept override { return declined_ ? Instant{} : buffer_.due(); }

  bool read(size_t max_bytes) override {
    if (clock_.mono() >= buffer_.due()) hand_over(Reading::quiet);
    for (size_t left = max_bytes; left > 0 && !ended_;) {
      const size_t got = fill(0);
      left -= std::min(left, got);
      if (!hand_over(ended_ ? Reading::last : Reading::more) && got == 0) return declined_;
    }
    return !ended_ || declined_;
  }

  // Blocks until something comes: only for --once, which wants all of it.
  bool read_some(LogStream&, bool) override {
    while (true) {
      if (hand_over(ended_ ? Reading::last : Reading::more) || declined_) return true;
      if (ended_) return false;
      (void)fill(-1);
    }
  }

  void rescan() override {}
  void list(std::vector<LogStream*>& out) override {
    if (!closed_) out.push_back(&buffer_.stream());
  }
  bool caught_up() const noexcept override { return !declined_ && (idle_ || ended_); }
  void take_positions(std::vector<slo::Position>&) override {}

  void describe(std::vector<InputStats>& out) const override {
    InputStats shown;
    shown.kind = shown.name = "stdin";
    shown.resumable = false;
    shown.bytes = bytes_;
    shown.lag_bytes = static_cast<int64_t>(buffer_.unread());
    out.push_back(std::move(shown));
  }

 private:
  size_t fill(int timeout_ms) {
    const StreamBuffer::Room room = buffer_.room();
    pollfd fd{options_.fd, POLLIN, 0};
    idle_ = room.size > 0 && ::poll(&fd, 1, timeout_ms) == 0;
    if (room.size == 0 || idle_) return 0;
    const ssize_t n = ::read(options_.fd, room.data, room.size);
    if (n > 0) {
      bytes_ += static_cast<uint64_t>(n);
      buffer_.filled(static_cast<size_t>(n));
      return static_cast<size_t>(n);
    }
    ended_ = n == 0 || (errno != EAGAIN && errno != EINTR);
    return 0;
  }

  // True: something was taken.
  bool hand_over(Reading how) {
    if (closed_) return false;
    const auto handed = how == Reading::last ? buffer_.finish() : buffer_.hand_over(how);
    declined_ = handed.declined;
    closed_ = how == Reading::last && !declined_;
    return !handed.taken.empty();
  }

  StdinOptions options_;
  const Clock& clock_;
  StreamBuffer buffer_;
  uint64_t bytes_ = 0;
  bool idle_ = false, ended_ = false, declined_ = false, closed_ = false;
};

}  // namespace

Result<std::unique_ptr<Input>> make_stdin_input(StdinOptions options, RecordConsumer& consumer,
                                                const Clock& clock) {
  return std::unique_ptr<Input>(std::make_unique<StdinInput>(std::move(options), consumer, clock));
}

}  // namespace nines::collector
