// The little file reading that configuration needs.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "nines/base/result.hpp"

namespace nines::agent::config {

// A whole regular file of at most max_bytes. The error names the file and the reason.
Result<std::string> read_file(const std::string& path, size_t max_bytes);

// Where a file that `file` names is: relative paths lie beside it. An empty one stays empty.
std::string beside(const std::string& file, const std::string& path);

// A folder's *.yaml, *.yml and *.json in the order of their names (not its sub-folders, nor hidden
// files), or the file itself. At most 1000 files.
Result<std::vector<std::string>> document_files(const std::string& path);

}  // namespace nines::agent::config
