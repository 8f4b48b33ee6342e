// ByteStream: a connection that carries the bytes of one distributed query, whatever is below it:
// mutual TLS to a peer, the pipes of an ssh, messages of a broker. Blocking: used by one thread
// that reads and one that writes (they may be the same). Back-pressure is that of the stream
// itself: who does not read makes the other's write() wait, so that nothing is kept beyond its
// buffers.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "nines/base/result.hpp"
#include "nines/base/time.hpp"

namespace nines::stream {

class ByteStream {
 public:
  virtual ~ByteStream() = default;  // closes; nobody is in a call then

  // Some bytes, as soon as there are any; 0: the other side has ended it in good order. Errors:
  // `timeout` at the deadline (it may be read again), `cancelled` after close(), `unavailable`:
  // it broke, and what was underway is lost.
  virtual Result<size_t> read(std::span<char> into, Instant deadline) = 0;
  // All of it. Errors as read(); after any of them the stream is of no use any more.
  virtual Status write(std::string_view bytes, Instant deadline) = 0;
  // Any thread, at any time, more than once: calls that wait come back with `cancelled`, and the
  // other side learns that it is over.
  virtual void close() = 0;

  // What carries it can carry another conversation when both sides have ended this one with done(),
  // which whoever asked proposes in the words of the conversation once it has everything.
  virtual bool can_be_kept() const { return false; }
  // Instead of close(). REQUIRES that nobody is in a call and that nothing of this conversation is
  // underway to this side; the stream is of no use any more.
  virtual void done() { close(); }

  struct Traffic {
    uint64_t bytes_in = 0, bytes_out = 0;  // as they are on the wire, as far as that is known
  };
  virtual Traffic traffic() const = 0;    // any thread
  virtual std::string where() const = 0;  // for people: "node-2 (10.0.0.7:9991)"
};

}  // namespace nines::stream
