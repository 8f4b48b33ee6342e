// SHA-256 (FIPS 180-4), for chains of records that must show when they were altered. Of our own,
// since core links no library of cryptography; nothing secret passes through it.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace nines {

using Sha256 = std::array<uint8_t, 32>;
Sha256 sha256(std::string_view bytes) noexcept;
std::string hex_of(const Sha256& digest);

}  // namespace nines
