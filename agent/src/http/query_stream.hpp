// QueryStream: a live answer as lines of JSON (POST /api/query with "stream": true):
//
//   {"_progress":{"state":"running","bytes_done":N,"bytes_total":N,"rows":N,"nodes":[...]}}
//   {...}                 a row; rows and progress in turn, as they come
//   {"_plan":"..."}       in place of rows, of EXPLAIN
//   {"_answer":{...}}     the last line: it is over, and what may be missing
//   {"_problem":{...}}    or this (RFC 9457); what came before is no answer
//
// A stream without one of the last two was cut. The query ends when the connection does.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "http/message.hpp"
#include "query/live_answer.hpp"

namespace nines::agent::http {

// `make` gives the answer that the query will write to; its `wake` comes on the server's thread.
using MakeLive = std::function<std::shared_ptr<query::LiveAnswer>(std::function<void()> wake)>;

struct LiveQuery {
  std::shared_ptr<query::LiveAnswer> answer;  // for the query
  std::shared_ptr<Stream> stream;             // for the client
};
// `problem_of`: the body of what an error is told with.
LiveQuery make_live_query(const MakeLive& make,
                          std::function<std::string(const Error&)> problem_of);

}  // namespace nines::agent::http
