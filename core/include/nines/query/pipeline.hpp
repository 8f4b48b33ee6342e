// The operators of a block, linked: rows of the scan go in, rows of the answer come out.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "nines/query/operator.hpp"
#include "nines/query/plan.hpp"
#include "nines/query/row.hpp"

namespace nines::query {

// How the work of some stages may be divided among parts of the input.
struct Split {
  // True: each part has a pipeline of its own, merged in the order of the parts, then finished.
  // False: only the first `stateless` stages may run by parts; what comes out of them goes through
  // the others in one pipeline, in the order of the parts.
  bool merges = false;
  size_t stateless = 0;
  bool by_time = false;  // rows of several files must come in the order of time
};
Split split_of(std::span<const Stage> stages);

// Not thread-safe.
class QueryPipeline {
 public:
  // `inputs`: columns of the rows that go in. `out` outlives it. No stages: rows pass through.
  static std::unique_ptr<QueryPipeline> make(std::span<const Stage> stages,
                                             std::vector<std::string> inputs, const Limits& limits,
                                             RowSink& out);
  virtual ~QueryPipeline() = default;
  virtual RowSink& input() = 0;
  virtual const std::vector<std::string>& columns() const = 0;
  // Takes over the state of the same stages over the parts behind this one's. REQUIRES
  // split_of(stages).merges and that neither was finished.
  virtual void merge(QueryPipeline& later) = 0;
  // The same across processes: what merge() would take over, as bytes, and back. A pipeline may be
  // saved that has only the stages up to the one that merges. REQUIRES as merge().
  virtual void save(std::string& out) const = 0;
  virtual Status merge_saved(std::string_view saved) = 0;  // corrupt when it is none
  virtual void tick(WallTime now) = 0;  // Operator::tick of the stage that takes the rows
  virtual void finish() = 0;
  // What the rows made impossible (AFTER MATCH SKIP to where nothing moves on); asked after
  // finish().
  virtual Status status() const = 0;
  virtual OperatorStats stats() const = 0;  // summed over the stages; rows_out of the last one
};

}  // namespace nines::query
