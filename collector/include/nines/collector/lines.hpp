// Where lines end, in each encoding.
#pragma once

#include <cstring>
#include <string_view>

#include "nines/collector/stream.hpp"

namespace nines::collector {

// The position behind the first line end in `data`; npos: none. `offset` of data[0] within the
// stream tells which bytes of UTF-16 belong together.
inline size_t next_line(std::string_view data, Encoding encoding, int64_t offset) noexcept {
  size_t from = 0;
  while (from < data.size()) {
    const void* found = std::memchr(data.data() + from, '\n', data.size() - from);
    if (found == nullptr) break;
    const auto at = static_cast<size_t>(static_cast<const char*>(found) - data.data());
    if (encoding == Encoding::bytes) return at + 1;
    const bool second = ((offset + static_cast<int64_t>(at)) & 1) != 0;
    if (encoding == Encoding::utf16le && !second && at + 1 < data.size() && data[at + 1] == '\0') {
      return at + 2;
    }
    if (encoding == Encoding::utf16be && second && at > 0 && data[at - 1] == '\0') return at + 1;
    from = at + 1;
  }
  return std::string_view::npos;
}

}  // namespace nines::collector
