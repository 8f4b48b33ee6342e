#include "nines/base/utf.hpp"

namespace nines {
namespace {

constexpr uint32_t kReplacement = 0xFFFD;

bool continues(char c) noexcept { return (static_cast<unsigned char>(c) & 0xC0) == 0x80; }

// Bytes of the character that begins with `lead`.
size_t length_of(char lead) noexcept {
  const auto c = static_cast<unsigned char>(lead);
  return c < 0xC0 ? 1 : c < 0xE0 ? 2 : c < 0xF0 ? 3 : 4;
}

size_t encode(uint32_t code, char* out) noexcept {
  const auto byte = [](uint32_t bits) { return static_cast<char>(bits); };
  if (code < 0x80) {
    out[0] = byte(code);
    return 1;
  }
  if (code < 0x800) {
    out[0] = byte(0xC0 | code >> 6);
    out[1] = byte(0x80 | (code & 0x3F));
    return 2;
  }
  if (code < 0x10000) {
    out[0] = byte(0xE0 | code >> 12);
    out[1] = byte(0x80 | (code >> 6 & 0x3F));
    out[2] = byte(0x80 | (code & 0x3F));
    return 3;
  }
  out[0] = byte(0xF0 | code >> 18);
  out[1] = byte(0x80 | (code >> 12 & 0x3F));
  out[2] = byte(0x80 | (code >> 6 & 0x3F));
  out[3] = byte(0x80 | (code & 0x3F));
  return 4;
}

}  // namespace

std::string_view cut_utf8(std::string_view text, size_t limit) noexcept {
  if (text.size() <= limit) return text;
  size_t n = limit;
  for (int back = 0; back < 3 && n > 0 && continues(text[n]); ++back) --n;
  return text.substr(0, continues(text[n]) ? limit : n);
}

std::string_view whole_utf8(std::string_view text) noexcept {
  size_t behind = 0;
  while (behind < 3 && behind < text.size() && continues(text[text.size() - 1 - behind])) ++behind;
  if (behind == text.size()) return text;
  const size_t lead = text.size() - 1 - behind;
  return length_of(text[lead]) > behind + 1 ? text.substr(0, lead) : text;
}

Transcoded append_utf16(std::string& out, std::string_view units, bool big_endian, size_t limit) {
  Transcoded result;
  const size_t start = out.size();
  const auto unit = [&](size_t i) {
    const auto first = static_cast<unsigned char>(units[i]);
    const auto second = static_cast<unsigned char>(units[i + 1]);
    return static_cast<uint32_t>(big_endian ? first << 8 | second : second << 8 | first);
  };
  for (size_t i = 0; i < units.size(); i += 2) {
    uint32_t code = kReplacement;
    if (i + 1 < units.size()) {
      code = unit(i);
      const bool high = code - 0xD800 < 0x400;
      const bool pair = high && i + 3 < units.size() && unit(i + 2) - 0xDC00 < 0x400;
      if (pair) {
        code = 0x10000 + ((code - 0xD800) << 10) + (unit(i + 2) - 0xDC00);
        i += 2;
      } else if (code - 0xD800 < 0x800) {
        code = kReplacement;
        ++result.replaced;
      }
    } else {
      ++result.replaced;
    }
    char bytes[4];
    const size_t n = encode(code, bytes);
    if (out.size() - start + n > limit) {
      result.cut = true;
      break;
    }
    out.append(bytes, n);
  }
  return result;
}

}  // namespace nines
