#pragma once

#include <string>
#include <string_view>

namespace nines::store {

inline constexpr size_t kMaxWords = 32, kMaxWordBytes = 64;

// The words of a text as a query of FTS5 that finds any of them; nothing in the text is taken for
// syntax. Empty: there is no word in it.
std::string words_of(std::string_view text);

}  // namespace nines::store
