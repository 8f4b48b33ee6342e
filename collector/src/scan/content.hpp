// Content that is no file, as a scan of one part.
#pragma once

#include <memory>

#include "nines/collector/scan.hpp"

namespace nines::collector {

// REQUIRES file.content.
Result<std::unique_ptr<FileScan>> open_content(const ScanFile& file, const query::ScanPlan& plan,
                                               const ScanOptions& options);

}  // namespace nines::collector
