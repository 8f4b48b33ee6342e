// One short question to several nodes at the same time, over the connections of queries: whoever
// has not answered by the deadline is left out, and named.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "query/node_messages.hpp"
#include "query/nodes.hpp"

namespace nines::agent::query {

struct NodeAnswer {
  std::string node;
  Result<std::string> body;
};

// Blocks until all have answered or the deadline is over, with some threads of its own. An answer
// of more than `max_bytes` is refused whole (exhausted). In the order of `links`.
std::vector<NodeAnswer> gather(const std::vector<NodeLink>& links, std::string_view question,
                               size_t max_bytes, Instant deadline);

}  // namespace nines::agent::query
