// EXPLAIN: the plan. EXPLAIN ANALYZE: below each of its inputs what that did when it ran; the rows
// of the answer are counted and thrown away.
#pragma once

#include <string>

#include "nines/base/result.hpp"
#include "nines/query/plan.hpp"
#include "query/answer.hpp"
#include "query/environment.hpp"
#include "query/format.hpp"

namespace nines::agent::query {

// Text for people, or where the format is json or ndjson {"plan":[lines]}, where it is csv a column
// `plan` with a row for each line.
std::string plan_text(const nines::query::Statement& statement, Format format);

// Runs it. Text in the same way; json and ndjson are
// {"plan":[lines],"inputs":[{...}],"answer":{...}}. `answer` is that of the statement.
Result<std::string> analyze(const nines::query::Statement& statement,
                            const Environment& environment, Format format, Answer& answer);

}  // namespace nines::agent::query
