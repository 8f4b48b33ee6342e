// Certificates for peers, for those without an authority of their own: one for the cluster, one for
// each node. EC P-256, SHA-256. A node's certificate has its id as DNS name (RFC 5280) and serves
// both ends of TLS. Keys are written 0600, files replaced as a whole: agents read them again.
#pragma once

#include <string>

#include "nines/base/result.hpp"
#include "nines/base/time.hpp"
#include "nines/peer/role.hpp"

namespace nines::peer {

struct AuthorityRequest {
  std::string directory;  // gets ca.crt and ca.key; made if missing
  std::string cluster;
  int64_t valid_days = 3650;
  bool replace = false;  // otherwise an authority that is there is an error
};

struct CertificateRequest {
  std::string authority_directory;
  std::string node;
  std::string directory;  // gets node.crt, node.key and ca.crt; empty: authority_directory/NODE
  int64_t valid_days = 397;
  Role role = Role::node;
};

// What was written, for people.
struct Issued {
  std::string certificate, key, authority;
  WallTime not_after{};
};

Result<Issued> make_authority(const AuthorityRequest& request, WallTime now);
// Again for the same node: a new key and certificate take the place of the old ones.
Result<Issued> issue_certificate(const CertificateRequest& request, WallTime now);

}  // namespace nines::peer
