// Which fields the first records of some content have.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "scan/bytes.hpp"
#include "scan/shape.hpp"

namespace nines::collector {

// Each once, in the order of the records. None where they cannot be read.
std::vector<std::string> sample_names(const ScanShape& shape, const ScanOptions& options,
                                      std::unique_ptr<ScanBytes> bytes);

}  // namespace nines::collector
