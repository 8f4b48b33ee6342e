// The key of one short text without a string to hold it: what most GROUP BYs look up for each row.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>

namespace nines::query {

inline constexpr size_t kShortText = 100;  // its size takes one byte
inline constexpr size_t kShortKey = kShortText + 2;

// The bytes that append_key() gives for the text. REQUIRES text.size() <= kShortText.
std::string_view short_text_key(std::string_view text, std::span<char, kShortKey> room) noexcept;

}  // namespace nines::query
