// A ByteStream on a socket. The thread of `io` moves bytes between the socket and two bounded
// buffers; read() and write() of other threads wait for them. A full buffer stops the socket, and
// so the other side.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "nines/stream/byte_stream.hpp"
#include "peer/wire.hpp"

namespace nines::peer {

class Closeable {
 public:
  virtual ~Closeable() = default;
  virtual void close() = 0;
};

// Streams that are open, so that all can be closed when the node stops. Any thread.
class OpenStreams {
 public:
  void add(const std::weak_ptr<Closeable>& stream);
  void close_all();  // and those that are added later

 private:
  std::mutex mutex_;
  std::vector<std::weak_ptr<Closeable>> all_;
  bool closed_ = false;
};

// A connection between two conversations: both sides have ended the last one with done(). On the
// thread of io. Whoever has it closes it, or resumes it once; it keeps no more than a buffer.
class RestingWire {
 public:
  virtual ~RestingWire() = default;
  virtual bool is_usable() const = 0;          // nobody has closed it, and it did not break
  virtual std::string_view heard() const = 0;  // since the last conversation
  virtual void forget(size_t bytes) = 0;       // of heard(), its first ones
  virtual void say(std::string_view bytes) = 0;
  // Called whenever something was heard, and when it is not usable any more.
  virtual void on_change(std::function<void()> changed) = 0;
  virtual const Wire& wire() const = 0;
  virtual std::unique_ptr<stream::ByteStream> resume(std::shared_ptr<void> slot) = 0;
  virtual void hang_up() = 0;
};
using OnRest = std::function<void(std::shared_ptr<RestingWire>)>;

struct StreamParts {
  WirePtr wire;                       // connected; TLS stands
  std::string where;                  // for people
  std::shared_ptr<void> slot;         // held until the connection is gone
  std::shared_ptr<OpenStreams> open;  // may be null
  OnRest on_rest;                     // on the thread of io; null: it carries one conversation
  size_t buffer_bytes = 256 * 1024;   // each way
  // After close(): for what is written but not out yet; then for the other side to have it.
  int64_t flush_ms = 30'000, linger_ms = 2'000;
};

// On the thread of `io`, which goes on running and outlives the stream, as `clock` does.
std::unique_ptr<stream::ByteStream> make_socket_stream(asio::io_context& io, const Clock& clock,
                                                       StreamParts parts);

}  // namespace nines::peer
