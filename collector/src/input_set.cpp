#include "nines/collector/input_set.hpp"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "file/fs.hpp"

namespace nines::collector {
namespace {

class InputSetImpl final : public InputSet {
 public:
  InputSetImpl(const Clock& clock, int64_t coalesce_ms, UniqueFd wake)
      : clock_(clock), coalesce_ms_(coalesce_ms), wake_fd_(std::move(wake)) {}

  Input& add(std::unique_ptr<Input> input) override {
    members_.push_back({std::move(input), 0, 0, true});
    return *members_.back().input;
  }

  bool poll(int timeout_ms, size_t max_bytes) override {
    wait(timeout_ms);
    const Instant now = clock_.mono();
    size_t wanting = 0;
    for (Member& m : members_) {
      m.wanted = m.wanted || m.input->due() <= now;
      for (size_t i = m.first; i < m.end; ++i) m.wanted = m.wanted || fds_[i].revents != 0;
      wanting += m.wanted;
    }
    bool more = false;
    for (Member& m : members_) {
      if (!m.wanted) continue;
      m.wanted = m.input->read(max_bytes / wanting);
      more = more || m.wanted;
    }
    return more;
  }

  void pause(int timeout_ms) override {
    pollfd only_wake{wake_fd_.get(), POLLIN, 0};
    (void)::poll(&only_wake, 1, timeout_ms);
    ++wakeups_;
    uint64_t count = 0;
    (void)!::read(wake_fd_.get(), &count, sizeof count);
  }

  void wake() noexcept override {
    const uint64_t one = 1;
    (void)!::write(wake_fd_.get(), &one, sizeof one);
  }

  void rescan() override {
    for (Member& m : members_) m.input->rescan();
  }

  std::vector<StreamRef> list() override {
    std::vector<StreamRef> out;
    std::vector<LogStream*> streams;
    for (Member& m : members_) {
      streams.clear();
      m.input->list(streams);
      for (LogStream* stream : streams) out.push_back({m.input.get(), stream});
    }
    return out;
  }

  bool caught_up() const noexcept override {
    return std::all_of(members_.begin(), members_.end(),
                       [](const Member& m) { return m.input->caught_up(); });
  }

  void take_positions(std::vector<slo::Position>& out) override {
    for (Member& m : members_) m.input->take_positions(out);
  }

  std::vector<InputStats> describe() const override {
    std::vector<InputStats> out;
    for (const Member& m : members_) m.input->describe(out);
    return out;
  }

  uint64_t wakeups() const noexcept override { return wakeups_; }

 private:
  struct Member {
    std::unique_ptr<Input> input;
    size_t first, end;  // its descriptors in fds_
    bool wanted;        // said that more is ready
  };

  void gather_descriptors() {
    fds_.clear();
    fds_.push_back({wake_fd_.get(), POLLIN, 0});
    for (Member& m : members_) {
      m.first = fds_.size();
      m.input->descriptors(fds_);
      m.end = fds_.size();
    }
  }

  // Milliseconds until the first input wants to be read.
  int64_t left_ms(int timeout_ms) const {
    Instant due{INT64_MAX};
    for (const Member& m : members_) {
      if (m.wanted) return 0;
      due = std::min(due, m.input->due());
    }
    const int64_t now = clock_.mono().ns;
    if (due.ns <= now) return 0;
    const int64_t until_due = (due.ns - now - 1) / kNsPerMs + 1;
    return timeout_ms < 0 ? std::min<int64_t>(until_due, INT32_MAX)
                          : std::min<int64_t>(until_due, timeout_ms);
  }

  void wait(int timeout_ms) {
    gather_descriptors();
    const int limit = static_cast<int>(left_ms(timeout_ms));
    const int n = ::poll(fds_.data(), fds_.size(), limit);
    if (limit != 0) ++wakeups_;
    if (n > 0 && limit != 0 && fds_[0].revents == 0) pause_for_more();
    uint64_t count = 0;
    (void)!::read(wake_fd_.get(), &count, sizeof count);
  }

  // Writers come in bursts: one wake-up for many lines. wake() ends the pause.
  void pause_for_more() {
    const int64_t since_ms = (clock_.mono().ns - last_wake_.ns) / kNsPerMs;
    if (since_ms < coalesce_ms_) {
      pollfd only_wake{wake_fd_.get(), POLLIN, 0};
      (void)::poll(&only_wake, 1, static_cast<int>(coalesce_ms_ - since_ms));
      ++wakeups_;
    }
    last_wake_ = clock_.mono();
  }

  const Clock& clock_;
  int64_t coalesce_ms_;
  UniqueFd wake_fd_;
  std::vector<Member> members_;
  std::vector<pollfd> fds_;
  Instant last_wake_{};
  uint64_t wakeups_ = 0;
};

}  // namespace

Result<std::unique_ptr<InputSet>> InputSet::create(const Clock& clock, int64_t coalesce_ms) {
  UniqueFd wake(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
  if (!wake.valid()) {
    return Error{Errc::io, "inputs: eventfd failed (out of descriptors? see ulimit -n)", errno};
  }
  return std::unique_ptr<InputSet>(
      std::make_unique<InputSetImpl>(clock, coalesce_ms, std::move(wake)));
}

}  // namespace nines::collector
