#include "nines/base/bytes_text.hpp"

namespace nines {
namespace {

constexpr std::string_view kHex = "0123456789abcdef";
constexpr std::string_view kPlain =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::string_view kUrl =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

std::string encode(std::string_view bytes, std::string_view digits) {
  std::string out;
  out.reserve((bytes.size() + 2) / 3 * 4);
  uint32_t bits = 0;
  unsigned held = 0;
  for (const char c : bytes) {
    bits = bits << 8 | static_cast<unsigned char>(c);
    for (held += 8; held >= 6; held -= 6) out += digits[bits >> (held - 6) & 63];
  }
  if (held > 0) out += digits[bits << (6 - held) & 63];
  return out;
}

std::optional<std::string> decode(std::string_view text, std::string_view digits) {
  std::string out;
  out.reserve(text.size() / 4 * 3 + 2);
  uint32_t bits = 0;
  unsigned held = 0;
  for (const char c : text) {
    const size_t digit = digits.find(c);
    if (digit == std::string_view::npos) return std::nullopt;
    bits = bits << 6 | static_cast<uint32_t>(digit);
    if ((held += 6) < 8) continue;
    held -= 8;
    out += static_cast<char>(bits >> held & 0xFF);
  }
  // A digit of no byte, or bits that no byte has: the same bytes are written otherwise.
  if (held >= 6 || (bits & ((1U << held) - 1)) != 0) return std::nullopt;
  return out;
}

}  // namespace

void append_hex(std::string& out, uint8_t byte) {
  out += kHex[byte >> 4];
  out += kHex[byte & 15];
}

std::string hex_of(std::string_view bytes) {
  std::string out;
  out.reserve(2 * bytes.size());
  for (const char c : bytes) append_hex(out, static_cast<uint8_t>(c));
  return out;
}

std::string hex_of(uint64_t value) {
  std::string out;
  for (int shift = 56; shift >= 0; shift -= 8)
    append_hex(out, static_cast<uint8_t>(value >> shift));
  return out;
}

std::string base64_of(std::string_view bytes) {
  std::string out = encode(bytes, kPlain);
  out.append((4 - out.size() % 4) % 4, '=');
  return out;
}

std::string base64_url_of(std::string_view bytes) { return encode(bytes, kUrl); }

std::optional<std::string> bytes_of_base64(std::string_view text) {
  if (text.size() % 4 != 0) return std::nullopt;
  for (int i = 0; i < 2 && text.ends_with('='); ++i) text.remove_suffix(1);
  return decode(text, kPlain);
}

std::optional<std::string> bytes_of_base64_url(std::string_view text) { return decode(text, kUrl); }

}  // namespace nines
