// StandingBlock: a log block whose rows come as records come, without an end to wait for.
//
//   rows, EXTRACT, CONTEXT, DISTINCT, LIMIT   as they match
//   SESSION, SEQUENCE, MATCH_RECOGNIZE        when a session is closed, a match is found
//   GROUP BY ..., bucket(ts, '1m')            each bucket once the newest time stamp is `lateness`
//                                             behind its end; ORDER BY sorts within a bucket
//
// Everything else would need the whole input and is refused. Not thread-safe.
#pragma once

#include <cstdint>
#include <memory>

#include "nines/query/operator.hpp"
#include "nines/query/plan.hpp"
#include "nines/query/row.hpp"

namespace nines::agent::query {

class StandingBlock {
 public:
  // Errors say what to write instead. The statement and `out` outlive it.
  static Result<std::unique_ptr<StandingBlock>> make(const nines::query::Statement& statement,
                                                     const nines::query::Limits& limits,
                                                     nines::query::RowSink& out);
  virtual ~StandingBlock() = default;

  // Takes the rows of the scan.
  virtual nines::query::RowSink& input() = 0;
  // The newest time stamp of all records read so far: gives what is over by then.
  virtual void tick(WallTime newest) = 0;
  virtual nines::query::OperatorStats stats() const = 0;
  // Rows should come in the order of time over all files.
  virtual bool by_time() const noexcept = 0;
};

// The block of a statement that may stand; the same errors.
Result<const nines::query::Block*> standing_block(const nines::query::Statement& statement);

}  // namespace nines::agent::query
