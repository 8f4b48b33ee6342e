// The kernel's log: one record a read(), made into JSON lines.
#include "nines/log/kmsg.hpp"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <deque>
#include <utility>

#include "file/fs.hpp"
#include "metrics/delivery.hpp"
#include "nines/collector/inputs.hpp"

namespace nines::collector {
namespace {

constexpr int64_t kRetryMs = 60'000;
constexpr int64_t kDeclinedRetryMs = 20;
constexpr size_t kRecordBytes = 16 * 1024;   // the kernel gives at most 8 KiB (PRINTK_MESSAGE_MAX)
constexpr size_t kPendingBytes = 64 * 1024;  // lines made and not taken yet: then reading stops

std::string first_word_of_file(const std::string& path) {
  const UniqueFd fd = open_for_reading(path);
  std::array<char, 64> text;
  const ssize_t n = fd.valid() ? ::read(fd.get(), text.data(), text.size()) : 0;
  std::string_view word(text.data(), static_cast<size_t>(std::max<ssize_t>(n, 0)));
  word = word.substr(0, word.find_first_of(" \n"));
  return word.empty() ? "-" : std::string(word);
}

int open_kmsg(const std::string& path) {
  return ::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
}

class KmsgInput final : public Input {
 public:
  KmsgInput(KmsgOptions options, RecordConsumer& consumer, const Clock& clock)
      : options_(std::move(options)),
        consumer_(consumer),
        clock_(clock),
        boot_(first_word_of_file(options_.boot_id_path)) {
    if (!options_.open) options_.open = open_kmsg;
    stats_.kind = stats_.name = "kmsg";
    stream_.path = "kmsg";
    stream_.key = "kmsg";
    stream_.matched = options_.sources;
  }
  ~KmsgInput() override { consumer_.closed(stream_); }

  void restore(const std::vector<slo::Position>& saved) {
    for (const slo::Position& position : saved) {
      if (position.key == stream_.key && !position.state.empty()) restore(position.state);
    }
    consumer_.opened(stream_);
    open();
  }

  void descriptors(std::vector<pollfd>& out) const override {
    if (fd_.valid() && !blocked()) out.push_back({fd_.get(), POLLIN, 0});
  }

  Instant due() const noexcept override {
    if (!pending_.empty()) return retry_;
    return fd_.valid() || ended_ ? Instant{INT64_MAX} : next_open_;
  }

  bool read(size_t max_bytes) override {
    if (!fd_.valid() && !ended_ && clock_.mono() >= next_open_) open();
    size_t left = std::max<size_t>(max_bytes, 1);
    while (left > 0 && !blocked()) {
      const size_t before = lines_.size();
      const bool got = read_record();
      left -= std::min(left, std::max<size_t>(lines_.size() - before, got ? 1 : 0));
      if (!got) break;
    }
    hand_over();
    return pending_.empty() && fd_.valid() && !idle_;
  }

  bool read_some(LogStream&, bool) override {
    if (!fd_.valid() && !ended_ && clock_.mono() >= next_open_) open();
    while (true) {
      while (pending_.empty() && read_record()) continue;
      if (pending_.empty()) return false;
      if (hand_over() > 0 || declined_) return true;
      if (!read_record()) return false;  // the consumer wants to see more first
    }
  }

  void rescan() override {}
  void list(std::vector<LogStream*>& out) override { out.push_back(&stream_); }

  bool caught_up() const noexcept override {
    return pending_.empty() && (ended_ || (fd_.valid() && idle_));
  }

  void take_positions(std::vector<slo::Position>& out) override {
    if (!changed_ && stream_.extra == saved_extra_) return;
    if (!has_seq_) return;
    changed_ = false;
    saved_extra_ = stream_.extra;
    std::string state = boot_ + ' ' + std::to_string(seq_);
    if (!saved_extra_.empty()) state += '\n' + saved_extra_;
    out.push_back({stream_.key, std::move(state)});
  }

  void describe(std::vector<InputStats>& out) const override {
    InputStats shown = stats_;
    shown.healthy = fd_.valid() || (ended_ && stats_.trouble.empty());
    shown.lag_bytes = static_cast<int64_t>(lines_.size());
    out.push_back(std::move(shown));
  }

 private:
  struct Pending {
    size_t bytes;  // of its line
    uint64_t seq;
  };

  bool blocked() const noexcept { return lines_.size() >= kPendingBytes; }

  void restore(std::string_view state) {
    const size_t line = std::min(state.find('\n'), state.size());
    const std::string_view head = state.substr(0, line);
    const size_t blank = head.find(' ');
    uint64_t seq = 0;
    if (blank == std::string_view::npos) return;
    const char* const end = head.data() + head.size();
    if (std::from_chars(head.data() + blank + 1, end, seq).ec != std::errc{}) return;
    stream_.resumed = true;
    stream_.extra = saved_extra_ = state.substr(std::min(line + 1, state.size()));
    seen_ = true;
    if (head.substr(0, blank) != boot_) return;  // from the first record of this boot
    has_seq_ = true;
    seq_ = seq;
    next_seq_ = seq + 1;
  }

