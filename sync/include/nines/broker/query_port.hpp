// QueryPort: streams of bytes (stream/byte_stream.hpp) between nodes over NATS, so that a node that
// nobody can connect to answers queries, too. It listens at nines.<cluster>.query.<node>; who asks
// gives an inbox of its own there, the node answers with one of its own, and each side publishes to
// the other's:
//
//   kind | u64 sequence | u64 consumed | bytes       big-endian; kinds:
//   'O' opened (the reply subject is the node's inbox)   'D' data, at most 60 KiB
//   'A' consumed so far, also every 5 s as a sign of life; sequence: the last one sent
//   'E' the end in good order   'C' cancelled or refused; the bytes say why
//
// NATS delivers at most once and knows no back-pressure on a subject: a gap in the sequences, 20 s
// of silence or a lost connection make a stream `unavailable`, and at most `window` messages are
// underway that the other side has not consumed. Who may ask is the broker's business: permissions
// to publish to nines.*.query.>.
//
// As a Participant it belongs to the thread of the connection; streams are for other threads.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "nines/base/result.hpp"
#include "nines/broker/bus.hpp"
#include "nines/stream/byte_stream.hpp"

namespace nines::broker {

using ServeQuery = std::function<void(std::unique_ptr<stream::ByteStream>)>;

struct QueryPortOptions {
  std::string cluster = "nines";
  std::string node;          // empty: it only asks
  size_t max_streams = 32;   // at once, asked and answered
  uint64_t window = 16;      // messages underway of a stream
  int64_t life_ms = 5'000;   // between signs of life
  int64_t dead_ms = 20'000;  // of silence
};

class QueryPort final : public Participant {
 public:
  // `clock` outlives it and its streams. `serve` takes what others ask, on the thread of the
  // connection: it must not block. `wake`, from any thread: have tick() called soon.
  QueryPort(QueryPortOptions options, const Clock& clock, ServeQuery serve,
            std::function<void()> wake);
  ~QueryPort() override;  // as stop(), but the other sides are not told
  // Streams become `cancelled`, as open() does from now on; the next tick() tells the other sides.
  void stop();

  // Any thread but that of the connection. `unavailable`: the node does not listen there, or not
  // connected; `unsupported`: NATS forbids it, in words; `timeout`; `exhausted`.
  Result<std::unique_ptr<stream::ByteStream>> open(const std::string& node, Instant deadline);

  void connected(Bus& bus, Now now) override;
  void received(uint64_t sid, const BusMessage& message, Bus& bus, Now now) override;
  void tick(Bus& bus, Now now) override;
  void lost(Now now) override;
  // Ends what cannot go on. Where it may not listen it tries again, once a minute.
  void denied(const Denied& what, Bus& bus, Now now) override;

  struct Stats {
    uint64_t asked = 0, answered = 0;  // streams that were opened here, and by others
    uint64_t refused = 0;              // of others, beyond max_streams
  };
  Stats stats() const;

 private:
  struct Core;
  std::shared_ptr<Core> core_;
};

}  // namespace nines::broker
