#include "nines/base/crc32c.hpp"

#include <array>
#include <cstddef>
#include <cstring>

#if defined(__x86_64__)
#include <nmmintrin.h>
#endif

namespace nines {
namespace {

constexpr uint32_t kPolynomial = 0x82f63b78;  // reflected

// tables[k][b]: what byte b does to the checksum k bytes later.
constexpr std::array<std::array<uint32_t, 256>, 8> make_tables() {
  std::array<std::array<uint32_t, 256>, 8> tables{};
  for (uint32_t i = 0; i < 256; ++i) {
    uint32_t c = i;
    for (int k = 0; k < 8; ++k) c = (c & 1) != 0 ? (c >> 1) ^ kPolynomial : c >> 1;
    tables[0][i] = c;
  }
  for (size_t k = 1; k < 8; ++k) {
    for (size_t i = 0; i < 256; ++i) {
      const uint32_t before = tables[k - 1][i];
      tables[k][i] = tables[0][before & 0xffU] ^ (before >> 8);
    }
  }
  return tables;
}
constexpr auto kTables = make_tables();

// Rows of the state file are about a kilobyte and come once a minute: one table is enough for them,
// eight would buy nothing but cache misses. The block index is megabytes.
constexpr size_t kManyBytes = 4096;

uint32_t by_table(std::string_view bytes, uint32_t crc) noexcept {
  const auto at = [](size_t table, uint32_t byte) { return kTables[table][byte & 0xffU]; };
  if (bytes.size() >= kManyBytes) {
    for (; bytes.size() >= 8; bytes.remove_prefix(8)) {
      std::array<unsigned char, 8> b;
      std::memcpy(b.data(), bytes.data(), b.size());
      crc = at(7, b[0] ^ crc) ^ at(6, b[1] ^ (crc >> 8)) ^ at(5, b[2] ^ (crc >> 16)) ^
            at(4, b[3] ^ (crc >> 24)) ^ at(3, b[4]) ^ at(2, b[5]) ^ at(1, b[6]) ^ at(0, b[7]);
    }
  }
  for (const char byte : bytes) {
    crc = at(0, crc ^ static_cast<unsigned char>(byte)) ^ (crc >> 8);
  }
  return crc;
}

#if defined(__x86_64__)

bool has_instruction() noexcept {
  static const bool has = __builtin_cpu_supports("sse4.2") != 0;
  return has;
}

__attribute__((target("sse4.2"))) uint32_t by_instruction(std::string_view bytes,
                                                          uint32_t crc) noexcept {
  uint64_t wide = crc;
  for (; bytes.size() >= 8; bytes.remove_prefix(8)) {
    uint64_t word;
    std::memcpy(&word, bytes.data(), sizeof word);
    wide = _mm_crc32_u64(wide, word);
  }
  crc = static_cast<uint32_t>(wide);
  for (const char byte : bytes) crc = _mm_crc32_u8(crc, static_cast<unsigned char>(byte));
  return crc;
}

#else

bool has_instruction() noexcept { return false; }
uint32_t by_instruction(std::string_view bytes, uint32_t crc) noexcept {
  return by_table(bytes, crc);
}

#endif

}  // namespace

uint32_t crc32c(std::string_view bytes, uint32_t crc) noexcept {
  return ~(has_instruction() ? by_instruction(bytes, ~crc) : by_table(bytes, ~crc));
}

uint32_t crc32c_by_table(std::string_view bytes, uint32_t crc) noexcept {
  return ~by_table(bytes, ~crc);
}

}  // namespace nines
