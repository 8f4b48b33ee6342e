#include "scan/part.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

namespace nines::collector {
namespace {

// A part in the middle is read from one byte earlier: a line end there says that a line begins.
int64_t reads_from(const FileScan::Part& part) noexcept {
  return std::max<int64_t>(0, part.begin - 1);
}

}  // namespace

PartReader::PartReader(const ScanShape& shape, std::unique_ptr<RowMaker> rows,
                       std::unique_ptr<ScanBytes> bytes, const ScanOptions& options,
                       FileScan::Part part, int64_t size)
    : shape_(shape),
      rows_(std::move(rows)),
      blocks_(std::move(bytes), {options.block_bytes, options.max_record_bytes, shape.encoding},
              reads_from(part), part.end),
      part_(part),
      size_(size),
      framer_(options.max_record_bytes),
      rule_(shape.rule(rows_->parser())) {
  stream_.path = shape.file.path;
  stream_.encoding = shape.encoding;
  if (part.begin > 0) {
    blocks_.skip_line();
    framer_.begin_inside();
  }
}

int64_t PartReader::done_bytes() const {
  return std::clamp<int64_t>(blocks_.offset() - part_.begin, 0, part_.end - part_.begin);
}

FileScan::PartScan::Step PartReader::step(query::RowSink& out) {
  if (over_) return Step::end;
  switch (blocks_.fill()) {
    case BlockReader::Fill::nothing_yet: return Step::more;
    case BlockReader::Fill::failed:
      error_ =
          Error{Errc::io, shape_.file.path + ": cannot be read: " + std::strerror(errno), errno};
      over_ = true;
      break;
    case BlockReader::Fill::more:
      if (shape_.plain_lines()) {
        lines(out);
      } else {
        records(out);
      }
      over_ = over_ || blocks_.ended();
      break;
  }
  ScanStats& stats = rows_->stats();
  stats.bytes_scanned = blocks_.bytes_read();
  stats.bytes_stored = static_cast<uint64_t>(blocks_.bytes().stored_bytes());
  if (over_) close();
  return over_ ? Step::end : Step::more;
}

void PartReader::close() {
  ScanStats& stats = rows_->stats();
  // Of several parts behind the new end, the one that met it says so.
  const bool met = part_.begin == 0 || blocks_.read_to() > reads_from(part_);
  if (blocks_.ended() && size_ >= 0 && blocks_.read_to() < size_ && met) ++stats.shrunk;
  if (blocks_.ended() && blocks_.bytes().damaged()) ++stats.damaged;
}

FrameStep PartReader::take(const FramedRecord& record, query::RowSink& out) {
  if (record.at >= part_.end) {
    over_ = true;
    return FrameStep::stop_before;
  }
  if (rows_->judge(record) == RowMaker::Verdict::yes && !out.take(rows_->row())) {
    over_ = true;
    return FrameStep::stop_before;
  }
  return FrameStep::next;
}

// One line, one record.
void PartReader::lines(query::RowSink& out) {
  const std::string_view data = blocks_.data();
  const int64_t offset = blocks_.offset();
  LineReader reader(data, offset, {shape_.encoding, blocks_.reading(), framer_.max_record_bytes()},
                    scratch_.line);
  Line line;
  FramedRecord record;
  size_t taken = 0;
  while (!over_ && reader.next(line)) {
    record.content = line.text;
    record.first_line = line.text.size();
    record.at = blocks_.origin(offset + static_cast<int64_t>(line.begin));
    record.truncated = line.truncated;
    take(record, out);
    taken = line.end;
  }
  const bool cut = taken > 0 && taken == data.size() && !reader.terminated();
  blocks_.take(taken);
  if (cut) blocks_.skip_line();
}

void PartReader::records(query::RowSink& out) {
  const std::string_view data = blocks_.data();
  stream_.offset = blocks_.offset();
  FrameInput in = shape_.format.input(stream_, data, blocks_.reading(), scratch_);
  in.rule = rule_;
  const FrameOutput framed = framer_.frame(in, [&](const FramedRecord& found) {
    if (over_) return FrameStep::stop_before;
    FramedRecord record = found;
    record.at = blocks_.origin(record.at);
    return take(record, out);
  });
  blocks_.take(framed.taken.bytes);
  if (framed.taken.mid_line && !blocks_.ended()) blocks_.skip_line();
}

}  // namespace nines::collector
