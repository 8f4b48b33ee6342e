// PeerDriver: a PeerNode on real sockets. Listens, connects, resolves names, speaks mutual TLS 1.3;
// the machine decides everything else. Runs on the thread of `io`. The same port takes connections
// of distributed queries, each of its own, so that pages and sync never wait behind rows.
//
// Sockets: TCP_NODELAY, TCP_USER_TIMEOUT. Names are resolved to all their addresses, again and
// again: a headless service is a peer list. Without certificates only loopback is spoken to.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "nines/base/result.hpp"
#include "nines/base/time.hpp"
#include "nines/peer/peer_node.hpp"
#include "nines/stream/byte_stream.hpp"

namespace boost::asio {
class io_context;
}

namespace nines::peer {

struct TlsSettings {
  std::string authority, certificate, key;  // PEM files; all or none
};

struct DriverSettings {
  std::string listen;              // "0.0.0.0:9991"; port 0: any; empty: only connects
  std::vector<std::string> peers;  // "host:port"
  TlsSettings tls;
  int64_t tick_ms = 500;
  int64_t resolve_every_ms = 30'000;
  int64_t reload_every_ms = 10'000;  // looks whether certificates were replaced
  int user_timeout_ms = 12'000;      // unacknowledged bytes: the link is dead
  size_t max_handshakes = 32;        // TLS handshakes of peers at once; more wait in the backlog
  // Of them from one address: whoever dawdles there leaves room for others. More are hung up on.
  size_t max_handshakes_a_source = 16;
  int64_t handshake_ms = 10'000;
  // Of distributed queries.
  size_t max_queries = 8;         // connections that ask this node at once; more are refused
  size_t max_calls = 32;          // nodes asked to call back at once
  int64_t query_dial_ms = 4'000;  // for a direct connection, when the node can also be called
  int64_t call_ms = 10'000;       // for a node that was asked to call back
  // Connections that stay open for another query: those that asked this node, and as many to nodes
  // that it asked; of each node two. Made anew after `kept_age_ms`, and when certificates were.
  size_t max_kept = 16;
  int64_t kept_ms = 60'000;  // unused; who asks gives one up a little before who was asked
  int64_t kept_age_ms = 600'000;
};

class PeerDriver {
 public:
  using OnDecision = std::function<void(const Decision&)>;
  // For the log: certificates read again or not, names that do not resolve.
  using OnNotice = std::function<void(const std::string&)>;

  // `io`, `clock` and `node` outlive it. invalid_argument: plain TCP beyond loopback, bad files.
  static Result<std::unique_ptr<PeerDriver>> start(boost::asio::io_context& io, const Clock& clock,
                                                   DriverSettings settings, PeerNode& node,
                                                   OnDecision on_decision, OnNotice on_notice);
  ~PeerDriver();  // says goodbye, as far as that goes without waiting

  uint16_t port() const;  // 0: does not listen
  // After state.publish(): tells peers at once.
  void tell();
  void set_peers(std::vector<std::string> peers);

  // Called on the thread of `io` with every connection that asks this node. Whoever keeps the
  // stream closes it, and drops it before `io` goes. Until this is called they are refused.
  using OnQuery =
      std::function<void(std::unique_ptr<stream::ByteStream>, const Credentials& asker)>;
  void serve_queries(OnQuery on_query);

  // A connection to ask `node` over: to its address, and where that fails by asking the node over
  // its session to connect to this one (it is behind NAT). Blocks; any thread but that of `io`.
  // Errors as QueryDialer::open; not_found: no such node; cancelled: the driver is gone.
  Result<std::unique_ptr<stream::ByteStream>> open_query(const std::string& node, Instant deadline);

  // Ends what waits in open_query() and closes all streams of queries, for good. Any thread.
  void stop_queries();

  struct Counters {
    uint64_t accepted = 0, handshakes_failed = 0, connects_failed = 0, reloads = 0,
             reloads_failed = 0, unresolved = 0;
    uint64_t sources_refused = 0;  // connections beyond max_handshakes_a_source
    uint64_t queries = 0;          // of other nodes that this one was asked
    uint64_t queries_refused = 0;  // too many, or not allowed
    uint64_t queries_opened = 0, calls = 0, calls_answered = 0;  // connections to other nodes
    uint64_t queries_kept = 0;  // asked of other nodes over a connection of an earlier query
  };
  const Counters& counters() const;

 private:
  struct Impl;
  explicit PeerDriver(std::shared_ptr<Impl> impl);
  std::shared_ptr<Impl> impl_;
};

}  // namespace nines::peer
