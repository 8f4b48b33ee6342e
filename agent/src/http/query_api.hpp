// POST /api/query {"sql": "...", "output": "json", "nodes": ["all"]}: the logs of this node, or of
// those nodes, for who has the token (raw logs are nobody else's, law 9). An answer that lacks
// something has `Nines-Complete: false`. What is not this route goes to `next`.
#pragma once

#include <functional>
#include <string>

#include "http/message.hpp"
#include "nines/base/result.hpp"
#include "query/service.hpp"

namespace nines::agent::http {

struct QueryAccess {
  std::string token;
  // `done` is called on the thread of the server.
  std::function<void(query::Wish, query::QueryService::Done done)> ask;
};

AsyncHandler make_query_api(QueryAccess access, AsyncHandler next);

}  // namespace nines::agent::http
