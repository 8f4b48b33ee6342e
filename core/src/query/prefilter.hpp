// What the search for lines takes out of a WHERE.
#pragma once

#include <string>
#include <vector>

#include "nines/query/search.hpp"

namespace nines::query {

inline constexpr size_t kMostLiterals = 192;  // of a set

struct Requirements {
  std::vector<LiteralSet> sets;  // the one that looks rarest first
  // A line that holds a literal of the only set satisfies WHERE; the field is `raw`.
  bool sufficient = false;
  // WHERE is `raw ~ 'pattern'` and nothing else.
  std::string raw_regexp;
};
Requirements requirements_of(const expr::Expression& where, const RecordShape& shape);

// Literals of the values of `level` whose rank is in `levels` (bit 0: TRACE) as a format writes
// them. False: they cannot be told.
bool level_literals(unsigned levels, log::FormatKind format, LiteralSet& out);

}  // namespace nines::query
