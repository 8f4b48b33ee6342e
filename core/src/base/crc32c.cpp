#include "nines/base/crc32c.hpp"

#include <array>
#include <cstddef>

namespace nines {
namespace {

constexpr uint32_t kPolynomial = 0x82f63b78;  // reflected

// One table of 1 KiB: rows are about a kilobyte and come once a minute, so slicing by eight would
// buy nothing but cache misses.
constexpr std::array<uint32_t, 256> make_table() {
  std::array<uint32_t, 256> table{};
  for (uint32_t i = 0; i < 256; ++i) {
    uint32_t c = i;
    for (int k = 0; k < 8; ++k) c = (c & 1) != 0 ? (c >> 1) ^ kPolynomial : c >> 1;
    table[i] = c;
  }
  return table;
}
constexpr auto kTable = make_table();

}  // namespace

uint32_t crc32c(std::string_view bytes, uint32_t crc) noexcept {
  crc = ~crc;
  for (const char byte : bytes) {
    crc = kTable[(crc ^ static_cast<unsigned char>(byte)) & 0xffU] ^ (crc >> 8);
  }
  return ~crc;
}

}  // namespace nines