  void open() {
    fd_.reset(options_.open(options_.path));
    idle_ = false;
    if (!fd_.valid()) return not_readable(errno);
    stats_.trouble.clear();
    // Not on a pipe, which has no end to go to.
    if (!seen_ && options_.start == "end") (void)::lseek(fd_.get(), 0, SEEK_END);
  }

  void not_readable(int error) {
    fd_.reset();
    idle_ = false;
    stats_.trouble = "cannot read " + options_.path + ": " + std::strerror(error);
    if (error == EPERM || error == EACCES) {
      stats_.trouble +=
          "; it needs the sysctl kernel.dmesg_restrict=0 and the group adm, or CAP_SYSLOG";
    }
    next_open_ = {clock_.mono().ns + kRetryMs * kNsPerMs};
    ended_ = options_.once;
  }

  // False: nothing is there now.
  bool read_record() {
    if (!fd_.valid()) return false;
    const ssize_t n = ::read(fd_.get(), block_.data(), block_.size());
    if (n > 0) {
      idle_ = false;
      take_record({block_.data(), static_cast<size_t>(n)});
      return true;
    }
    // EPIPE: overwritten before we read it; the next read() goes on with the oldest there is.
    if (n < 0 && (errno == EPIPE || errno == EINTR)) return true;
    if (n < 0 && errno == EAGAIN) {
      idle_ = true;
      ended_ = options_.once;
      return false;
    }
    if (n < 0) {
      not_readable(errno);
      return false;
    }
    not_readable(0);
    stats_.trouble = options_.path + " ended";
    return false;
  }

  void take_record(std::string_view block) {
    stats_.bytes += block.size();
    if (!log::parse_kmsg(block, record_)) {
      ++stats_.refused;
      return;
    }
    if (seen_ && record_.seq < next_seq_) return;  // counted before
    if (seen_) stats_.lost += record_.seq - next_seq_;
    seen_ = true;
    next_seq_ = record_.seq + 1;
    ++stats_.received;
    const int64_t boot_ns = clock_.wall().ns - clock_.mono().ns;
    const size_t before = lines_.size();
    const WallTime ts{boot_ns / 1000 * 1000 + static_cast<int64_t>(record_.usec) * 1000};
    log::append_kmsg_json(record_, ts, lines_);
    pending_.push_back({lines_.size() - before, record_.seq});
  }

  // Lines taken.
  size_t hand_over() {
    declined_ = false;
    size_t taken = 0;
    while (!pending_.empty()) {
      stream_.size = stream_.offset + static_cast<int64_t>(lines_.size());
      const Delivered done = deliver(consumer_, stream_, lines_, idle_ || blocked());
      declined_ = done.declined;
      taken += note_taken(done.bytes);
      if (done.bytes == 0) break;
    }
    if (!pending_.empty()) retry_ = {clock_.mono().ns + kDeclinedRetryMs * kNsPerMs};
    return taken;
  }

  size_t note_taken(size_t bytes) {
    lines_.erase(0, bytes);
    size_t count = 0;
    for (; !pending_.empty() && pending_.front().bytes <= bytes; ++count) {
      bytes -= pending_.front().bytes;
      seq_ = pending_.front().seq;
      has_seq_ = changed_ = true;
      pending_.pop_front();
    }
    return count;
  }

  KmsgOptions options_;
  RecordConsumer& consumer_;
  const Clock& clock_;
  std::string boot_;
  LogStream stream_;
  InputStats stats_;
  UniqueFd fd_;
  std::array<char, kRecordBytes> block_;
  log::KmsgRecord record_;
  std::string lines_;  // made and not taken
  std::deque<Pending> pending_;
  std::string saved_extra_;
  uint64_t seq_ = 0;       // of the last record taken
  uint64_t next_seq_ = 0;  // expected next, once one was seen
  Instant next_open_{}, retry_{};
  bool has_seq_ = false, seen_ = false;
  bool changed_ = false, idle_ = false, ended_ = false, declined_ = false;
};

}  // namespace

Result<std::unique_ptr<Input>> make_kmsg_input(KmsgOptions options, RecordConsumer& consumer,
                                               const std::vector<slo::Position>& saved,
                                               const Clock& clock) {
  if (options.start != "beginning" && options.start != "end") {
    return Error{Errc::invalid_argument,
                 "kmsg: start: " + options.start + " is neither beginning nor end", 0};
  }
  auto input = std::make_unique<KmsgInput>(std::move(options), consumer, clock);
  input->restore(saved);
  return std::unique_ptr<Input>(std::move(input));
}

}  // namespace nines::collector
