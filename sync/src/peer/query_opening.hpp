// How a connection of a query begins, before its bytes are the query's own: who dials says what it
// wants, who was dialled says yes with its name, or no in words. Sans I/O.
//
//   "NINQ" | u8 version | u8 kind | u16 length (big-endian) | body
//
//   1 ask     the node that is meant; may be empty
//   2 called  token (16 bytes) and the caller's name for itself: it was asked to connect
//   3 yes     the node that answers
//   4 busy, 5 forbidden    why
//   6 again   the query is over for both sides: who was asked takes another opening here, for a
//             while
//
// The first byte of a link of peers is 0, so that a port tells them apart without TLS; under TLS
// the protocol name does (ALPN).
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "nines/base/result.hpp"

namespace nines::peer {

inline constexpr std::string_view kQueryMagic = "NINQ";
inline constexpr size_t kOpeningHeader = 8;
inline constexpr size_t kOpeningBody = 512;
inline constexpr size_t kTokenBytes = 16;

struct Opening {
  enum class Kind : uint8_t { ask = 1, called, yes, busy, forbidden, again };
  Kind kind = Kind::ask;
  std::string token;  // kTokenBytes of `called`
  std::string text;   // a node or a reason; what is too long is cut
};

std::string encode_opening(const Opening& opening);
// Bytes of the body; corrupt: no such header. REQUIRES kOpeningHeader bytes.
Result<size_t> opening_body(std::string_view header);
Result<Opening> decode_opening(std::string_view header, std::string_view body);

}  // namespace nines::peer
