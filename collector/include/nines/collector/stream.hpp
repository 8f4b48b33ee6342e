// LogStream: one ordered stream of log bytes, whatever it comes from: a file, the journal, a
// connection, standard input. RecordConsumer: who makes records of it. Between the two stands one
// contract: what a consumer took, and nothing else, moves the position that is saved beside the
// counts (law 1).
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "nines/base/time.hpp"

namespace nines::collector {

// How bytes become lines.
enum class Framing : uint8_t {
  lines,            // '\n', in the encoding of the stream
  datagrams,        // each call holds exactly one record (UDP, /dev/kmsg)
  journal_entries,  // systemd's export format
};
enum class Encoding : uint8_t { bytes, utf16le, utf16be };  // bytes: ASCII and all that extend it

// Tells the content of one file from another's. The head is its first (up to) 1 KiB, the tail the
// (up to) 64 bytes before the position.
struct FileIdentity {
  uint64_t dev = 0, ino = 0;  // ino 0: not known to be anywhere
  uint64_t head_hash = 0, tail_hash = 0;
  uint16_t head_bytes = 0;
};

// Owned by the input that reads it; `user` and `extra` belong to the consumer.
struct LogStream {
  virtual ~LogStream() = default;
  // Of a file whose bytes are those of the stream; null: it is none, or compressed.
  virtual const FileIdentity* identity() const noexcept { return nullptr; }

  std::string path;               // what `source` shows; a file keeps it through rotation
  std::string key;                // stable identity for positions
  std::vector<uint32_t> matched;  // indices of the sources that it belongs to, ascending
  int64_t offset = 0;             // next byte to read = start of the first line not yet consumed
  int64_t size = 0;               // known to be there at the last look
  // Consumer's state, saved with the position (open pieces, format...). It may change although no
  // bytes were taken, with Reading::quiet and last most of all.
  std::string extra;
  bool resumed = false;  // started from a saved position
  Framing framing = Framing::lines;
  Encoding encoding = Encoding::bytes;  // set by the consumer, which sees the byte order mark
  bool holds = false;  // set by the consumer, also in opened(): `extra` holds a record back
  struct User {
    virtual ~User() = default;
  };
  std::unique_ptr<User> user;
};

// What is known of the records that begin in a piece of a stream.
struct RecordMarks {
  bool known = false;
  uint64_t reading = 0;  // how they were told from each other and read: reading_of()
  uint8_t levels = 0;    // bit i: records of Level i; bit 7: without level
  WallTime first{INT64_MAX}, last{INT64_MIN};  // of those that have a time

  void add(WallTime ts) noexcept {
    if (ts < first) first = ts;
    if (ts > last) last = ts;
  }
};

// What the input knows about the end of the data it hands over.
enum class Reading : uint8_t {
  more,   // more may come: leave an incomplete record
  full,   // the buffer holds no more: if nothing in it is complete, take it as a cut record
  quiet,  // nothing came for a while: take records held back because they might go on
  last,   // the end for good (rotated and drained, --once): an unterminated last line is a record
};

struct Taken {
  size_t bytes = 0;  // from the front, whole lines (unless mid_line); 0..data.size()
  enum class Rest : uint8_t {
    none,      // everything whole was taken; what is left is an incomplete line
    held,      // a record that may go on was held back, in the data or in `extra`
    declined,  // not now: the consumer wants to read other streams first (replay in time order)
    waiting,   // not yet: it waits for something else; ask again in a moment
  } rest = Rest::none;
  bool mid_line = false;  // ends within a line, whose rest the input is to pass over
};

class RecordConsumer {
 public:
  virtual ~RecordConsumer() = default;
  // `data` starts at stream.offset. With Reading::full something must be taken; with `quiet` and
  // `last`, `data` may be empty: only what `extra` holds back is wanted then. At its end for good,
  // a stream is always asked with `last`, for a piece of a line may wait in `extra`.
  virtual Taken consume(LogStream& stream, std::string_view data, Reading how) = 0;
  virtual void opened(LogStream& stream) = 0;
  // Drained and gone; its position is forgotten later. The input then drops stream.user. One that
  // grows again after this is opened() again and goes on where it was.
  virtual void closed(LogStream& stream) = 0;
};

}  // namespace nines::collector
