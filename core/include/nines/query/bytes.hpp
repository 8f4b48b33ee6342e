// Bytes of saved states: numbers as LEB128 varints, texts with their length in front. Readers stop
// at the end and never trust a length.
#pragma once

#include <bit>
#include <cstdint>
#include <string>
#include <string_view>

namespace nines::query {

inline void put_varint(std::string& out, uint64_t v) {
  char bytes[10];
  size_t n = 0;
  for (; v >= 0x80; v >>= 7) bytes[n++] = static_cast<char>(v | 0x80);
  bytes[n++] = static_cast<char>(v);
  out.append(bytes, n);
}

// One form for each number: no superfluous zero bytes at the end, nothing beyond 64 bits.
inline bool get_varint(std::string_view& in, uint64_t& v) noexcept {
  v = 0;
  for (size_t i = 0; i < 10 && i < in.size(); ++i) {
    const auto byte = static_cast<uint8_t>(in[i]);
    if (i == 9 && byte > 1) return false;
    v |= uint64_t{byte & 0x7fU} << (7 * i);
    if (byte < 0x80) {
      in.remove_prefix(i + 1);
      return byte != 0 || i == 0;
    }
  }
  return false;
}

constexpr uint64_t zigzag(int64_t v) noexcept {
  return (static_cast<uint64_t>(v) << 1) ^ static_cast<uint64_t>(v >> 63);
}
constexpr int64_t unzigzag(uint64_t v) noexcept {
  return static_cast<int64_t>((v >> 1) ^ (0 - (v & 1)));
}

inline void put_signed(std::string& out, int64_t v) { put_varint(out, zigzag(v)); }
inline bool get_signed(std::string_view& in, int64_t& v) noexcept {
  uint64_t raw = 0;
  if (!get_varint(in, raw)) return false;
  v = unzigzag(raw);
  return true;
}

// Little endian, the same on every machine.
inline void put_fixed64(std::string& out, uint64_t v) {
  char bytes[8];
  for (size_t i = 0; i < 8; ++i) bytes[i] = static_cast<char>(v >> (8 * i));
  out.append(bytes, 8);
}
inline bool get_fixed64(std::string_view& in, uint64_t& v) noexcept {
  if (in.size() < 8) return false;
  v = 0;
  for (size_t i = 0; i < 8; ++i) v |= uint64_t{static_cast<uint8_t>(in[i])} << (8 * i);
  in.remove_prefix(8);
  return true;
}
inline void put_double(std::string& out, double v) { put_fixed64(out, std::bit_cast<uint64_t>(v)); }
inline bool get_double(std::string_view& in, double& v) noexcept {
  uint64_t bits = 0;
  if (!get_fixed64(in, bits)) return false;
  v = std::bit_cast<double>(bits);
  return true;
}

inline void put_text(std::string& out, std::string_view text) {
  put_varint(out, text.size());
  out += text;
}
inline bool get_text(std::string_view& in, std::string_view& text) noexcept {
  uint64_t size = 0;
  if (!get_varint(in, size) || size > in.size()) return false;
  text = in.substr(0, static_cast<size_t>(size));
  in.remove_prefix(static_cast<size_t>(size));
  return true;
}

inline void put_byte(std::string& out, uint8_t byte) { out += static_cast<char>(byte); }
inline bool get_byte(std::string_view& in, uint8_t& byte) noexcept {
  if (in.empty()) return false;
  byte = static_cast<uint8_t>(in.front());
  in.remove_prefix(1);
  return true;
}

}  // namespace nines::query
