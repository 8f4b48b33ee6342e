// Counting the lines of a block, fast enough to be done for each one that is searched.
#pragma once

#include <cstdint>
#include <string_view>

namespace nines::collector {

struct LineCount {
  uint64_t lines = 0;  // line ends
  bool has_nul = false;
};
LineCount count_lines(std::string_view text) noexcept;

}  // namespace nines::collector
