// CRC-32C (Castagnoli): finds every burst up to 32 bits, which is what a worn SD card produces.
#pragma once

#include <cstdint>
#include <string_view>

namespace nines {

// Continues from `crc` (0 to begin), so that crc32c(b, crc32c(a)) is the checksum of a then b.
uint32_t crc32c(std::string_view bytes, uint32_t crc = 0) noexcept;
// The same where the processor has no instruction for it; for tests.
uint32_t crc32c_by_table(std::string_view bytes, uint32_t crc = 0) noexcept;

}  // namespace nines
