// How a node is asked that can be reached in two ways.
#pragma once

#include "nines/base/time.hpp"
#include "query/nodes.hpp"

namespace nines::agent {

using OpenNode = decltype(query::NodeLink::open);

// By `first`, which has half of the time, else by `second`. With every other call the other way
// round: who asks again had no answer over a connection that could be opened. `clock` outlives it.
OpenNode either_way(const Clock& clock, OpenNode first, OpenNode second);

}  // namespace nines::agent
