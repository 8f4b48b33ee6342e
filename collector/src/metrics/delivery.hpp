// Handing lines that an input made itself to the consumer, in the order that the contract of
// RecordConsumer knows: more, then quiet (nothing follows for now), then last.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string_view>

#include "nines/collector/stream.hpp"

namespace nines::collector {

struct Delivered {
  size_t bytes = 0;
  bool declined = false;
  bool stuck = false;  // more lines are needed before any is taken
};

// Hands over `lines`, whole lines at stream.offset, and moves the offset behind what was taken.
// `ends`: nothing follows for now, so something is taken unless declined.
inline Delivered deliver(RecordConsumer& consumer, LogStream& stream, std::string_view lines,
                         bool ends) {
  Delivered out;
  for (const Reading how : {Reading::more, Reading::quiet, Reading::last}) {
    if (how != Reading::more && !ends) {
      out.stuck = true;
      return out;
    }
    const Taken taken = consumer.consume(stream, lines, how);
    out.bytes = std::min(taken.bytes, lines.size());
    // A line that was cut is passed over to its end.
    while (taken.mid_line && out.bytes < lines.size() && lines[out.bytes++] != '\n') continue;
    out.declined = taken.rest == Taken::Rest::declined;
    if (out.bytes == 0 && !out.declined) continue;
    stream.offset += static_cast<int64_t>(out.bytes);
    if (ends && out.bytes == lines.size() && taken.rest == Taken::Rest::held) {
      (void)consumer.consume(stream, {}, Reading::quiet);
    }
    return out;
  }
  // What is no record even at the end never becomes one.
  out.bytes = lines.size();
  stream.offset += static_cast<int64_t>(out.bytes);
  return out;
}

}  // namespace nines::collector
