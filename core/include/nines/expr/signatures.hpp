// The functions of the language, for those who offer them elsewhere: SQL around log blocks, the
// shell's completion.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace nines::expr {

struct Signature {
  std::string_view name;
  int min_args = 0, max_args = 0;
  uint32_t literal_args = 0;  // bit i: argument i must be written as a literal
};
// In the order of their names.
std::vector<Signature> function_signatures();

// How many letters to change, add or leave out to make one name of the other, for "did you mean".
size_t name_distance(std::string_view a, std::string_view b);

}  // namespace nines::expr
