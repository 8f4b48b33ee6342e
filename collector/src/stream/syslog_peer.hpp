// One syslog connection.
#pragma once

#include <string>
#include <vector>

#include "nines/collector/input.hpp"
#include "stream/stream_buffer.hpp"
#include "stream/syslog_address.hpp"
#include "stream/syslog_framing.hpp"

namespace nines::collector {

class SyslogPeer {
 public:
  // `stats` is the listener's; all references must outlive it.
  SyslogPeer(UniqueFd fd, std::string path, std::string key, const std::vector<uint32_t>& sources,
             size_t max_message_bytes, InputStats& stats, RecordConsumer& consumer,
             const Clock& clock);

  StreamBuffer& buffer() noexcept { return buffer_; }
  const StreamBuffer& buffer() const noexcept { return buffer_; }
  const InputStats& stats() const noexcept { return stats_; }
  int fd() const noexcept { return fd_.get(); }
  bool wants_bytes() const noexcept { return !ended_ && !stalled_; }
  bool done() const noexcept { return done_; }
  Instant due(int64_t idle_ms) const noexcept;
  // What is due by the clock: records held back, another try with the consumer, the end of silence.
  void on_time(int64_t idle_ms);
  // Bytes read: 0 when nothing is there, or the consumer takes nothing now.
  size_t read(size_t max_bytes);
  // True: something was taken.
  bool hand_over();

 private:
  size_t fill(size_t max_bytes);
  void end();
  void finish();
  void note_framing() noexcept;

  UniqueFd fd_;
  SyslogFramer framer_;
  InputStats& stats_;
  const Clock& clock_;
  StreamBuffer buffer_;
  Instant last_byte_, retry_{};
  uint64_t messages_ = 0, trouble_ = 0;  // of the framer, already in stats_
  bool ended_ = false, stalled_ = false, done_ = false;
};

}  // namespace nines::collector
