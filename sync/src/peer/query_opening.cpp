#include "peer/query_opening.hpp"

namespace nines::peer {
namespace {

constexpr char kVersion = 1;

uint8_t at(std::string_view bytes, size_t i) { return static_cast<unsigned char>(bytes[i]); }

}  // namespace

std::string encode_opening(const Opening& opening) {
  const std::string body = (opening.token + opening.text).substr(0, kOpeningBody);
  std::string out(kQueryMagic);
  out += kVersion;
  out += static_cast<char>(opening.kind);
  out += static_cast<char>(body.size() >> 8);
  out += static_cast<char>(body.size() & 255);
  return out + body;
}

Result<size_t> opening_body(std::string_view header) {
  if (!header.starts_with(kQueryMagic)) {
    return Error{Errc::corrupt, "it does not begin as a query does"};
  }
  if (header[4] != kVersion) {
    return Error{Errc::corrupt, "it begins as a query of version " + std::to_string(at(header, 4)) +
                                    ", this node knows 1"};
  }
  const size_t size = at(header, 6) * size_t{256} + at(header, 7);
  if (size > kOpeningBody) return Error{Errc::corrupt, "its first message is too long"};
  return size;
}

Result<Opening> decode_opening(std::string_view header, std::string_view body) {
  NINES_TRY(const size_t size, opening_body(header));
  const uint8_t kind = at(header, 5);
  const bool known = kind >= 1 && kind <= static_cast<uint8_t>(Opening::Kind::again);
  if (!known || size != body.size()) return Error{Errc::corrupt, "its first message is broken"};
  Opening opening;
  opening.kind = static_cast<Opening::Kind>(kind);
  if (opening.kind == Opening::Kind::called) {
    if (body.size() < kTokenBytes) return Error{Errc::corrupt, "its token is too short"};
    opening.token = body.substr(0, kTokenBytes);
    body.remove_prefix(kTokenBytes);
  }
  opening.text = body;
  return opening;
}

}  // namespace nines::peer
