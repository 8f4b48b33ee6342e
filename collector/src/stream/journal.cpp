// The journal through journalctl: its export format, the cursor of the last entry taken as the
// position. A child that ends is started again behind that entry.
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "nines/base/time.hpp"
#include "nines/collector/inputs.hpp"
#include "nines/log/journal_export.hpp"
#include "stream/child.hpp"
#include "stream/stream_buffer.hpp"

namespace nines::collector {
namespace {

constexpr std::string_view kCursor = "__CURSOR=";
constexpr int64_t kFirstBackoffMs = 1000;
// journalctl does not say when it has told what there was: after this long without an entry.
constexpr int64_t kCaughtUpMs = 1000;
constexpr int kStalledMs = 30'000;  // --once: a child that says nothing for so long has failed

std::string key_of(const JournalOptions& options) {
  std::string what = options.directory;
  std::vector<std::string> units = options.units;
  std::sort(units.begin(), units.end());
  for (const std::string& unit : units) what += '\n' + unit;
  return "journal:" + std::to_string(hash64(what));
}

class JournalInput final : public Input {
 public:
  JournalInput(JournalOptions options, RecordConsumer& consumer, const Clock& clock)
      : options_(std::move(options)),
        clock_(clock),
        buffer_(consumer, clock, options_.buffer_bytes) {
    LogStream& stream = buffer_.stream();
    stream.path = "journal";
    stream.key = key_of(options_);
    stream.matched = options_.sources;
    stream.framing = Framing::journal_entries;
  }

  void restore(const std::vector<slo::Position>& saved) {
    LogStream& stream = buffer_.stream();
    for (const slo::Position& position : saved) {
      if (position.key != stream.key || position.state.empty()) continue;
      const size_t line = std::min(position.state.find('\n'), position.state.size());
      cursor_ = position.state.substr(0, line);
      stream.extra = position.state.substr(std::min(line + 1, position.state.size()));
      stream.resumed = true;
    }
    buffer_.open();
  }

  void descriptors(std::vector<pollfd>& out) const override {
    if (!child_.running()) return;
    if (!buffer_.full()) out.push_back({child_.output(), POLLIN, 0});
    out.push_back({child_.messages(), POLLIN, 0});
  }

  Instant due() const noexcept override {
    if (!child_.running()) return ended_ ? Instant{INT64_MAX} : next_start_;
    return declined_ ? Instant{} : buffer_.due();
  }

  bool read(size_t max_bytes) override {
    if (!child_.running() && clock_.mono() >= next_start_ && !ended_) start();
    if (!child_.running()) return false;
    child_.read_messages();
    if (clock_.mono() >= buffer_.due()) hand_over(Reading::quiet);
    size_t left = max_bytes;
    while (left > 0 && child_.running()) {
      const size_t got = fill();
      left -= std::min(left, got);
      if (!hand_over(Reading::more) && got == 0) return declined_;
    }
    return child_.running();
  }

  bool read_some(LogStream&, bool) override {
    if (!child_.running() && !ended_) start();
    while (true) {
      if (hand_over(ended_ ? Reading::last : Reading::more) || declined_) return true;
      if (ended_ || !wait_for_output()) return false;
      (void)fill();
    }
  }

  void rescan() override {}
  void list(std::vector<LogStream*>& out) override { out.push_back(&buffer_.stream()); }

  bool caught_up() const noexcept override {
    if (ended_) return buffer_.unread() == 0;
    const int64_t quiet_ns = clock_.mono().ns - last_entry_.ns;
    return child_.running() && !declined_ && quiet_ns >= kCaughtUpMs * kNsPerMs;
  }

  void take_positions(std::vector<slo::Position>& out) override {
    if (!changed_) return;
    changed_ = false;
    out.push_back({buffer_.stream().key, cursor_ + '\n' + buffer_.stream().extra});
  }

  void describe(std::vector<InputStats>& out) const override {
    InputStats shown = stats_;
    shown.kind = "journal";
    shown.name = options_.units.empty() ? "journal" : options_.units.front();
    shown.lag_bytes = static_cast<int64_t>(buffer_.unread());
    shown.healthy = child_.running() || (ended_ && !failed_);
    if (shown.trouble.empty() && position_gone_) {
      shown.trouble =
          "the entry read last was gone from the journal: entries that it dropped unread are not "
          "counted; raise SystemMaxUse= (RuntimeMaxUse=) in journald.conf";
    }
    out.push_back(std::move(shown));
  }

