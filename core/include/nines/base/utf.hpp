// UTF-8 that is cut in the right place, and UTF-8 made of UTF-16.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace nines {

// At most `limit` bytes of `text`, not cut within a UTF-8 character. Bytes that are no UTF-8 are
// cut at the limit.
std::string_view cut_utf8(std::string_view text, size_t limit) noexcept;
// `text` without a last character of which bytes are missing.
std::string_view whole_utf8(std::string_view text) noexcept;

// Appends at most `limit` bytes of UTF-8 for `units`. Lone surrogates and a last odd byte become
// U+FFFD and are counted.
struct Transcoded {
  size_t replaced = 0;
  bool cut = false;
};
Transcoded append_utf16(std::string& out, std::string_view units, bool big_endian, size_t limit);

}  // namespace nines
