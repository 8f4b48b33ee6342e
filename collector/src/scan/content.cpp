#include "scan/content.hpp"

#include <algorithm>
#include <utility>

#include "scan/part.hpp"
#include "scan/rows.hpp"
#include "scan/shape.hpp"

namespace nines::collector {
namespace {

class ContentBytes final : public ScanBytes {
 public:
  explicit ContentBytes(std::unique_ptr<ScanContent::Reader> reader) : reader_(std::move(reader)) {}

  int64_t read(char* buffer, size_t size, int64_t) override {
    if (used_ == text_.size()) {
      text_.clear();
      used_ = 0;
      if (!ended_) ended_ = reader_->read(text_) == ScanContent::Reader::Read::end;
    }
    const size_t n = text_.copy(buffer, size, used_);
    used_ += n;
    return n == 0 && !ended_ ? kNothingYet : static_cast<int64_t>(n);
  }
  int64_t stored_bytes() const noexcept override { return 0; }
  const Error* problem() const noexcept override { return reader_->problem(); }

 private:
  std::unique_ptr<ScanContent::Reader> reader_;
  std::string text_;
  size_t used_ = 0;
  bool ended_ = false;
};

class OpenContent final : public FileScan {
 public:
  OpenContent(const ScanFile& file, const query::ScanPlan& plan, const ScanOptions& options)
      : plan_(plan), options_(options), shape_(options.max_record_bytes) {
    shape_.file = file;
    shape_.selector.multiline = "none";
  }

  Status look() {
    query::SourceRef json;
    json.format = "json";
    NINES_CHECK(look_at_head("{}\n", true, json, shape_));
    auto rows = RowMaker::create(shape_, plan_, options_);
    return rows.ok() ? Status(Ok{}) : Status(rows.error());
  }

  std::vector<Part> parts() const override { return {{0, INT64_MAX}}; }
  const ScanStats& skipped() const override { return skipped_; }
  std::string explanation() const override { return "asked for, JSON, one record a line"; }
  std::optional<WallTime> first_time() const override { return std::nullopt; }
  std::vector<std::string> field_names() const override { return {}; }
  Result<std::unique_ptr<PartScan>> scan(const Part& part) const override {
    auto rows = RowMaker::create(shape_, plan_, options_);
    if (!rows.ok()) return rows.error();
    auto reader = shape_.file.content->open(plan_);
    if (!reader.ok()) return reader.error();
    return std::unique_ptr<PartScan>(std::make_unique<PartReader>(
        shape_, plan_, std::nullopt, std::move(*rows),
        std::make_unique<ContentBytes>(std::move(*reader)), options_, part, -1));
  }

 private:
  const query::ScanPlan plan_;
  const ScanOptions options_;
  ScanShape shape_;
  ScanStats skipped_;
};

}  // namespace

Result<std::unique_ptr<FileScan>> open_content(const ScanFile& file, const query::ScanPlan& plan,
                                               const ScanOptions& options) {
  auto opened = std::make_unique<OpenContent>(file, plan, options);
  NINES_CHECK(opened->look());
  return std::unique_ptr<FileScan>(std::move(opened));
}

}  // namespace nines::collector
