// Numbers of log lines as exact decimals.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "nines/log/value.hpp"

namespace nines::log {

// Exact decimal where 18 digits do, else the nearest double; text when it is no number.
Value number_value(std::string_view text) noexcept;
// An unsigned integer of at most 18 digits as a number, else null.
Value integer_value(std::string_view text) noexcept;

// A whole number of one to eight digits without a loop over them. `begin`: from where on bytes
// before the text may be read. False: it is none, or cannot be read this way.
inline bool few_digits(std::string_view text, const char* begin, int32_t& out) noexcept {
  constexpr size_t kBytes = 8;
  const char* const end = text.data() + text.size();
  if (std::endian::native != std::endian::little || text.empty() || text.size() > kBytes ||
      end - begin < static_cast<std::ptrdiff_t>(kBytes)) {
    return false;
  }
  uint64_t v = 0;
  std::memcpy(&v, end - kBytes, kBytes);
  const size_t before = 8 * (kBytes - text.size());  // bits of what is not the text's
  v = (v ^ 0x3030303030303030) >> before << before;
  if (((v | (v + 0x7676767676767676)) & 0x8080808080808080) != 0) return false;  // some byte > 9
  v = v * 2561 >> 8 & 0x00ff00ff00ff00ff;  // pairs of digits: 10 a + b
  v = v * 6553601 >> 16 & 0x0000ffff0000ffff;
  out = static_cast<int32_t>(v * 42949672960001 >> 32);
  return true;
}

}  // namespace nines::log
