// One run of ssh: its standard input and output are a stream, its words of trouble are kept.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "nines/base/result.hpp"
#include "nines/base/time.hpp"
#include "nines/stream/byte_stream.hpp"

namespace nines::agent::query {

// The program runs until the stream is dropped: then its input ends, and when it does not end by
// itself soon it is terminated. In a process group of its own, so that an interrupt from the
// terminal reaches it through the stream only, in good order.
Result<std::unique_ptr<stream::ByteStream>> run_program(const Clock& clock,
                                                        const std::vector<std::string>& arguments,
                                                        const std::string& where);

}  // namespace nines::agent::query
