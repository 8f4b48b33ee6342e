// QueryDialer: opens connections that carry a distributed query to nodes whose address is known.
// Needs no agent: it has a thread of its own for its sockets. How such a connection begins:
// sync/src/peer/README.md. An agent that has peers uses PeerDriver::open_query, which also reaches
// nodes that only connect outwards.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "nines/base/result.hpp"
#include "nines/base/time.hpp"
#include "nines/peer/driver.hpp"
#include "nines/stream/byte_stream.hpp"

namespace nines::peer {

class QueryDialer {
 public:
  // `clock` outlives it. Without certificates (`tls` empty) only loopback is spoken to. `stopped`
  // (may be empty) is looked at by who waits, several times a second: then open() ends with
  // `cancelled`.
  static Result<std::unique_ptr<QueryDialer>> create(const Clock& clock, TlsSettings tls,
                                                     std::function<bool()> stopped = {});
  ~QueryDialer();  // REQUIRES that the streams it gave are gone

  // Any thread, any number at once; blocks until `deadline` at most. `address`: "host:port";
  // `node`: must be the one that answers, by its certificate. Empty: whoever does.
  //   unavailable: nobody, or somebody else, answers; exhausted: it is busy, in its own words;
  //   unsupported: it knows no queries, or this certificate may not ask; timeout
  Result<std::unique_ptr<stream::ByteStream>> open(const std::string& address,
                                                   const std::string& node, Instant deadline);

  struct Reached {
    std::string node;  // by its own word, and that of its certificate
    std::unique_ptr<stream::ByteStream> stream;
  };
  // Whoever answers there. Errors as open().
  Result<Reached> reach(const std::string& address, Instant deadline);

 private:
  struct Impl;
  explicit QueryDialer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace nines::peer
