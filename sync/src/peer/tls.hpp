// Mutual TLS 1.3 between nodes of a cluster. The files are read again when they change; sessions
// that stand keep what they were made with.
#pragma once

#include <boost/asio/ssl.hpp>
#include <memory>
#include <string>
#include <vector>

#include "nines/base/result.hpp"
#include "nines/peer/driver.hpp"

namespace nines::peer {

class TlsFiles {
 public:
  explicit TlsFiles(TlsSettings settings) : settings_(std::move(settings)) {}

  bool enabled() const { return !settings_.certificate.empty(); }
  // Reads them if they are not read yet or have changed. On failure what was read before stays.
  Status refresh();
  // REQUIRES a refresh() that was ok.
  std::shared_ptr<boost::asio::ssl::context> context() const { return context_; }

 private:
  std::string stamp() const;  // of the files: differs when one was replaced

  TlsSettings settings_;
  std::string stamp_;
  std::shared_ptr<boost::asio::ssl::context> context_;
};

// DNS names of the certificate that the peer has shown: the nodes it may be.
std::vector<std::string> certified_names(SSL* ssl);

}  // namespace nines::peer
