// POST /api/query {"sql": "...", "output": "json", "nodes": ["all"]}: the logs of this node, or of
// those nodes, for who has the token (raw logs are nobody else's, law 9). An answer that lacks
// something has `Nines-Complete: false`. With "stream": true (and output ndjson) the rows come
// while they are found, with how far it is between them (http/query_stream.hpp). What is not this
// route goes to `next`.
#pragma once

#include <functional>
#include <string>

#include "http/message.hpp"
#include "http/query_stream.hpp"
#include "nines/base/result.hpp"
#include "query/service.hpp"

namespace nines::agent::http {

struct QueryAccess {
  std::string token;
  // `done` is called on the thread of the server.
  std::function<void(query::Wish, query::QueryService::Done done)> ask;
  std::function<Status(const query::Wish&)> check;  // as QueryService::check()
  MakeLive live;
};

AsyncHandler make_query_api(QueryAccess access, AsyncHandler next);

}  // namespace nines::agent::http
