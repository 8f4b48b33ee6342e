// Mutual TLS 1.3 between nodes of a cluster. The files are read again when they change; sessions
// that stand keep what they were made with.
#pragma once

#include <boost/asio/ssl.hpp>
#include <memory>
#include <string>
#include <vector>

#include "nines/base/result.hpp"
#include "nines/peer/driver.hpp"
#include "nines/peer/role.hpp"

namespace nines::peer {

class TlsFiles {
 public:
  explicit TlsFiles(TlsSettings settings) : settings_(std::move(settings)) {}

  bool enabled() const { return !settings_.certificate.empty(); }
  // Reads them if they are not read yet or have changed. On failure what was read before stays.
  Status refresh();
  // REQUIRES a refresh() that was ok; null without files.
  std::shared_ptr<boost::asio::ssl::context> context() const { return context_; }
  Role role() const { return role_; }  // that the own certificate gives
  // Not empty: the key can be read by more than its owner and group.
  std::string key_warning() const;

 private:
  std::string stamp() const;  // of the files: differs when one was replaced

  TlsSettings settings_;
  std::string stamp_;
  std::shared_ptr<boost::asio::ssl::context> context_;
  Role role_ = Role::node;
};

// What the certificate that the other side has shown says: DNS names are the nodes it may be (none:
// the nameless node, which nobody is), and the role. Error: a role that is not known here.
Result<Credentials> credentials_of(SSL* ssl);

// One port, two uses: which one is agreed on in the handshake (ALPN). Who offers nothing is a peer.
enum class Protocol : uint8_t { peer, query };
void offer_protocol(SSL* ssl, Protocol protocol);
Protocol agreed_protocol(SSL* ssl);

}  // namespace nines::peer
