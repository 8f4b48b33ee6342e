// A connection within this process: what a node says to itself, and what tests of everything above
// streams use.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <utility>

#include "nines/base/time.hpp"
#include "nines/stream/byte_stream.hpp"

namespace nines::agent::query {

// Its two ends; each holds up to `capacity` bytes that the other has not read. What was written
// before a close() can still be read by the other end. `clock` outlives both.
std::pair<std::unique_ptr<stream::ByteStream>, std::unique_ptr<stream::ByteStream>> make_pipe(
    const Clock& clock, std::string where, size_t capacity = size_t{64} * 1024);

}  // namespace nines::agent::query
