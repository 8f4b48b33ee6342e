// How far a query is, for a terminal.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "query/nodes.hpp"

namespace nines::agent::query {

// "42 %  1.2 GiB of 2.9 GiB  1.1 GiB/s  2 s left  12 rows". `total` 0: not known.
std::string progress_text(int64_t done, int64_t total, uint64_t rows, int64_t elapsed_ns);

// A line for each node: "web-1     42 %  1.2 GiB of 2.9 GiB  12 rows". Of more than `most` those
// that still work come first, and the last line counts the others.
std::vector<std::string> board_text(std::vector<NodeBoard::Line> lines, size_t most);

}  // namespace nines::agent::query
