// One pair of a logfmt line; shared with format detection.
#pragma once

#include <string_view>

#include "log/key_values.hpp"

namespace nines::log {

struct LogfmtPair {
  std::string_view key;
  RawValue value;
  bool has_value = false;
};
// The pair at `p`; moves `p` to the next one. False: not logfmt (an open quote, no key).
bool next_logfmt_pair(const char*& p, const char* end, LogfmtPair& out) noexcept;

}  // namespace nines::log
