// What peers say to each other: the bodies of frames, msgpack arrays. Decoding is strict: lists are
// bounded, an unexpected kind of value or bytes behind the end make the message corrupt.
#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "nines/fleet/fleet_state.hpp"
#include "peer/frame.hpp"
#include "peer/query_opening.hpp"

namespace nines::peer {

inline constexpr uint64_t kProtocol = 1;  // the newest spoken here, and the oldest
inline constexpr size_t kMaxOrigins = 4096, kMaxParts = 16'384, kMaxWanted = 1024, kMaxSeries = 32;

struct Hello {  // 1, both ways, first
  std::string cluster, node;
  uint64_t boot = 0;
  uint64_t incarnation = 0;  // chance of this process: tells a cloned node from itself
  uint64_t protocol_min = kProtocol, protocol_max = kProtocol;
  uint64_t capabilities = 0;  // bits 0 to 47
  WallTime wall{};
  // Where the sender takes connections; 0: it does not. Told in bits 48 to 63 of the capabilities,
  // since older peers take no more than eight fields.
  uint16_t port = 0;
};
// Capabilities.
inline constexpr uint64_t kCanBeCalled = 1;  // understands call

struct Welcome {  // 2, answers a hello
  // The life of the receiver that the sender has heard of last; 0: none.
  uint64_t known_boot = 0, known_incarnation = 0;
};
struct Ping {      // 3, from the side that connected
  int64_t t1 = 0;  // its own clock, given back
  // Of the receiver's clock against the sender's, as measured so far; uncertainty < 0: not yet.
  int64_t offset_ns = 0, uncertainty_ns = -1;
  uint64_t state = 0;  // hash of the fleet state
};
struct Pong {  // 4
  int64_t t1 = 0, t2 = 0, t3 = 0;
  uint64_t state = 0;
};
struct Ask {  // 5, for digests: of origins; of one origin's parts; of those of some series
  uint64_t request = 0;
  std::string origin;  // empty: of origins
  std::vector<uint64_t> series;
};
struct OriginDigests {  // 6
  uint64_t request = 0;
  std::vector<fleet::OriginDigest> origins;
};
struct PartDigests {  // 7
  uint64_t request = 0;
  std::string origin;
  std::vector<fleet::PartDigest> parts;
};
struct Want {  // 8
  uint64_t request = 0;
  std::string origin;
  std::vector<fleet::PartKey> keys;
};
struct Parts {           // 9
  uint64_t request = 0;  // 0: told unasked
  bool last = true;      // of the answers to the request
  std::string origin;
  struct Part {
    fleet::PartKey key;
    std::string body;
  };
  std::vector<Part> parts;
};
struct Probe {  // 10: when did you last hear that node?
  std::string node;
};
struct Seen {  // 11
  std::string node;
  int64_t ago_ms = -1;  // < 0: never
};
struct Bye {  // 12
  enum class Reason : uint8_t { shutdown, cluster, protocol, duplicate, cloned, self, fault };
  Reason reason = Reason::shutdown;
  std::string text;
};
struct Call {  // 13, to those who can be called: connect to me with this token, I have a query
  std::string token;
};
struct NoCall {  // 14: why not
  std::string token, text;
};

using Message = std::variant<Hello, Welcome, Ping, Pong, Ask, OriginDigests, PartDigests, Want,
                             Parts, Probe, Seen, Bye, Call, NoCall>;

std::string encode(const Message& message);  // the whole frame
Result<Message> decode(const Frame& frame);

}  // namespace nines::peer
