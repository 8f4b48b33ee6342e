// StreamBuffer: bytes of a stream that cannot be read twice (a pipe, a connection) on their way to
// the consumer. What was not taken stays; when the buffer is full nobody reads on, and the kernel's
// own flow control holds up the writer: nothing is dropped.
#pragma once

#include <cstddef>
#include <memory>
#include <string_view>

#include "nines/base/time.hpp"
#include "nines/collector/stream.hpp"
#include "stream/journal_skip.hpp"

namespace nines::collector {

class StreamBuffer {
 public:
  // `consumer` and `clock` must outlive it. A record that may go on is taken after hold_ms.
  StreamBuffer(RecordConsumer& consumer, const Clock& clock, size_t capacity,
               int64_t hold_ms = 1000);
  ~StreamBuffer();  // tells the consumer that the stream is closed, if it was opened
  StreamBuffer(const StreamBuffer&) = delete;
  StreamBuffer& operator=(const StreamBuffer&) = delete;

  LogStream& stream() noexcept { return stream_; }
  const LogStream& stream() const noexcept { return stream_; }
  void open();  // stream() is complete: the consumer may see it

  struct Room {
    char* data;
    size_t size;  // 0: full
  };
  Room room() noexcept;
  void filled(size_t bytes) noexcept;

  struct Handed {
    std::string_view taken;  // valid until room() is called
    bool declined = false;
  };
  // One call of the consumer with all there is. Reading::more becomes `full` where it is.
  Handed hand_over(Reading how);

  // What stands at the front will not be handed over: an entry that was taken before (journal
  // only).
  void pass_over_entry() noexcept;

  size_t unread() const noexcept { return end_ - begin_; }
  std::string_view data() const noexcept { return {buffer_.get() + begin_, end_ - begin_}; }
  bool full() const noexcept { return begin_ == 0 && end_ == capacity_; }
  // When Reading::quiet is due because a record is held back; {INT64_MAX}: it is not.
  Instant due() const noexcept { return due_; }
  // The last word: an unterminated record is taken, the stream is closed.
  Handed finish();
  // Forgets what was not taken: it will come again.
  void clear() noexcept;

 private:
  void pass_over_rest() noexcept;
  void begin_skip(std::string_view taken) noexcept;
  void advance(size_t bytes) noexcept;
  void note_size() noexcept;

  RecordConsumer& consumer_;
  const Clock& clock_;
  size_t capacity_;
  int64_t hold_ms_;
  std::unique_ptr<char[]> buffer_;
  size_t begin_ = 0, end_ = 0;
  LogStream stream_;
  Instant due_{INT64_MAX};
  bool opened_ = false;
  bool passing_over_ = false;  // the rest of a record that was taken cut
  JournalSkip skip_;           // where in its entry that rest begins
};

}  // namespace nines::collector
