// How far a query is, for a terminal.
#pragma once

#include <cstdint>
#include <string>

namespace nines::agent::query {

// "42 %  1.2 GiB of 2.9 GiB  1.1 GiB/s  2 s left  12 rows". `total` 0: not known.
std::string progress_text(int64_t done, int64_t total, uint64_t rows, int64_t elapsed_ns);

}  // namespace nines::agent::query
