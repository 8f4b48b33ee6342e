// Execution of a statement: reads, merges, hands the rows of the answer on. Blocks that are merged
// run on all threads; those that must see rows in order run on one.
#pragma once

#include <string>
#include <vector>

#include "nines/base/result.hpp"
#include "nines/query/plan.hpp"
#include "nines/query/row.hpp"
#include "query/answer.hpp"
#include "query/environment.hpp"

namespace nines::agent::query {

// Who takes the rows of the answer. begin() comes once, before the first row.
class AnswerSink : public nines::query::RowSink {
 public:
  virtual void begin(const std::vector<std::string>& columns) = 0;
};

// Errors: the statement or a source cannot be run at all. What is missing from an answer is told in
// `answer`; so is a stop or the deadline, with the rows that were there by then.
Status run_statement(const nines::query::Statement& statement, const Environment& environment,
                     AnswerSink& out, Answer& answer);

}  // namespace nines::agent::query
