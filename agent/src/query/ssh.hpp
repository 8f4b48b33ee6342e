// Nodes that are reached with the user's own ssh and its configuration: nothing but a login is
// needed there, no agent and no root. The program that answers is a `nines` of this version, found
// in the PATH there or copied once to ~/.cache/nines/VERSION-HASH/.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "nines/base/result.hpp"
#include "nines/base/time.hpp"
#include "nines/stream/byte_stream.hpp"

namespace nines::agent::query {

struct SshSettings {
  std::vector<std::string> command = {"ssh"};  // the program and what it is always given
  std::string binary;  // to be copied; empty: this program, where the machine is the same
  std::function<void(const std::string&)> say;  // what was done there, a line; any thread
  std::function<bool()> stopped;  // looked at while a host is waited for; may be empty
  std::string directory;          // below ~/.cache/nines: by prepare_ssh()
  uint64_t binary_bytes = 0;
};
// Looks at the program that may have to be copied. Errors: it cannot be read.
Status prepare_ssh(SshSettings& settings);

// `host`: as ssh takes it, or HOST:PORT. Blocks until the program there answers, or `deadline`.
// Errors: invalid_argument; unavailable, with what ssh had to say; unsupported: no program there,
// and none that could be copied.
Result<std::unique_ptr<stream::ByteStream>> open_ssh(const Clock& clock,
                                                     const SshSettings& settings,
                                                     const std::string& host, Instant deadline);

// What `nines query-node --hello` prints: programs that print the same understand each other.
std::string node_hello();

}  // namespace nines::agent::query
