// Connections of queries between one query and the next, so that who asks the same nodes again does
// not pay for TLS again (2 to 3 ms of CPU a node). Both sides have ended the last query with
// ByteStream::done(); then
//
//   again   <-   who was asked would take another opening on this connection
//   ask     ->   as on a new one, and judged as such: the role, the name, how many ask already
//
// Bounded in number, in time unused and in age, and of no use once the certificates were replaced.
// On the thread of `io`.
#pragma once

#include <functional>
#include <list>
#include <memory>
#include <string>

#include "nines/peer/driver.hpp"
#include "peer/query_opening.hpp"
#include "peer/query_port.hpp"
#include "peer/socket_stream.hpp"

namespace nines::peer {

class KeptQueries : public std::enable_shared_from_this<KeptQueries> {
 public:
  struct Hooks {
    std::function<std::shared_ptr<asio::ssl::context>()> context;
    std::function<Opening(const Opening&, const Credentials&)> judge;
    std::function<std::shared_ptr<void>()> take_slot;
    std::function<void(std::unique_ptr<stream::ByteStream>, const Credentials&)> serve;
  };
  KeptQueries(asio::io_context& io, const Clock& clock, const DriverSettings& settings, Hooks hooks)
      : io_(io), clock_(clock), settings_(settings), hooks_(std::move(hooks)) {}

  // For StreamParts: of a connection made now on which `from` asks this node, or on which this node
  // asks `node`.
  OnRest after_answering(const Credentials& from);
  OnRest after_asking(const std::string& node);

  // A stream to `node` over a connection that was kept. `exhausted`: it is busy. Any other error:
  // there is none that is of use, connect.
  static asio::awaitable<void> ask(std::shared_ptr<KeptQueries> self, std::string node,
                                   Instant deadline, StreamResult* result);

 private:
  struct Kept {
    std::shared_ptr<RestingWire> wire;
    std::string node;    // at the other end
    bool asks = false;   // this node asks there
    bool ready = false;  // and may
    Instant until{};
    std::shared_ptr<asio::steady_timer> wake;  // of who waits for it
  };
  using KeptPtr = std::shared_ptr<Kept>;

  // Null: it is closed.
  KeptPtr keep(std::shared_ptr<RestingWire> wire, const std::string& node, bool asks, Instant born);
  bool has_room(const std::string& node, bool asks) const;
  KeptPtr take(const std::string& node);
  static asio::awaitable<void> answer_again(std::shared_ptr<KeptQueries> self, KeptPtr kept,
                                            Credentials from);
  static asio::awaitable<void> wait_to_ask(std::shared_ptr<KeptQueries> self, KeptPtr kept);

  asio::io_context& io_;
  const Clock& clock_;
  const DriverSettings settings_;
  const Hooks hooks_;
  std::list<KeptPtr> kept_;  // the one that was used last first
};

}  // namespace nines::peer
