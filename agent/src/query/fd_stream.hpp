// A ByteStream over file descriptors: both ends of a program's standard input and output, or a
// socket pair to one.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "nines/base/time.hpp"
#include "nines/stream/byte_stream.hpp"

namespace nines::agent::query {

struct FdStreamSettings {
  int in = -1, out = -1;  // may be the same; made non-blocking, closed with the stream
  std::string where;
  std::function<void()> closed;      // after they were, once
  std::function<std::string()> why;  // it was ended: what is known of it; may be empty
};
Result<std::unique_ptr<stream::ByteStream>> make_fd_stream(const Clock& clock,
                                                           FdStreamSettings settings);

}  // namespace nines::agent::query
