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

// `lines`: whole lines at stream.offset. `ends`: nothing follows for now, so all must be taken
// unless declined. Moves stream.offset.
inline Delivered deliver(RecordConsumer& consumer, LogStream& stream, std::string_view lines,
                         bool ends) {
  Delivered out;
  for (const Reading how : {Reading::more, Reading::quiet, Reading::last}) {
    if (how != Reading::more && !ends) {
      out.stuck = out.bytes == 0;
      return out;
    }
    const std::string_view rest = lines.substr(out.bytes);
    if (rest.empty()) return out;
    const Taken taken = consumer.consume(stream, rest, how);
    size_t used = std::min(taken.bytes, rest.size());
    // A line that was cut is passed over to its end.
    while (taken.mid_line && used < rest.size() && rest[used++] != '\n') continue;
    out.bytes += used;
    stream.offset += static_cast<int64_t>(used);
    out.declined = taken.rest == Taken::Rest::declined;
    if (out.declined) return out;
    if (taken.rest == Taken::Rest::held && ends && out.bytes == lines.size()) {
      (void)consumer.consume(stream, {}, Reading::quiet);
    }
  }
  // What is no record even at the end never becomes one.
  stream.offset += static_cast<int64_t>(lines.size() - out.bytes);
  out.bytes = lines.size();
  return out;
}

}  // namespace nines::collector
