// What the block index leaves of a file.
#pragma once

#include <string>
#include <vector>

#include "nines/collector/scan.hpp"
#include "scan/shape.hpp"

namespace nines::collector {

// Takes out of `ranges` (in order, apart from each other) what cannot hold a row of `plan`; counts
// it in `skipped`. Gives what to say of it; empty when nothing was left out. `fd`: a file of that
// size, not compressed.
std::string leave_out_by_index(int fd, int64_t size, const ScanShape& shape,
                               const query::ScanPlan& plan, const ScanOptions& options,
                               std::vector<FileScan::Part>& ranges, ScanStats& skipped);

}  // namespace nines::collector
