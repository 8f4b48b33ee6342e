// What a destination is asked and what it answered, for the machines of this folder that do no I/O
// themselves: a driver sends the request and hands back the answer.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "nines/base/time.hpp"

namespace nines::upstream {

// A POST to the URL of the destination.
struct Request {
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
};

struct Answer {
  int status = 0;      // of HTTP; 0: there was none (refused, time-out, TLS failure)
  std::string reason;  // the body, or what went wrong; for people
  std::optional<int64_t> retry_after_ms;
  std::optional<WallTime> date;  // of the receiver's clock, whole seconds
};

}  // namespace nines::upstream
