// The lines around one line of a file, read again where it lies.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "incident/facts.hpp"

namespace nines::agent::incident {

// `message` is what was read of the line that begins at `offset`: where it is not found there, the
// file is another one by now (rotated, cut), and why_not says so. Reads 16 KiB at most; lines are
// cut to `most_bytes`, and say so. Of lines of containers the runtime's part is left out.
LogContext read_context(const std::string& path, int64_t offset, std::string_view message,
                        size_t before, size_t after, size_t most_bytes);

// Cut between characters; says how many bytes are missing.
std::string cut_line(std::string_view text, size_t most_bytes);

}  // namespace nines::agent::incident
