// `nines query --follow`: what is there, and then rows as they come. Files are followed through
// rotation by the tailer that counting uses, and each record is seen once.
#pragma once

#include <functional>

#include "nines/base/result.hpp"
#include "nines/query/plan.hpp"
#include "query/environment.hpp"
#include "query/execute.hpp"

namespace nines::agent::query {

struct FollowWish {
  bool from_end = false;  // of files that are there already only what is appended
  // After each look at the files, when rows should be seen by whoever reads; false ends it.
  std::function<bool()> looked;
};

// Until the environment stops it (a deadline likewise), LIMIT is reached or nobody wants rows any
// more. Errors: the statement cannot stand (unsupported; says what to write instead), or its
// sources cannot be followed.
Status follow(const nines::query::Statement& statement, const Environment& environment,
              const FollowWish& wish, AnswerSink& out, Answer& answer);

}  // namespace nines::agent::query
