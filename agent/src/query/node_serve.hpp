// The answering side of a distributed query: takes one plan from a stream, runs it here, streams
// back what it gives.
#pragma once

#include "nines/base/result.hpp"
#include "nines/stream/byte_stream.hpp"
#include "query/environment.hpp"

namespace nines::agent::query {

struct NodeRights {
  // files(...): whoever asks may read what this process may (ssh: it is his login). Otherwise only
  // logs(...), which `resolve` of the environment finds.
  bool files = false;
};

// On the calling thread, with two of its own (and those of the environment); comes back when all
// was sent, when the other side closed the stream, at the deadline, or when nobody takes the bytes
// for as long as the plan says. Limits are those of the environment, or narrower ones of the plan.
// Errors have been told to the other side as far as it could still be reached.
Status serve_node_query(stream::ByteStream& stream, const Environment& environment,
                        const NodeRights& rights);

}  // namespace nines::agent::query
