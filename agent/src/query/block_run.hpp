// Runs of one log block.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "nines/query/pipeline.hpp"
#include "query/feed.hpp"

namespace nines::agent::query {

// On one thread, a piece at a time: for rows that are pulled (SQLite asks for them), and for blocks
// whose operators must see rows in order.
class BlockRun {
 public:
  // All references outlive it.
  static Result<std::unique_ptr<BlockRun>> start(const nines::query::Block& block,
                                                 const Environment& environment,
                                                 nines::query::RowSink& out, Answer& answer);
  // False: everything has been pushed.
  bool step();
  // After the last step: whether the rows made an answer impossible.
  Status status() const { return pipeline_->status(); }

 private:
  BlockRun(const Environment& environment, Answer& answer)
      : environment_(environment), answer_(answer) {}

  const Environment& environment_;
  Answer& answer_;
  std::unique_ptr<PartQueue> parts_;
  std::unique_ptr<Feed> feed_;
  std::unique_ptr<nines::query::QueryPipeline> pipeline_;
  bool done_ = false;
};

// The state of a block that merges, for another process (QueryPipeline::save). REQUIRES
// split_of(block.stages).merges.
Status run_block_to_state(const nines::query::Block& block, const Environment& environment,
                          std::string& state, Answer& answer);

// Rows with what they are to be merged by.
class OrderedSink {
 public:
  virtual ~OrderedSink() = default;
  virtual bool take(const nines::query::Row& row, WallTime order) = 0;
};
// The rows of all files by time. REQUIRES that no stage keeps rows.
Status run_block_by_time(const nines::query::Block& block, const Environment& environment,
                         OrderedSink& out, Answer& answer);

// To its end, on as many threads as the environment allows.
Status run_block(const nines::query::Block& block, const Environment& environment,
                 nines::query::RowSink& out, Answer& answer);

}  // namespace nines::agent::query
