#include "remote_write_codec.hpp"

#include <snappy.h>

#include <bit>
#include <cstdint>
#include <string_view>

namespace nines::upstream {
namespace {

enum WireType : uint32_t { kVarint = 0, kFixed64 = 1, kBytes = 2 };

void put_varint(std::string& out, uint64_t value) {
  while (value >= 0x80) {
    out += static_cast<char>(value | 0x80U);
    value >>= 7U;
  }
  out += static_cast<char>(value);
}

void put_key(std::string& out, uint32_t field, WireType type) {
  put_varint(out, (field << 3U) | type);
}

void put_bytes(std::string& out, uint32_t field, std::string_view bytes) {
  put_key(out, field, kBytes);
  put_varint(out, bytes.size());
  out += bytes;
}

void put_double(std::string& out, uint32_t field, double value) {
  put_key(out, field, kFixed64);
  auto bits = std::bit_cast<uint64_t>(value);
  for (int i = 0; i < 8; ++i, bits >>= 8U) out += static_cast<char>(bits & 0xffU);
}

}  // namespace

std::string encode_write_request(std::span<const TimeSeries> series) {
  std::string out, one, part;
  for (const TimeSeries& s : series) {
    one.clear();
    for (const Label& label : s.labels) {
      part.clear();
      put_bytes(part, 1, label.name);
      put_bytes(part, 2, label.value);
      put_bytes(one, 1, part);
    }
    for (const Sample& sample : s.samples) {
      part.clear();
      put_double(part, 1, sample.value);
      put_key(part, 2, kVarint);
      put_varint(part, static_cast<uint64_t>(sample.at_ms));
      put_bytes(one, 2, part);
    }
    put_bytes(out, 1, one);
  }
  return out;
}

std::string snappy_block(const std::string& plain) {
  std::string out;
  snappy::Compress(plain.data(), plain.size(), &out);
  return out;
}

}  // namespace nines::upstream
