// The scan of one part of a file.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "nines/collector/framing.hpp"
#include "nines/collector/scan.hpp"
#include "scan/block.hpp"
#include "scan/rows.hpp"
#include "scan/shape.hpp"

namespace nines::collector {

class PartReader final : public FileScan::PartScan {
 public:
  // `end`: records that begin before it are this part's. `size`: what the file had when it was
  // opened; -1: not known.
  PartReader(const ScanShape& shape, std::unique_ptr<RowMaker> rows,
             std::unique_ptr<ScanBytes> bytes, const ScanOptions& options, FileScan::Part part,
             int64_t size);

  Step step(query::RowSink& out) override;
  const ScanStats& stats() const override { return rows_->stats(); }
  const Error* error() const override { return error_ ? &*error_ : nullptr; }
  int64_t done_bytes() const override;

 private:
  void lines(query::RowSink& out);
  void records(query::RowSink& out);
  FrameStep take(const FramedRecord& record, query::RowSink& out);
  void close();

  const ScanShape& shape_;
  std::unique_ptr<RowMaker> rows_;
  BlockReader blocks_;
  FileScan::Part part_;
  int64_t size_;
  Framer framer_;
  FrameScratch scratch_;
  LogStream stream_;
  JoinRule rule_;
  std::optional<Error> error_;
  bool over_ = false;  // nothing more of this part is wanted
};

}  // namespace nines::collector
