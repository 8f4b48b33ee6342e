// How common bytes are in logs: for choosing the rarest part of a literal to look for.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace nines::query {

// 0: hardly ever; 255: the commonest. From access logs, JSON logs and syslog; the order is what
// matters.
constexpr std::array<uint8_t, 256> make_byte_ranks() {
  constexpr std::string_view kCommonFirst =
      " 0123e\"/"
      "o.4ta56ins7:89r-l,cdpmuhgbTf_vyGIk=MS[]AOPELw+()xCRNZWqj{}DzF;UHBXVKJ&%?YQ|<>'\\#@$*!"
      "~^`\t";
  std::array<uint8_t, 256> ranks{};
  for (size_t b = 0x80; b < 256; ++b) ranks[b] = 30;  // whole texts of them, or none
  uint8_t rank = 250;
  for (const char c : kCommonFirst) {
    ranks[static_cast<unsigned char>(c)] = rank;
    rank = static_cast<uint8_t>(rank - 2);
  }
  ranks['\n'] = 120;
  ranks[0] = 20;
  return ranks;
}
inline constexpr std::array<uint8_t, 256> kByteRank = make_byte_ranks();

constexpr int rank_of(char c, bool either_case) noexcept {
  const int rank = kByteRank[static_cast<unsigned char>(c)];
  if (!either_case || !((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'))) return rank;
  const int other = kByteRank[static_cast<unsigned char>(c ^ 0x20)];
  return rank > other ? rank : other;
}

}  // namespace nines::query
