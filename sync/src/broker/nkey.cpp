#include "broker/nkey.hpp"

#include <openssl/evp.h>

#include <array>
#include <cstdint>
#include <memory>
#include <optional>

namespace nines::broker {
namespace {

constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
constexpr unsigned kSeedPrefix = 18 << 3;  // 'S'
constexpr size_t kKeyBytes = 32, kSeedBytes = 2 + kKeyBytes + 2, kSignatureBytes = 64;

using Key = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;
using Context = std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)>;

const unsigned char* bytes_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

std::optional<std::string> from_base32(std::string_view text) {
  std::string out;
  uint32_t bits = 0;
  int held = 0;
  for (const char c : text) {
    const size_t value = kAlphabet.find(c);
    if (value == std::string_view::npos) return std::nullopt;
    bits = (bits << 5 | static_cast<uint32_t>(value)) & 0xFFFF;
    held += 5;
    if (held < 8) continue;
    held -= 8;
    out += static_cast<char>(bits >> held & 0xFF);
  }
  return out;
}

std::string to_base32(std::string_view bytes) {
  std::string out;
  uint32_t bits = 0;
  int held = 0;
  for (const char c : bytes) {
    bits = (bits << 8 | static_cast<unsigned char>(c)) & 0xFFFF;
    for (held += 8; held >= 5; held -= 5) out += kAlphabet[bits >> (held - 5) & 31];
  }
  if (held > 0) out += kAlphabet[bits << (5 - held) & 31];
  return out;
}

// CRC-16/XMODEM, low byte first.
std::string checksum(std::string_view bytes) {
  uint32_t crc = 0;
  for (const char c : bytes) {
    crc ^= static_cast<uint32_t>(static_cast<unsigned char>(c)) << 8;
    for (int i = 0; i < 8; ++i) crc = (crc << 1 ^ ((crc & 0x8000) != 0 ? 0x1021U : 0U)) & 0xFFFF;
  }
  return {static_cast<char>(crc & 0xFF), static_cast<char>(crc >> 8)};
}

Key private_key(std::string_view secret) {
  return {EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr, bytes_of(secret), secret.size()),
          &EVP_PKEY_free};
}

}  // namespace

Result<NKey> parse_seed(std::string_view seed) {
  const auto raw = from_base32(seed);
  const Error wrong{Errc::invalid_argument, "this is no seed of an NKey (\"SU...\")"};
  if (!raw || raw->size() != kSeedBytes) return wrong;
  const std::string_view bytes(*raw);
  const auto first = static_cast<unsigned char>(bytes[0]),
             second = static_cast<unsigned char>(bytes[1]);
  if ((first & 0xF8U) != kSeedPrefix ||
      checksum(bytes.substr(0, kSeedBytes - 2)) != bytes.substr(kSeedBytes - 2)) {
    return wrong;
  }
  NKey key;
  key.secret = bytes.substr(2, kKeyBytes);
  const Key pair = private_key(key.secret);
  std::string open(kKeyBytes, '\0');
  size_t size = open.size();
  if (!pair || EVP_PKEY_get_raw_public_key(
                   pair.get(), reinterpret_cast<unsigned char*>(open.data()), &size) != 1) {
    return wrong;
  }
  const unsigned prefix = (first & 7U) << 5 | second >> 3;
  open.insert(open.begin(), static_cast<char>(prefix));
  key.public_key = to_base32(open + checksum(open));
  return key;
}

Result<std::string> sign(const NKey& key, std::string_view bytes) {
  const Key pair = private_key(key.secret);
  const Context context(EVP_MD_CTX_new(), &EVP_MD_CTX_free);
  std::string signature(kSignatureBytes, '\0');
  size_t size = signature.size();
  const bool done =
      pair && context &&
      EVP_DigestSignInit(context.get(), nullptr, nullptr, nullptr, pair.get()) == 1 &&
      EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(signature.data()), &size,
                     bytes_of(bytes), bytes.size()) == 1;
  if (!done) return Error{Errc::unsupported, "OpenSSL does not sign with Ed25519"};
  return signature;
}

}  // namespace nines::broker
