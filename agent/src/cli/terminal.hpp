// What the terminal behind stdout can show.
#pragma once

#include <cstddef>

#include "app/snapshot.hpp"
#include "cli/commands.hpp"

namespace nines::agent {

struct Terminal {
  size_t width = 120;
  bool color = false;  // a terminal, and NO_COLOR is not set (no-color.org)
};
Terminal terminal_of_stdout();

// The status of every SLO (and, as a table, of every source) on stdout.
void print_status(const Snapshot& snapshot, Output output);

}  // namespace nines::agent
