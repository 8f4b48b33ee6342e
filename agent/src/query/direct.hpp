// DirectNodes: the nodes of `peers: nodes:`, asked from this process with the certificate of
// peers:, without an agent. Who is there is found out by asking every address who it is; a name
// stands for all its addresses. Nodes that only connect outwards are not found: they are reached
// through an agent, which they are connected to.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "nines/base/result.hpp"
#include "nines/base/time.hpp"
#include "nines/peer/driver.hpp"
#include "query/nodes.hpp"

namespace nines::agent::query {

struct DirectSettings {
  std::vector<std::string> addresses;  // HOST:PORT
  std::vector<std::string> deny;       // nodes that are not asked
  peer::TlsSettings tls;               // none: loopback only
  std::function<bool()> stopped;       // looked at while others are waited for; may be empty
  int64_t find_ns = 5 * kNsPerSecond;  // for an address to say who is there
};

class DirectNodes {
 public:
  static constexpr size_t kMostAddresses = 1024;

  // Blocks: for the resolution of names, and find_ns for each 64 addresses at most. Errors:
  // invalid_argument: the certificates; cancelled; exhausted: too many addresses. `clock` outlives
  // all links.
  static Result<DirectNodes> find(const Clock& clock, DirectSettings settings);

  // By name; beside them the addresses where nobody answered or we were refused (`nameless`), and,
  // if there are any, those of `wanted` that were not found: so that nobody is left out without a
  // word.
  std::vector<NodeLink> links(const std::vector<std::string>& wanted) const;

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;  // of the links, too
};

}  // namespace nines::agent::query
