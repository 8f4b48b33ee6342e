// A file opened for a query.
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "file/decoder.hpp"
#include "file/fs.hpp"
#include "nines/collector/scan.hpp"
#include "nines/query/search.hpp"
#include "scan/bytes.hpp"
#include "scan/rows.hpp"
#include "scan/shape.hpp"
#include "scan/time_range.hpp"

namespace nines::collector {

class OpenFile final : public FileScan {
 public:
  OpenFile(const ScanFile& file, const query::ScanPlan& plan, const ScanOptions& options)
      : plan_(plan), options_(options), shape_(options.max_record_bytes) {
    shape_.file = file;
  }
  // In this order; each once.
  Status open_descriptor();
  Status look(const query::SourceRef& source);

  std::vector<Part> parts() const override;
  const ScanStats& skipped() const override { return skipped_; }
  std::string explanation() const override { return explanation_; }
  std::optional<WallTime> first_time() const override { return first_time_; }
  std::vector<std::string> field_names() const override;
  Result<std::unique_ptr<PartScan>> scan(const Part& part) const override;

 private:
  Status read_head();
  std::optional<TimedPlace> first_record(std::unique_ptr<ScanBytes> bytes, const Part& part,
                                         const ScanOptions& options) const;
  void find_ranges();
  bool is_outside(TimeRange range) const noexcept;
  void explain(const RowMaker& rows);
  bool is_plain() const noexcept { return packing_ == Packing::none && !stream_; }

  const query::ScanPlan plan_;
  const ScanOptions options_;
  ScanShape shape_;
  std::optional<query::LineFinder> finder_;  // copied for each part
  UniqueFd fd_;
  FileStat stat_;
  int64_t size_ = -1;    // -1: not known
  bool stream_ = false;  // can be read once, from front to end
  Packing packing_ = Packing::none;
  std::string head_;
  bool head_is_all_ = false;
  mutable std::once_flag taken_;  // of a stream
  std::optional<WallTime> first_time_;
  std::vector<Part> ranges_;  // what the time range leaves
  ScanStats skipped_;
  std::string explanation_;
};

}  // namespace nines::collector
