// Operators: the stages of a query that keep state. Rows are pushed in, rows come out of the other
// side, early when the operator can know (a session that ended), the rest at finish().
//
// The law of splitting: cutting the input anywhere and merging the states in the order of the parts
// gives the bytes of one uninterrupted run. Cores, nodes and split files are this one mechanism.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "nines/base/result.hpp"
#include "nines/query/plan.hpp"
#include "nines/query/row.hpp"

namespace nines::query {

// What an operator had to leave out or to approximate (law 5: never lie).
struct OperatorStats {
  uint64_t rows_in = 0;
  uint64_t rows_out = 0;
  uint64_t evicted = 0;      // groups, sessions, partial matches given up at a declared limit
  uint64_t late = 0;         // rows that came later than `lateness` allows; taken as they came
  uint64_t no_timestamp = 0; // rows without time where time is needed; left out
  uint64_t pending = 0;      // matches and sessions that the end of the input left open
  size_t peak_bytes = 0;
  bool approximate = false;  // count_distinct, topk beyond their exact size
};

class Operator : public RowSink {
 public:
  // Rows come in the order of the input (ts within lateness for those that say so).
  bool take(const Row& row) override = 0;
  // A record of that time has been read although it may be no row of this operator: what can be
  // told now is told now (standing queries). Never needed for an answer to be right.
  virtual void tick(WallTime) {}
  // No more rows come. Emits what is left. False from the sink downstream ends it early.
  virtual void finish() = 0;

  // True: parts of the input may go to operators of their own, merged afterwards. False: it must
  // see every row, in order (sessions, sequences).
  virtual bool mergeable() const noexcept { return false; }
  // Takes over the state of `later`, the same operator over the input behind this one's. REQUIRES
  // mergeable(), and that both were made by the same plan.
  virtual void merge(Operator& later);
  // The state as bytes, for another process (nodes). REQUIRES mergeable().
  virtual void save(std::string& out) const;
  virtual Status merge_saved(std::string_view saved);  // corrupt when it is none

  virtual OperatorStats stats() const noexcept = 0;
  // Why take() gave up, when that was an error of the query that only rows can show (AFTER MATCH
  // SKIP to a row that is not there).
  virtual Status status() const { return Ok{}; }
};

// Sizes that operators keep; what does not fit is evicted and counted.
struct Limits {
  size_t max_bytes = 64 * 1024 * 1024;  // of all state of one operator
  size_t max_groups = 1'000'000;
};

// Makes the operator of one stage. `inputs`: names of the columns of the rows it will take, in
// order; every field that the stage's expressions use must be among them (the compiler of
// statements sees to it). `out` outlives the operator.
std::unique_ptr<Operator> make_operator(const Stage& stage, std::span<const std::string> inputs,
                                        const Limits& limits, RowSink& out);
// Names of the columns that the stage gives.
std::vector<std::string> columns_of(const Stage& stage, std::span<const std::string> inputs);

}  // namespace nines::query
