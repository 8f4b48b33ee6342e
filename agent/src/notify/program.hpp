// Runs a program that the configuration names: execve with an absolute path, no shell, no inherited
// environment, descriptors or signal settings, its own process group, and a deadline after which
// the whole group is killed. Nobody waits for what does not die of that at once: its end is told to
// whoever asked, and it is buried when it is dead.
#pragma once

#include <functional>
#include <string>

#include "nines/base/result.hpp"
#include "notify/channel.hpp"

namespace boost::asio {
class io_context;
}

namespace nines::agent::notify {

// A program that others than root and we may change, itself or on the way to it, is not run
// (trusted_path.hpp).
Status check_program(const std::string& path);

struct Exit {
  int code = 0;
  std::string message;  // the last line of its standard error
};

// Calls `done` once on the thread of `io`. An error: it was not started (invalid_argument), was
// killed by a signal, or did not end in time. The program is checked right before it is started.
void async_run(boost::asio::io_context& io, const Program& program, int64_t timeout_ms,
               std::function<void(Result<Exit>)> done);

}  // namespace nines::agent::notify