 private:
  std::vector<std::string> arguments() const {
    std::vector<std::string> out = {options_.journalctl, "--output=export", "--all", "--quiet"};
    if (!options_.once) out.insert(out.end(), {"--follow", "--no-tail"});
    if (!options_.directory.empty()) out.push_back("--directory=" + options_.directory);
    for (const std::string& unit : options_.units) out.push_back("--unit=" + unit);
    if (!cursor_.empty()) {
      // Not --after-cursor: where the entry is gone, journalctl passes over one that is not ours.
      out.push_back("--cursor=" + cursor_);
    } else if (options_.start == "end") {
      out.push_back("--lines=0");
      std::erase(out, "--no-tail");
    } else if (options_.start != "beginning") {
      out.push_back("--since=" + options_.start);
    }
    return out;
  }

  void start() {
    last_entry_ = clock_.mono();
    awaits_known_ = !cursor_.empty();
    const Status done = child_.start(arguments());
    if (done.ok()) return;
    failed(done.error().message);
  }

  // Bytes read.
  size_t fill() {
    const StreamBuffer::Room room = buffer_.room();
    if (room.size == 0) return 0;
    const ssize_t n = ::read(child_.output(), room.data, room.size);
    if (n > 0) {
      last_entry_ = clock_.mono();
      stats_.bytes += static_cast<uint64_t>(n);
      buffer_.filled(static_cast<size_t>(n));
      return static_cast<size_t>(n);
    }
    if (n == 0 || (errno != EAGAIN && errno != EINTR)) child_ended();
    return 0;
  }

  // The first thing told is the entry that the position names, unless the journal has lost it.
  // False: not seen yet.
  bool passed_known() {
    if (!awaits_known_) return true;
    const std::string_view data = buffer_.data();
    const size_t end = data.find('\n');
    if (end == std::string_view::npos && !buffer_.full()) return false;
    awaits_known_ = false;
    const std::string_view line = data.substr(0, end);
    if (line.starts_with(kCursor) && line.substr(kCursor.size()) == cursor_) {
      buffer_.pass_over_entry();
    } else {
      position_gone_ = true;
    }
    return true;
  }

  // True: something was taken.
  bool hand_over(Reading how) {
    if (!passed_known()) return false;
    const StreamBuffer::Handed handed = buffer_.hand_over(how);
    declined_ = handed.declined;
    if (handed.taken.empty()) return false;
    note_entries(handed.taken);
    backoff_ms_ = kFirstBackoffMs;
    stats_.trouble.clear();
    return true;
  }

  void note_entries(std::string_view entries) {
    while (!entries.empty()) {
      size_t size = log::journal_entry_length(entries);
      if (size == 0) size = entries.size();  // it was cut
      const std::string_view cursor = log::journal_cursor(entries.substr(0, size));
      if (!cursor.empty()) {
        cursor_ = cursor;
        ++stats_.received;
      }
      entries.remove_prefix(size);
    }
    changed_ = true;
  }

  // What it had begun to tell is told again by the next one, from its beginning.
  void child_ended() {
    while (hand_over(Reading::more)) continue;
    const int code = child_.stop();
    if (options_.once && code == 0) {
      ended_ = true;
      return;
    }
    buffer_.clear();
    std::string why = options_.journalctl + " ended";
    if (!child_.last_message().empty()) why += ": " + child_.last_message();
    const bool refused_cursor =
        child_.last_message().find("cursor") != std::string::npos && !cursor_.empty();
    if (refused_cursor) cursor_.clear();
    failed(why);
  }

  void failed(std::string why) {
    ++stats_.restarts;
    stats_.trouble =
        std::move(why) + "; it needs journalctl, and a user in the group systemd-journal (or adm)";
    next_start_ = {clock_.mono().ns + backoff_ms_ * kNsPerMs};
    backoff_ms_ = std::min(backoff_ms_ * 2, options_.max_backoff_ms);
    if (options_.once) ended_ = failed_ = true;
  }

  bool wait_for_output() {
    pollfd fd{child_.output(), POLLIN, 0};
    if (::poll(&fd, 1, kStalledMs) != 0) return true;
    child_.stop();
    failed(options_.journalctl + " says nothing");
    return false;
  }

  JournalOptions options_;
  const Clock& clock_;
  StreamBuffer buffer_;
  Child child_;
  InputStats stats_;
  std::string cursor_;  // of the last entry taken
  Instant next_start_{}, last_entry_{};
  int64_t backoff_ms_ = kFirstBackoffMs;
  bool changed_ = false, declined_ = false, ended_ = false, failed_ = false;
  bool awaits_known_ = false;   // a child was started at cursor_ and has not told it yet
  bool position_gone_ = false;  // the journal no longer had what was read last
};

}  // namespace

Result<std::unique_ptr<Input>> make_journal_input(JournalOptions options, RecordConsumer& consumer,
                                                  const std::vector<slo::Position>& saved,
                                                  const Clock& clock) {
  auto input = std::make_unique<JournalInput>(std::move(options), consumer, clock);
  input->restore(saved);
  return std::unique_ptr<Input>(std::move(input));
}

}  // namespace nines::collector
