// EXPLAIN ANALYZE: the plan, and below each of its inputs what that did when it ran. The rows of
// the answer are counted and thrown away.
#pragma once

#include <string>

#include "nines/base/result.hpp"
#include "nines/query/plan.hpp"
#include "query/answer.hpp"
#include "query/environment.hpp"
#include "query/format.hpp"

namespace nines::agent::query {

// Runs it. Text for people, or {"plan":[lines],"inputs":[{...}],"answer":{...}} where the format is
// json or ndjson. `answer` is that of the statement.
Result<std::string> analyze(const nines::query::Statement& statement,
                            const Environment& environment, Format format, Answer& answer);

}  // namespace nines::agent::query
