// Runs a program that the configuration names: execve with an absolute path, no shell, no inherited
// environment, descriptors or signal settings, its own process group, and a deadline after which
// the whole group is killed.
#pragma once

#include <functional>
#include <string>

#include "nines/base/result.hpp"
#include "notify/channel.hpp"

namespace boost::asio {
class io_context;
}

namespace nines::agent::notify {

// A program that others than root and we may change is not run.
Status check_program(const std::string& path);

struct Exit {
  int code = 0;
  std::string message;  // the last line of its standard error
};

// Calls `done` once on the thread of `io`. An error: it could not be started, was killed by a
// signal, or did not end in time.
void async_run(boost::asio::io_context& io, const Program& program, int64_t timeout_ms,
               std::function<void(Result<Exit>)> done);

}  // namespace nines::agent::notify
