// The scan of one part of a file.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "nines/collector/framing.hpp"
#include "nines/collector/scan.hpp"
#include "nines/query/search.hpp"
#include "scan/block.hpp"
#include "scan/context.hpp"
#include "scan/rows.hpp"
#include "scan/shape.hpp"

namespace nines::collector {

// Nothing where it would find every line, or where a neighbour of CONTEXT must be read to be known
// to lie within the time range.
std::optional<query::LineFinder> find_by_literals(const ScanShape& shape,
                                                  const query::ScanPlan& plan,
                                                  const ScanOptions& options);

class PartReader final : public FileScan::PartScan {
 public:
  // `finder`: that of find_by_literals(), made once for a file. `part.end`: records that begin
  // before it are this part's. `size`: what the file had when it was opened; -1: not known.
  PartReader(const ScanShape& shape, const query::ScanPlan& plan,
             const std::optional<query::LineFinder>& finder, std::unique_ptr<RowMaker> rows,
             std::unique_ptr<ScanBytes> bytes, const ScanOptions& options, FileScan::Part part,
             int64_t size);

  Step step(query::RowSink& out) override;
  const ScanStats& stats() const override { return rows_->stats(); }
  const Error* error() const override { return error_ ? &*error_ : nullptr; }
  int64_t done_bytes() const override;

 private:
  void lines(query::RowSink& out);
  void read_lines(query::RowSink& out);
  void find_lines(std::string_view block, query::RowSink& out);
  bool may_find_lines(std::string_view data, size_t whole) const noexcept;
  size_t own_lines(std::string_view data) const noexcept;
  const FramedRecord& frame_line(std::string_view block, size_t begin, size_t end);
  const FramedRecord& frame_odd_line(std::string_view text, int64_t at, Reading how);
  bool feed_until(std::string_view block, size_t to);
  bool feed(std::string_view block, size_t begin, size_t end);
  void records(query::RowSink& out);
  void find_candidates(std::string_view data);
  bool is_candidate(const FramedRecord& record) const noexcept;
  FrameStep take(const FramedRecord& record, query::RowSink& out, bool known = false);
  void refuse() noexcept;
  bool show(const FramedRecord& record, int64_t group, int64_t offset);
  void close();

  const ScanShape& shape_;
  const query::ScanPlan& plan_;
  std::unique_ptr<RowMaker> rows_;
  BlockReader blocks_;
  FileScan::Part part_;
  int64_t size_;
  Framer framer_;
  FrameScratch scratch_;
  FramedRecord record_;  // of frame_line(), until the next one
  LogStream stream_;
  JoinRule rule_;
  std::optional<query::LineFinder> finder_;  // when it can leave out anything
  bool exact_ = false;                       // what it finds needs no test
  std::vector<int64_t> candidates_;          // of this block: where lines begin that it found
  bool filters_ = false;                     // records that have none of them are passed over
  std::optional<ContextWindow> context_;
  bool judges_neighbours_ = false;  // a record near a hit must be read to be told apart
  query::RowSink* out_ = nullptr;   // during step()
  size_t fed_ = 0;                  // of the block: what context_ has seen
  std::optional<Error> error_;
  bool refused_ = false;  // whoever takes the rows wants no more
  bool over_ = false;     // nothing more of this part is wanted
};

}  // namespace nines::collector
