// A ByteStream on a socket. The thread of `io` moves bytes between the socket and two bounded
// buffers; read() and write() of other threads wait for them. A full buffer stops the socket, and
// so the other side.
#pragma once

#include <memory>
#include <mutex>
#include <string>
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
  void add(std::weak_ptr<Closeable> stream);
  void close_all();  // and those that are added later

 private:
  std::mutex mutex_;
  std::vector<std::weak_ptr<Closeable>> all_;
  bool closed_ = false;
};

struct StreamParts {
  WirePtr wire;                       // connected; TLS stands
  std::string where;                  // for people
  std::shared_ptr<void> slot;         // held until the connection is gone
  std::shared_ptr<OpenStreams> open;  // may be null
  size_t buffer_bytes = 256 * 1024;   // each way
  // After close(): for what is written but not out yet; then for the other side to have it.
  int64_t flush_ms = 30'000, linger_ms = 2'000;
};

// On the thread of `io`, which goes on running and outlives the stream, as `clock` does.
std::unique_ptr<stream::ByteStream> make_socket_stream(asio::io_context& io, const Clock& clock,
                                                       StreamParts parts);

}  // namespace nines::peer
