// NKeys (github.com/nats-io/nkeys): Ed25519 seeds and public keys in base32 with a prefix byte and
// a CRC-16, and the signature that NATS asks for.
#pragma once

#include <string>
#include <string_view>

#include "nines/base/result.hpp"

namespace nines::broker {

struct NKey {
  std::string public_key;  // "U...", as text
  std::string secret;      // 32 bytes
};
// Of a seed, "SU...". Errors never hold any of it.
Result<NKey> parse_seed(std::string_view seed);
Result<std::string> sign(const NKey& key, std::string_view bytes);

}  // namespace nines::broker
