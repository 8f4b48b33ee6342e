#include "stream/syslog_peer.hpp"

#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

namespace nines::collector {
namespace {

constexpr size_t kReadBytes = 16 * 1024;  // at once
constexpr int64_t kRetryMs = 20;          // after the consumer wanted nothing

}  // namespace

// The buffer holds the longest message and what comes behind it.
SyslogPeer::SyslogPeer(UniqueFd fd, std::string path, std::string key,
                       const std::vector<uint32_t>& sources, size_t max_message_bytes,
                       InputStats& stats, RecordConsumer& consumer, const Clock& clock)
    : fd_(std::move(fd)),
      framer_(max_message_bytes),
      stats_(stats),
      clock_(clock),
      buffer_(consumer, clock, max_message_bytes + kReadBytes),
      last_byte_(clock.mono()) {
  LogStream& stream = buffer_.stream();
  stream.path = std::move(path);
  stream.key = std::move(key);
  stream.matched = sources;
  buffer_.open();
}

Instant SyslogPeer::due(int64_t idle_ms) const noexcept {
  if (stalled_) return retry_;
  return std::min(buffer_.due(), Instant{last_byte_.ns + idle_ms * kNsPerMs});
}

void SyslogPeer::on_time(int64_t idle_ms) {
  const Instant now = clock_.mono();
  if (stalled_ && now >= retry_) (void)hand_over();
  if (!done_ && !ended_ && now >= buffer_.due()) (void)buffer_.hand_over(Reading::quiet);
  if (!ended_ && !stalled_ && now.ns - last_byte_.ns >= idle_ms * kNsPerMs) end();
}

size_t SyslogPeer::read(size_t max_bytes) {
  size_t total = 0;
  while (total < max_bytes && wants_bytes()) {
    const size_t got = fill(max_bytes - total);
    total += got;
    (void)hand_over();
    if (got == 0) break;
  }
  return total;
}

size_t SyslogPeer::fill(size_t max_bytes) {
  const StreamBuffer::Room room = buffer_.room();
  std::array<char, kReadBytes> block;
  if (room.size <= SyslogFramer::kSlack) return 0;
  const size_t want = std::min({block.size(), room.size - SyslogFramer::kSlack, max_bytes});
  const ssize_t n = ::recv(fd_.get(), block.data(), want, MSG_DONTWAIT);
  if (n <= 0) {
    if (n == 0 || (errno != EAGAIN && errno != EINTR)) end();
    return 0;
  }
  last_byte_ = clock_.mono();
  stats_.bytes += static_cast<uint64_t>(n);
  buffer_.filled(framer_.decode({block.data(), static_cast<size_t>(n)}, room.data));
  note_framing();
  return static_cast<size_t>(n);
}

bool SyslogPeer::hand_over() {
  if (done_) return false;
  if (ended_) {
    finish();
    return done_;
  }
  const bool no_room = buffer_.room().size <= SyslogFramer::kSlack;
  const StreamBuffer::Handed handed = buffer_.hand_over(no_room ? Reading::full : Reading::more);
  stalled_ = handed.declined || buffer_.room().size <= SyslogFramer::kSlack;
  if (stalled_) retry_ = {clock_.mono().ns + kRetryMs * kNsPerMs};
  return !handed.taken.empty();
}

// Nothing more comes: what the framer held back is the end of an unterminated message.
void SyslogPeer::end() {
  ended_ = true;
  fd_.reset();
  const StreamBuffer::Room room = buffer_.room();
  if (room.size >= SyslogFramer::kSlack) buffer_.filled(framer_.finish(room.data));
  note_framing();
  finish();
}

void SyslogPeer::finish() {
  while (true) {
    const StreamBuffer::Handed handed = buffer_.finish();
    stalled_ = handed.declined;
    done_ = !handed.declined;
    if (stalled_) retry_ = {clock_.mono().ns + kRetryMs * kNsPerMs};
    if (done_ || handed.taken.empty()) return;
  }
}

void SyslogPeer::note_framing() noexcept {
  stats_.received += framer_.messages() - messages_;
  messages_ = framer_.messages();
  const uint64_t trouble = framer_.trimmed() + framer_.bad_headers();
  stats_.refused += trouble - trouble_;
  trouble_ = trouble;
}

}  // namespace nines::collector
