// PeerDriver: a PeerNode on real sockets. Listens, connects, resolves names, speaks mutual TLS 1.3;
// the machine decides everything else. Runs on the thread of `io`.
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
  int64_t handshake_ms = 10'000;
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

  struct Counters {
    uint64_t accepted = 0, handshakes_failed = 0, connects_failed = 0, reloads = 0,
             reloads_failed = 0, unresolved = 0;
  };
  const Counters& counters() const;

 private:
  struct Impl;
  explicit PeerDriver(std::shared_ptr<Impl> impl);
  std::shared_ptr<Impl> impl_;
};

}  // namespace nines::peer
