// The status for a person at a terminal: one line an SLO, then one line a source. Pure text; the
// caller decides about width and colour (NO_COLOR, not a terminal).
#pragma once

#include <string>

#include "app/snapshot.hpp"

namespace nines::agent::view {

struct TableOptions {
  size_t width = 120;   // columns; less important columns are left out until the rest fits
  bool color = false;   // ANSI escapes
  bool unicode = true;  // block characters in bars; else '#' and '.'
};

std::string status_table(const Snapshot& snapshot, const TableOptions& options);
std::string sources_table(const Snapshot& snapshot, const TableOptions& options);

}  // namespace nines::agent::view
