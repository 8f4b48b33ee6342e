// Connections of distributed queries: those that ask this node, those to nodes that are asked, and
// calls: a node that cannot be dialled is asked over its session to connect to this one, with a
// token that is good for one connection of that node within a few seconds. On the thread of `io`,
// but for what says otherwise.
#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "nines/peer/driver.hpp"
#include "peer/query_opening.hpp"
#include "peer/socket_stream.hpp"

namespace nines::peer {

using StreamResult = Result<std::unique_ptr<stream::ByteStream>>;

// Somebody waits for a connection, in another thread. The first result counts.
class Awaited {
 public:
  void give(StreamResult result);
  // `stopped` (may be empty): nobody wants it any more.
  StreamResult take(const Clock& clock, Instant deadline,
                    const std::function<bool()>& stopped = {});

 private:
  std::mutex mutex_;
  std::condition_variable given_;
  std::optional<StreamResult> result_;
  bool over_ = false;
};

struct QueryDial {
  asio::io_context& io;
  const Clock& clock;
  std::shared_ptr<asio::ssl::context> context;  // null: plain, on loopback only
  std::string address, node;                    // node: must answer, if it is not empty
  Opening opening;
  Instant deadline{};
  std::shared_ptr<void> slot;
  std::shared_ptr<OpenStreams> open;
  std::function<OnRest(const Credentials& reached)> rests{};  // null: it carries one query
  // What came of it.
  StreamResult result = Error{Errc::unavailable, "not dialled"};
  Credentials reached{};
  std::string answered{};  // the node's name
};
asio::awaitable<void> dial_query(std::shared_ptr<QueryDial> dial);

class KeptQueries;

class QueryPort : public std::enable_shared_from_this<QueryPort> {
 public:
  struct Route {
    std::string address;  // empty: it cannot be dialled
    bool callable = false, known = false;
  };
  struct Hooks {
    std::function<Route(const std::string& node)> route;
    std::function<bool(const std::string& node, const std::string& token)> call;
    std::function<void(LinkId link, const std::string& token, const std::string& why)> decline;
    std::function<std::shared_ptr<asio::ssl::context>()> context;  // null: there is no TLS
  };
  QueryPort(asio::io_context& io, const Clock& clock, const DriverSettings& settings,
            std::string self, std::shared_ptr<PeerDriver::Counters> counters, Hooks hooks);

  void serve(PeerDriver::OnQuery on_query) { on_query_ = std::move(on_query); }
  void keep_connections();  // once, before it is used: for further queries
  // `begun`: the magic is read already. Ends when the stream is handed over or refused.
  static asio::awaitable<void> take_in(std::shared_ptr<QueryPort> self, WirePtr wire,
                                       Credentials from, bool begun);
  // A peer asks this node to connect.
  void called(const Output::Call& call);
  void declined(const Output::NoCall& answer);
  void tick();
  // All that waits and all that is open ends with `cancelled`. Any thread.
  void stop();

  // Any thread but that of io; blocks.
  StreamResult open(const std::string& node, Instant deadline);

 private:
  struct Call {
    std::string node;
    std::shared_ptr<Awaited> awaited;
    Instant expires{};
  };
  Opening judge(const Opening& opening, const Credentials& from) const;
  std::shared_ptr<void> take_slot();
  void serve(std::unique_ptr<stream::ByteStream> stream, const Credentials& asker);
  static asio::awaitable<void> reach(std::shared_ptr<QueryPort> self, std::string node,
                                     std::shared_ptr<Awaited> awaited, Instant deadline);
  static asio::awaitable<void> call_back(std::shared_ptr<QueryPort> self, Output::Call call);
  void call(const std::string& node, const std::shared_ptr<Awaited>& awaited, Instant deadline,
            const std::string& before);
  std::shared_ptr<Awaited> redeem(const Opening& opening, const Credentials& from);

  asio::io_context& io_;
  const Clock& clock_;
  const DriverSettings settings_;
  const std::string self_;
  const std::shared_ptr<PeerDriver::Counters> counters_;
  const Hooks hooks_;
  PeerDriver::OnQuery on_query_;
  std::map<std::string, Call> calls_;  // by token
  const std::shared_ptr<std::atomic<size_t>> serving_ = std::make_shared<std::atomic<size_t>>(0);
  const std::shared_ptr<OpenStreams> open_ = std::make_shared<OpenStreams>();
  std::shared_ptr<KeptQueries> kept_;
  std::mutex mutex_;
  bool stopped_ = false;
  std::vector<std::weak_ptr<Awaited>> waiting_;
};

}  // namespace nines::peer
